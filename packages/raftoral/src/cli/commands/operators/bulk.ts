import { type Command, InvalidArgumentError } from "commander";
import { NodeError } from "../../../api/errors.ts";
import type { RunFilter } from "../../../api/finding/filters.ts";
import type { BulkAction, MendedRun } from "../../../api/operations/operations.ts";
import type { Workflows } from "../../../api/workflows.ts";
import { addClientOptions, type ClientFlags, printJson, withClient } from "../../client-command.ts";
import type { CliIo } from "../../io.ts";
import { progressBar } from "../../progress-bar.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../../run-filter-options.ts";
import { visible } from "../../visible.ts";

const ACTIONS: readonly BulkAction[] = ["cancel", "terminate", "retry", "pause", "resume", "delete"];
/** Ids that are printed. */
const SHOWN = 10;

interface BulkFlags extends ClientFlags, FilterFlags {
  readonly apply?: boolean;
  readonly all?: boolean;
  readonly position?: string;
  readonly reason?: string;
}

const EXAMPLES = `
Examples:
  $ raftoral bulk retry --type order --status failed
  $ raftoral bulk retry --type order --status failed --apply --reason "the bank is open again"`;

/** `raftoral bulk ACTION`: does one thing to all runs that fit conditions. */
export function addBulk(program: Command, io: CliIo): void {
  const command = program
    .command("bulk")
    .summary("do one thing to all runs that fit conditions")
    .description(
      "Do one thing to all runs that fit the conditions: cancel, terminate, retry, pause, resume or delete. Without --apply nothing is done: it prints how many runs fit, and the first of them.\n" +
        "Each run is judged again when its turn comes: one that does not fit any more is left as it is. Runs that are started meanwhile are left alone.",
    )
    .argument("<action>", ACTIONS.join(", "), parseAction);
  addFilterOptions(command)
    .option("--apply", "do it")
    .option("--all", "without any condition: all runs there are")
    .option("--position <position>", "go on where an earlier command has ended, which printed it")
    .option("--reason <text>", "why, for the audit")
    .addHelpText("after", EXAMPLES);
  addClientOptions(command, io).action(async (action: BulkAction, flags: BulkFlags) => {
    const filter = filterOf(flags);
    if (Object.keys(filter).length === 0 && flags.all !== true) {
      throw new NodeError(
        "OPTIONS_INVALID",
        "No condition is given. Give one, such as --status failed, or --all for all runs there are.",
      );
    }
    const place = flags.position === undefined ? {} : { position: flags.position };
    await withClient(flags, io, async ({ workflows }) => {
      const fitting = await fits(workflows, filter, action, place);
      if (flags.apply !== true) {
        if (flags.json === true) printJson(io, { action, applied: false, count: fitting.length, runIds: fitting });
        else io.out(dryText(action, fitting));
        return;
      }
      await apply(workflows, filter, action, { ...place, flags, io, total: fitting.length });
    });
  });
}

async function fits(
  workflows: Workflows,
  filter: RunFilter,
  action: BulkAction,
  place: { readonly position?: string },
): Promise<readonly string[]> {
  const runIds: string[] = [];
  for await (const { runs } of workflows.mendAll(filter, action, { dryRun: true, ...place }))
    for (const { runId } of runs) runIds.push(runId);
  return runIds;
}

function dryText(action: BulkAction, runIds: readonly string[]): string {
  if (runIds.length === 0) return "No run fits.\n";
  const shown = runIds.slice(0, SHOWN).map((runId) => `  ${visible(runId)}\n`);
  const more = runIds.length > SHOWN ? `  and ${runIds.length - SHOWN} more\n` : "";
  return `${runIds.length} ${runIds.length === 1 ? "run fits" : "runs fit"}:\n${shown.join("")}${more}Nothing was done. Add --apply to ${action} ${runIds.length === 1 ? "it" : "them"}.\n`;
}

interface Applying {
  readonly position?: string;
  readonly flags: BulkFlags;
  readonly io: CliIo;
  readonly total: number;
}

async function apply(
  workflows: Workflows,
  filter: RunFilter,
  action: BulkAction,
  { position, flags, io, total }: Applying,
): Promise<void> {
  const { reason } = flags;
  const given = { ...(position === undefined ? {} : { position }), ...(reason === undefined ? {} : { reason }) };
  const bar = progressBar(io, total);
  const outcomes: MendedRun[] = [];
  let reached = position;
  try {
    for await (const piece of workflows.mendAll(filter, action, given)) {
      for (const run of piece.runs) outcomes.push(run);
      reached = piece.position;
      bar.at(outcomes.length);
    }
  } catch (error) {
    bar.end();
    if (outcomes.length > 0 || reached !== undefined) io.err(`${summary(action, outcomes)}${goOn(reached)}`);
    throw error;
  }
  bar.end();
  if (flags.json === true) printJson(io, { action, applied: true, ...counted(outcomes), runs: outcomes });
  else io.out(summary(action, outcomes));
}

function goOn(position: string | undefined): string {
  return position === undefined ? "" : `Go on with the same command and --position ${position}\n`;
}

function counted(runs: readonly MendedRun[]) {
  const of = (outcome: string): number => runs.filter((run) => run.outcome === outcome).length;
  const [done, unchanged] = [of("done"), of("unchanged")];
  return { done, unchanged, refused: runs.length - done - unchanged };
}

function summary(action: BulkAction, runs: readonly MendedRun[]): string {
  const { done, unchanged, refused } = counted(runs);
  const lines = [`${action}: done to ${done}, ${unchanged} left as they were, ${refused} refused.\n`];
  const refusals = runs.filter(({ outcome }) => outcome !== "done" && outcome !== "unchanged");
  for (const { runId, outcome } of refusals.slice(0, SHOWN)) lines.push(`  ${visible(runId)}: ${visible(outcome)}\n`);
  if (refusals.length > SHOWN) lines.push(`  and ${refusals.length - SHOWN} more; --json has all\n`);
  return lines.join("");
}

function parseAction(text: string): BulkAction {
  const action = ACTIONS.find((each) => each === text);
  if (action !== undefined) return action;
  throw new InvalidArgumentError(`It is one of ${ACTIONS.join(", ")}.`);
}
