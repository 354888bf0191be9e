import type { Command } from "commander";
import { RUN_STATUSES, type RunCount } from "../../api/runs.ts";
import {
  addClientOptions,
  addConsistency,
  type ClientFlags,
  consistencyOf,
  printJson,
  type ReadFlags,
  withClient,
} from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { clip, formatTable } from "../table.ts";

/** `raftoral count`: how many runs there are of each type and status. */
export function addCount(program: Command, io: CliIo): void {
  const command = program
    .command("count")
    .summary("count runs by type and status")
    .description("Count runs by type and status. Takes no time that grows with their number.")
    .addHelpText("after", "\nExample:\n  $ raftoral count\n  $ raftoral count --stale --json");
  addConsistency(addClientOptions(command, io)).action(async (flags: ClientFlags & ReadFlags) => {
    const counts = await withClient(flags, io, (client) => client.workflows.counts(consistencyOf(flags)));
    if (flags.json === true) printJson(io, counts);
    else io.out(formatCounts(counts));
  });
}

/** The table of `raftoral count`: a line for each type, and the sums. */
export function formatCounts(counts: readonly RunCount[]): string {
  if (counts.length === 0) return "No runs.\n";
  const types = [...new Set(counts.map(({ workflowType }) => workflowType))];
  const row = (name: string, of: readonly RunCount[]): readonly string[] => {
    const runs = RUN_STATUSES.map((status) => sum(of.filter((count) => count.status === status)));
    return [clip(name, 40), ...runs.map(String), String(sum(of))];
  };
  const rows = types.map((type) =>
    row(
      type,
      counts.filter(({ workflowType }) => workflowType === type),
    ),
  );
  if (types.length > 1) rows.push(row("all", counts));
  return formatTable(
    [
      { title: "TYPE" },
      ...RUN_STATUSES.map((status) => ({ title: status.toUpperCase(), align: "right" as const })),
      { title: "ALL", align: "right" },
    ],
    rows,
  );
}

function sum(counts: readonly RunCount[]): number {
  return counts.reduce((all, { runs }) => all + runs, 0);
}
