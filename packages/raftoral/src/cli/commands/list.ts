import { type Command, InvalidArgumentError, Option } from "commander";
import type { AttributeFilter, RunFilter, TimeFilter } from "../../api/finding/filters.ts";
import { RUN_STATUSES, type RunStatus, type RunSummary } from "../../api/runs.ts";
import { dateIn, parseCondition } from "../attribute-argument.ts";
import {
  addClientOptions,
  addConsistency,
  type ClientFlags,
  printJson,
  type ReadFlags,
  withClient,
} from "../client-command.ts";
import { formatDuration, formatTime } from "../durations.ts";
import type { CliIo } from "../io.ts";
import { clip, formatTable } from "../table.ts";

interface ListFlags extends ClientFlags, ReadFlags {
  readonly status?: readonly RunStatus[];
  readonly type?: string;
  readonly owner?: number;
  readonly where?: Readonly<Record<string, AttributeFilter>>;
  readonly createdFrom?: Date;
  readonly createdBefore?: Date;
  readonly endedFrom?: Date;
  readonly endedBefore?: Date;
  readonly parent?: string;
  readonly prefix?: string;
  readonly queue?: string;
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

const STATUSES = `${RUN_STATUSES.slice(0, -1).join(", ")} or ${RUN_STATUSES.at(-1)}`;

/** `raftoral list`: runs that fit conditions. */
export function addList(program: Command, io: CliIo): void {
  const command = program
    .command("list")
    .summary("list runs, the latest first")
    .description("List runs that fit all conditions, the latest first.")
    .option("--status <status,...>", `only those: ${STATUSES}; several with commas`, parseStatuses)
    .option("--type <type>", "only those of a workflow type")
    .option(
      "--owner <node>",
      "only those that a node executes; 0 for those that have not ended and no node does",
      parseOwner,
    )
    .option(
      "--where <condition>",
      "only those with an attribute: name=value, name=one,other, name>=value, name (repeatable)",
      parseCondition,
    )
    .option(
      "--created-from <time>",
      "only those created then or later, e.g. 2026-01-31 or 2026-01-31T10:00:00Z",
      dateIn,
    )
    .option("--created-before <time>", "only those created before", dateIn)
    .option("--ended-from <time>", "only those that ended then or later", dateIn)
    .option("--ended-before <time>", "only those that ended before", dateIn)
    .option("--parent <id>", "only those that this run started as its children")
    .option("--queue <name>", "only those that were started in this queue")
    .option("--prefix <text>", "only those whose ids begin with it")
    .addOption(new Option("--sort <order>", "by creation or by end").choices(["created", "ended"]).default("created"))
    .option("--ascending", "the earliest first")
    .option("--limit <n>", "at most so many", parseLimit, 100)
    .addHelpText("after", EXAMPLES);
  addConsistency(addClientOptions(command, io)).action(async (flags: ListFlags) => {
    const filter = filterOf(flags);
    const runs: RunSummary[] = [];
    let hasMore = false;
    await withClient(flags, io, async (client) => {
      for await (const run of client.workflows.list(filter, flags.stale === true ? { consistency: "stale" } : {})) {
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

function filterOf(flags: ListFlags): RunFilter {
  const { status, type, owner, where, parent, prefix, sort, ascending } = flags;
  const created = timesOf(flags.createdFrom, flags.createdBefore);
  const ended = timesOf(flags.endedFrom, flags.endedBefore);
  return {
    ...(status === undefined ? {} : { status }),
    ...(type === undefined ? {} : { workflowType: type }),
    ...(owner === undefined ? {} : { owner }),
    ...(where === undefined ? {} : { attributes: where }),
    ...(created === undefined ? {} : { created }),
    ...(ended === undefined ? {} : { ended }),
    ...(parent === undefined ? {} : { parent }),
    ...(flags.queue === undefined ? {} : { queue: flags.queue }),
    ...(prefix === undefined ? {} : { runIdPrefix: prefix }),
    ...(sort === undefined ? {} : { sort }),
    order: ascending === true ? "ascending" : "descending",
  };
}

function timesOf(from: Date | undefined, before: Date | undefined): TimeFilter | undefined {
  if (from === undefined && before === undefined) return undefined;
  return { ...(from === undefined ? {} : { from }), ...(before === undefined ? {} : { before }) };
}

function parseStatuses(text: string): readonly RunStatus[] {
  return text.split(",").map((each) => {
    const status = RUN_STATUSES.find((known) => known === each.trim().toLowerCase());
    if (status !== undefined) return status;
    throw new InvalidArgumentError(`Write ${STATUSES}, or several of them with commas.`);
  });
}

function parseOwner(text: string): number {
  const owner = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(owner)) return owner;
  throw new InvalidArgumentError("A node's id is a whole number; 0 stands for none.");
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new InvalidArgumentError("A limit is a whole number above 0.");
}
