import { type Command, InvalidArgumentError } from "commander";
import { RUN_STATUSES, type RunFilter, type RunStatus, type RunSummary } from "../../api/runs.ts";
import { addClientOptions, type ClientFlags, printJson, withClient } from "../client-command.ts";
import { formatDuration, formatTime } from "../durations.ts";
import type { CliIo } from "../io.ts";
import { clip, formatTable } from "../table.ts";

interface ListFlags extends ClientFlags {
  readonly status?: RunStatus;
  readonly type?: string;
  readonly limit: number;
}

const EXAMPLES = `
Examples:
  $ raftoral list
  $ raftoral list --status running --type process_order
  $ raftoral list --limit 1000 --json | jq -r '.[] | select(.takeovers > 0) | .runId'`;

const STATUSES = `${RUN_STATUSES.slice(0, -1).join(", ")} or ${RUN_STATUSES.at(-1)}`;

/** `raftoral list`: runs, newest first. */
export function addList(program: Command, io: CliIo): void {
  const command = program
    .command("list")
    .summary("list runs, newest first")
    .description("List runs, newest first.")
    .option("--status <status>", `only those: ${STATUSES}`, parseStatus)
    .option("--type <type>", "only those of a workflow type")
    .option("--limit <n>", "at most so many", parseLimit, 100)
    .addHelpText("after", EXAMPLES);
  addClientOptions(command, io).action(async (flags: ListFlags) => {
    const filter: RunFilter = {
      ...(flags.status === undefined ? {} : { status: flags.status }),
      ...(flags.type === undefined ? {} : { workflowType: flags.type }),
    };
    const runs: RunSummary[] = [];
    let hasMore = false;
    await withClient(flags, io, async (client) => {
      for await (const run of client.workflows.list(filter)) {
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

function parseStatus(text: string): RunStatus {
  const status = RUN_STATUSES.find((known) => known === text.toLowerCase());
  if (status !== undefined) return status;
  throw new InvalidArgumentError(`Write ${STATUSES}.`);
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new InvalidArgumentError("A limit is a whole number above 0.");
}
