// `npm run quickstart [-- --orders FILE] [--keep]`: see a replicated workflow survive a killed process.
//
// This file is the frame: options, the data folder, a time limit, and cleaning up however it ends. The story is in scenario.ts.

import { mkdtemp, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { WorkLog, within } from "@raftoral/e2e/harness";
import { ClusterView } from "./cluster-view.ts";
import { Narrator } from "./narrator.ts";
import { HELP, parseOptions, type QuickstartOptions, UserError } from "./options.ts";
import { readOrders } from "./orders.ts";
import { Page } from "./page.ts";
import { prove } from "./proof.ts";
import { showNextSteps, showProof, showResults } from "./report.ts";
import { tell } from "./scenario.ts";
import { Services } from "./services.ts";

const TIME_LIMIT_MS = 55_000;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** What must not be left behind, in the order of its making. */
const cleanUps: (() => Promise<void>)[] = [];

/** Once true, a signal ends the program; what fails because of that is not worth a word. */
let interrupted = false;

async function cleanUp(): Promise<void> {
  for (let undo = cleanUps.pop(); undo !== undefined; undo = cleanUps.pop()) await undo();
}

async function quickstart(options: QuickstartOptions): Promise<boolean> {
  const orders = await readOrders(options.ordersFile);
  const page = new Page(process.stdout);
  const folder = await mkdtemp(join(tmpdir(), "raftoral-quickstart-"));
  cleanUps.push(async () => {
    if (!options.keep) await rm(folder, { recursive: true, force: true });
    page.line();
    page.line(page.paint("dim", `The data folder ${folder} was ${options.keep ? "kept" : "removed"}.`));
  });
  page.title(
    "Raftoral quickstart",
    `Three services, ${orders.length === 1 ? "one order" : `${orders.length} orders`}, one service killed half-way. Data in ${folder}`,
  );

  const narrator = new Narrator(
    page,
    orders.map(({ id }) => id),
  );
  const view = new ClusterView(narrator);
  const services = await Services.prepare(folder, view);
  cleanUps.push(() => services.end());

  const story = tell({ orders, services, view, page, narrator });
  const { killed, records } = await within(
    TIME_LIMIT_MS,
    "the whole quickstart",
    Promise.race([story, services.broken]),
  );

  const executions = new WorkLog(services.workLogFile).executions();
  const seen = view.facts().flatMap(({ event }) => {
    return event.type === "record-committed"
      ? [{ run: event.runId, key: event.path, position: String(event.position) }]
      : [];
  });
  const proof = prove({ orders, records, executions, seen, killed });
  if (records[0] !== undefined) showResults(page, orders, records[0]);
  showProof(page, proof, executions, killed);
  if (proof.holds) showNextSteps(page);
  return proof.holds;
}

/** Ctrl-C, or somebody else who wants it to end. The processes end first, then the folder goes. */
function onSignal(signal: NodeJS.Signals): void {
  interrupted = true;
  process.stdout.write("\n");
  void cleanUp().finally(() => process.exit(128 + constants.signals[signal]));
}

async function main(): Promise<number> {
  try {
    const options = parseOptions(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd());
    if (options === undefined) {
      process.stdout.write(HELP);
      return 0;
    }
    return (await quickstart(options)) ? 0 : EXIT_FAILED;
  } catch (error) {
    if (interrupted) return EXIT_FAILED;
    const isUsers = error instanceof UserError;
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(isUsers ? `${reason}\n` : `\nThe quickstart failed: ${reason}\n`);
    return isUsers ? EXIT_USAGE : EXIT_FAILED;
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, onSignal);
// The reader of the output may go away (`| head`): nothing is left to say then, but much to clean up.
process.stdout.on("error", () => void cleanUp().finally(() => process.exit(EXIT_FAILED)));

const exitCode = await main();
if (!interrupted) {
  await cleanUp();
  process.exit(exitCode);
}
