// `npm run simulate`: see USAGE.
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { hunt } from "../mutants/hunt.ts";
import { installMutant } from "../mutants/install.ts";
import { mutantNamed } from "../mutants/mutants.ts";
import { parseOptions, type SimulateOptions, USAGE } from "./options.ts";
import { simulate } from "./simulate.ts";
import { simulateCores, simulateForged } from "./simulate-many.ts";

const print = (line: string): void => console.log(line);

async function writeTrace(options: SimulateOptions): Promise<boolean> {
  const { start, mutant, trace = "-" } = options;
  if (mutant !== undefined) installMutant(mutantNamed(mutant));
  const out = trace === "-" ? process.stdout : createWriteStream(trace);
  const write = (line: string): void => {
    out.write(`${line}\n`);
  };
  const { finding, length } = await traced(options, write);
  write(finding === undefined ? "nothing was found" : finding.stack);
  if (out !== process.stdout) {
    out.end();
    await finished(out);
    print(`the run of seed ${start}, of ${length}, is in ${trace}`);
  }
  return finding === undefined;
}

/** What runs is loaded only here, so that a mutant is in it. */
async function traced({ kind, start: seed, steps, only, ignore }: SimulateOptions, write: (line: string) => void) {
  if (kind === "forged") {
    const { runForged } = await import("../forged/run-forged.ts");
    const { finding, actions } = runForged({ seed, tell: write });
    return { finding, length: `${actions.length} actions` };
  }
  if (kind === "cores") {
    const { runCore } = await import("../core/run-core.ts");
    const { finding, actions } = runCore({ seed, ignore, tell: write });
    return { finding, length: `${actions.length} actions` };
  }
  const { runSeed } = await import("../run-seed.ts");
  const { finding, events } = await runSeed({ seed, steps, ignore, write, ...(only === undefined ? {} : { only }) });
  return { finding, length: `${events} events` };
}

async function main(): Promise<boolean> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    print(USAGE);
    return true;
  }
  if (options.hunt) return await hunt(options, print);
  if (options.trace !== undefined) return await writeTrace(options);
  const run = { clusters: simulate, cores: simulateCores, forged: simulateForged }[options.kind];
  return await run(options, print);
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
