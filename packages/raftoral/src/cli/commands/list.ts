import { type Command, InvalidArgumentError, Option } from "commander";
import type { RunSummary } from "../../api/runs.ts";
import {
  addClientOptions,
  addConsistency,
  type ClientFlags,
  consistencyOf,
  printJson,
  type ReadFlags,
  withClient,
} from "../client-command.ts";
import { formatDuration, formatTime } from "../durations.ts";
import type { CliIo } from "../io.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../run-filter-options.ts";
import { clip, formatTable } from "../table.ts";

interface ListFlags extends ClientFlags, ReadFlags, FilterFlags {
  readonly sort?: "created" | "ended";
  readonly ascending?: boolean;
  readonly limit: number;
}

const EXAMPLES = `
Examples:
  $ raftoral list
  $ raftoral list --status running --type process_order
  $ raftoral list --where customer=ada --where 'total>=100' --created-from 2026-01-01
  $ raftoral list --status failed,stuck --sort ended --stale
  $ raftoral list --limit 1000 --json | jq -r '.[] | select(.takeovers > 0) | .runId'`;

/** `raftoral list`: runs that fit conditions. */
export function addList(program: Command, io: CliIo): void {
  const command = program
    .command("list")
    .summary("list runs, the latest first")
    .description("List runs that fit all conditions, the latest first.");
  addFilterOptions(command)
    .addOption(new Option("--sort <order>", "by creation or by end").choices(["created", "ended"]).default("created"))
    .option("--ascending", "the earliest first")
    .option("--limit <n>", "at most so many", parseLimit, 100)
    .addHelpText("after", EXAMPLES);
  addConsistency(addClientOptions(command, io)).action(async (flags: ListFlags) => {
    const { sort, ascending = false } = flags;
    const order = ascending ? "ascending" : "descending";
    const filter = { ...filterOf(flags), ...(sort === undefined ? {} : { sort }), order } as const;
    const runs: RunSummary[] = [];
    let hasMore = false;
    await withClient(flags, io, async (client) => {
      for await (const run of client.workflows.list(filter, consistencyOf(flags))) {
        hasMore = runs.length === flags.limit;
        if (hasMore) break;
        runs.push(run);
      }
    });
    if (flags.json === true) printJson(io, runs);
    else io.out(formatRuns(runs, hasMore, Date.now()));
  });
}

/** The table of `raftoral list`. `nowMs` gives running ones their age. */
export function formatRuns(runs: readonly RunSummary[], hasMore: boolean, nowMs: number): string {
  if (runs.length === 0) return "No runs.\n";
  const table = formatTable(
    [
      { title: "ID" },
      { title: "TYPE" },
      { title: "STATUS" },
      { title: "OWNER", align: "right" },
      { title: "TAKEOVERS", align: "right" },
      { title: "RECORDS", align: "right" },
      { title: "STARTED (UTC)" },
      { title: "TOOK", align: "right" },
    ],
    runs.map((run) => [
      clip(run.runId, 40),
      clip(`${run.workflowType}@${run.version}`, 40),
      run.status,
      run.owner === 0 ? "none" : String(run.owner),
      String(run.takeovers),
      String(run.recordCount),
      formatTime(run.startedAtMs),
      formatDuration((run.endedAtMs ?? nowMs) - run.startedAtMs),
    ]),
  );
  return hasMore ? `${table}There are more; raise --limit to see them.\n` : table;
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new InvalidArgumentError("A limit is a whole number above 0.");
}
