import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { NodeError } from "../../api/errors.ts";
import type { Payload } from "../../api/payloads/payload.ts";
import type { QueueOfRun } from "../../api/queues/queues.ts";
import { type EndedRun, type HistoryRecord, hasEnded, type PendingCall, type RunDescription } from "../../api/runs.ts";
import type { RaftoralClient } from "../../client/raftoral-client.ts";
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
import { failureLine, failureLines } from "../failure-text.ts";
import type { CliIo } from "../io.ts";
import { payloadText } from "../payload-text.ts";
import { clip, formatFields, formatTable } from "../table.ts";
import { holderText } from "./locks.ts";
import { pendingTable, readPending } from "./pending-table.ts";

const EXAMPLES = `
Examples:
  $ raftoral show A17
  $ raftoral show A17 --full
  $ raftoral show A17 --watch
  $ raftoral show A17 --json | jq '.history[].path'
  $ raftoral show A17 --export histories/A17.json`;

/** Where values are cut, in characters. */
interface Widths {
  readonly value: number;
  readonly path: number;
  readonly text: number;
}

const PAGE: Widths = { value: 60, path: 50, text: 300 };
/** With `--full`: nothing is cut. */
const FULL: Widths = {
  value: Number.POSITIVE_INFINITY,
  path: Number.POSITIVE_INFINITY,
  text: Number.POSITIVE_INFINITY,
};

/** Records of a page without `--full`: the latest. */
const SHOWN_RECORDS = 12;

/** How often a page that is watched is read, in ms. */
const WATCH_MS = 1_000;

/** The furthest moment that a Date can be. */
const MAX_DATE_MS = 8.64e15;
/** Records whose value is a moment, in milliseconds since the epoch. */
const MOMENTS: ReadonlySet<string> = new Set(["sleep", "wait-deadline", "now"]);

interface ShowFlags extends ClientFlags, ReadFlags {
  readonly full?: boolean;
  readonly watch?: boolean;
  /** A file; true for standard output. */
  readonly export?: string | true;
}

/** Everything about a run. */
export interface ShownRun {
  readonly description: RunDescription;
  readonly input: Payload;
  /** Undefined while the run has not ended. */
  readonly ended: EndedRun | undefined;
  readonly history: readonly HistoryRecord[];
  /** What it waits for; undefined when the node could not tell. */
  readonly pending: readonly PendingCall[] | undefined;
}

/** `raftoral show ID`: one run with its records and what happened to it. */
export function addShow(program: Command, io: CliIo): void {
  const command = program
    .command("show")
    .summary("show a run with its records")
    .description(
      "Show a run: its status, what it waits for, the latest steps that were recorded, and what happened to it.",
    )
    .argument("<id>", "the run's id")
    .option("--full", "print all records, and values, paths and errors whole, however long")
    .option("--watch", "print the page again whenever it has changed, until the run has ended")
    .option("--export [file]", "write the run's history as JSON for replays, to a file or to standard output")
    .addHelpText("after", EXAMPLES);
  addConsistency(addClientOptions(command, io)).action(async (id: string, flags: ShowFlags) => {
    if (flags.export !== undefined) return await exportRun(id, flags, io);
    if (flags.watch === true) return await withClient(flags, io, (client) => watchRun(client, id, flags, io));
    const run = await withClient(flags, io, (client) => readRun(client, id, flags));
    if (flags.json === true) printJson(io, asJson(run));
    else io.out(formatRun(run, flags.full === true));
  });
}

/** Prints the run whenever it has changed, until it has ended or its user interrupts. */
async function watchRun(client: RaftoralClient, runId: string, flags: ShowFlags, io: CliIo): Promise<void> {
  const stop = new AbortController();
  const unlisten = io.onSignal(() => stop.abort());
  let shown = "";
  try {
    while (!stop.signal.aborted) {
      const run = await readRun(client, runId, flags);
      const page = flags.json === true ? `${JSON.stringify(asJson(run))}\n` : formatRun(run, flags.full === true);
      if (page !== shown) io.out(shown === "" || flags.json === true ? page : `\n${page}`);
      shown = page;
      if (run.ended !== undefined) return;
      await untilEnded(client, runId, stop.signal);
    }
  } finally {
    unlisten();
  }
}

/** Resolves when the run has ended, its user interrupts, or it is time to look again. */
async function untilEnded({ workflows }: RaftoralClient, runId: string, signal: AbortSignal): Promise<void> {
  try {
    await workflows.wait(runId, { timeoutMs: WATCH_MS, signal });
  } catch (error) {
    if (!signal.aborted && (error as { code?: unknown }).code !== "DEADLINE_EXCEEDED") throw error;
  }
}

async function exportRun(runId: string, flags: ShowFlags, io: CliIo): Promise<void> {
  const history = await withClient(flags, io, ({ workflows }) => workflows.exportHistory(runId, consistencyOf(flags)));
  const text = `${JSON.stringify(history, undefined, 2)}\n`;
  const { export: file } = flags;
  if (typeof file !== "string") {
    io.out(text);
    return;
  }
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new NodeError(
      "OPTIONS_INVALID",
      `The history cannot be written to ${file}: ${(error as Error).message}. Give a file in a folder that exists and can be written to.`,
      { cause: error },
    );
  }
  io.out(`The history of run ${runId}, ${history.records.length} records, is in ${file}.\n`);
}

async function readRun(client: RaftoralClient, runId: string, flags: ReadFlags): Promise<ShownRun> {
  const { workflows } = client;
  const read = consistencyOf(flags);
  const description = await workflows.describe(runId, read);
  const input = await workflows.input(runId, read);
  const ended = hasEnded(description.status) ? await workflows.wait(runId) : undefined;
  const history: HistoryRecord[] = [];
  for await (const record of workflows.history(runId, read)) history.push(record);
  const pending = ended === undefined ? await readPending(client, runId, read) : [];
  return { description, input, ended, history, pending };
}

function asJson({ description, input, ended, history, pending }: ShownRun): object {
  const result = ended?.status === "completed" ? { result: ended.result } : {};
  const reason = ended?.status === "cancelled" ? { reason: ended.reason } : {};
  return { ...description, input, ...result, ...reason, pending, history };
}

/** The page of `raftoral show`. Values are cut to fit unless it is to be `full`. */
export function formatRun({ description: run, input, ended, history, pending }: ShownRun, full: boolean): string {
  const widths = full ? FULL : PAGE;
  const took = run.endedAtMs === undefined ? undefined : formatDuration(run.endedAtMs - run.startedAtMs);
  const parts = [
    formatFields([
      ["Run", clip(run.runId, 512)],
      ["Workflow", clip(`${run.workflowType}, version ${run.version}`, widths.text)],
      ["Status", took === undefined ? run.status : `${run.status} after ${took}`],
      ["Owner", ownerOf(run)],
      ["Takeovers", String(run.takeovers)],
      ...(run.generation === 1 ? [] : [["Generation", String(run.generation)] as const]),
      ...(run.parent === undefined
        ? []
        : [["Parent", clip(`${run.parent.runId}, at ${run.parent.path}`, 512)] as const]),
      ...(run.queue === undefined ? [] : [["Queue", clip(queueText(run.queue), widths.text)] as const]),
      ...(run.stuckReason === undefined ? [] : [["Stuck", clip(stuckText(run), widths.text)] as const]),
      ...(run.pauseReason === undefined ? [] : [["Paused", clip(pauseText(run), widths.text)] as const]),
      ...(run.startsAtMs === undefined
        ? []
        : [
            [
              "Begins",
              `${formatTime(run.startsAtMs)} UTC; at once with: raftoral resume ${clip(run.runId, 512)}`,
            ] as const,
          ]),
      ...attributeFields(run, widths.text),
      ["Started", `${formatTime(run.startedAtMs)} UTC`],
      ...(run.trace === undefined ? [] : [["Trace", run.trace.traceparent] as const]),
      ["Input", show(input, widths)],
      ...(ended?.status === "completed" ? [["Result", show(ended.result, widths)] as const] : []),
      ...(run.error === undefined ? [] : [["Error", clip(failureLine(run.error), widths.text)] as const]),
      ...(ended?.status === "cancelled"
        ? [["Cancelled", clip(ended.reason, widths.text)] as const]
        : run.cancelReason === undefined
          ? []
          : [["Cancel asked", clip(run.cancelReason, widths.text)] as const]),
    ]),
  ];
  if (run.error !== undefined && hasMore(run.error)) parts.push(`${failureLines(run.error).join("\n")}\n`);
  const shown = full ? history : history.slice(-SHOWN_RECORDS);
  if (shown.length < history.length)
    parts.push(`${history.length - shown.length} earlier records; --full has all of them.\n`);
  if (shown.length > 0) parts.push(historyTable(run, shown, widths));
  if (pending === undefined && run.stepsInProgress.length > 0) parts.push(stepsTable(run, widths));
  if (pending !== undefined && pending.length > 0) parts.push(pendingTable(pending, widths));
  if (run.locks.length > 0) parts.push(locksTable(run, widths));
  if (run.children.length > 0) parts.push(childrenTable(run, widths));
  parts.push(lifeTable(run, ended, history, widths));
  return parts.join("\n");
}

function attributeFields({ attributes }: RunDescription, width: number): readonly (readonly [string, string])[] {
  const shown = Object.entries(attributes).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return shown.length === 0 ? [] : [["Attributes", clip(shown.join(", "), width)]];
}

function queueText({ name, key, priority, waitsFor, position }: QueueOfRun): string {
  const facts = [
    name,
    ...(key === undefined ? [] : [`key ${key}`]),
    ...(priority === 0 ? [] : [`priority ${priority}`]),
  ];
  const place = position === undefined ? "" : `, at place ${position} of its key`;
  return `${facts.join(", ")}${waitsFor === undefined ? "" : `: waits for ${waitsFor}${place}`}`;
}

function ownerOf({ owner, status, behaviourLevel, pauseReason }: RunDescription): string {
  if (owner !== 0) return `node ${owner}`;
  if (status !== "running" || pauseReason !== undefined) return "none";
  const release = behaviourLevel === 0 ? "" : ` in a release with behaviour ${behaviourLevel} of the engine`;
  return `none: no live node has registered this type and version${release}`;
}

function pauseText({ runId, status, pauseReason, owner, workflowType }: RunDescription): string {
  if ((status === "running" || status === "queued") && owner === 0)
    return `${pauseReason ?? ""}. Let them go on with: raftoral resume-type ${workflowType}`;
  if (status === "paused") return `${pauseReason ?? ""}. Let it go on with: raftoral resume ${runId}`;
  return `${pauseReason ?? ""}. Its owner lets the steps under way finish first; take back with: raftoral resume ${runId}`;
}

function stuckText({ runId, stuckReason, stuckDetail }: RunDescription): string {
  if (stuckReason === "code-mismatch") {
    return `no live node has code that fits its history. ${stuckDetail ?? ""} It goes on when a node registers code that fits; or: raftoral cancel ${runId}`;
  }
  const why =
    stuckReason === "owner-losses"
      ? "the processes that executed it ended one after the other, without a new record"
      : stuckReason;
  return `${why}. Find out why, then: raftoral resume ${runId}, or raftoral cancel ${runId}`;
}

/** Steps without a record, as far as they have come. */
function stepsTable({ stepsInProgress }: RunDescription, widths: Widths): string {
  return formatTable(
    [
      { title: "STEP UNDER WAY" },
      { title: "FAILED", align: "right" },
      { title: "NEXT (UTC)" },
      { title: "ERROR" },
      { title: "HEARTBEAT" },
    ],
    stepsInProgress.map(({ path, failedAttempts, nextAttemptAtMs, error, heartbeat }) => [
      clip(path, widths.path),
      String(failedAttempts),
      nextAttemptAtMs === undefined ? "-" : formatTime(nextAttemptAtMs),
      error === undefined ? "-" : clip(failureLine(error), widths.value),
      show(heartbeat, widths),
    ]),
  );
}

/** Locks that the run holds or waits for, and who holds the latter. */
function locksTable({ locks }: RunDescription, widths: Widths): string {
  return formatTable(
    [{ title: "LOCK" }, { title: "TOKEN", align: "right" }, { title: "PATH" }, { title: "HELD BY" }],
    locks.map(({ name, token, path, heldBy }) => [
      clip(name, widths.path),
      token === undefined ? "waits" : String(token),
      clip(path, widths.path),
      token === undefined ? clip(heldBy.map(holderText).join(", ") || "-", widths.value) : "this run",
    ]),
  );
}

function childrenTable({ children }: RunDescription, widths: Widths): string {
  return formatTable(
    [{ title: "RUNNING CHILD" }, { title: "TYPE" }, { title: "PATH" }],
    children.map(({ runId, workflowType, path }) => [
      clip(runId, widths.path),
      clip(workflowType, 40),
      clip(path, widths.path),
    ]),
  );
}

function historyTable(run: RunDescription, history: readonly HistoryRecord[], widths: Widths): string {
  return formatTable(
    [{ title: "PATH" }, { title: "KIND" }, { title: "AT", align: "right" }, { title: "VALUE" }],
    history.map(({ path, kind, recordedAtMs, value }) => [
      clip(path, widths.path),
      clip(kind, 20),
      `+${formatDuration(recordedAtMs - run.startedAtMs)}`,
      momentOf(kind, value) ?? show(value, widths),
    ]),
  );
}

/** What happened to the run, as far as its records tell: an owner that recorded nothing left no trace but its number. */
function lifeTable(
  run: RunDescription,
  ended: EndedRun | undefined,
  history: readonly HistoryRecord[],
  widths: Widths,
): string {
  const events: [atMs: number, event: string, text: string][] = [
    [run.startedAtMs, "started", `as ${run.workflowType}, version ${run.version}`],
  ];
  for (const [at, { epoch, path, recordedAtMs }] of history.entries()) {
    const before = history[at - 1];
    if (before === undefined || before.epoch === epoch) continue;
    events.push([recordedAtMs, "taken-over", `another owner recorded ${path} first`]);
  }
  const unseen = run.takeovers - (events.length - 1);
  if (unseen > 0) events.push([0, "taken-over", `${unseen} more changes of owner that recorded nothing`]);
  if (run.cancelReason !== undefined && run.status !== "cancelled")
    events.push([0, "cancel-requested", run.cancelReason]);
  const how = ended?.status === "cancelled" ? ended.reason : `on node ${run.owner}`;
  if (run.endedAtMs !== undefined) events.push([run.endedAtMs, run.status, how]);
  return formatTable(
    [{ title: "TIME (UTC)" }, { title: "EVENT" }, { title: "" }],
    events.map(([atMs, event, text]) => [formatTime(atMs), event, clip(text, widths.text)]),
  );
}

function hasMore({ stack, cause, errors }: NonNullable<RunDescription["error"]>): boolean {
  return stack !== undefined || cause !== undefined || errors !== undefined;
}

/** A moment as people write it; undefined for any other value. `--json` has the number. */
function momentOf(kind: string, payload: Payload): string | undefined {
  const ms = MOMENTS.has(kind) ? Number(JSON.stringify(payload)) : Number.NaN;
  if (!Number.isSafeInteger(ms) || Math.abs(ms) > MAX_DATE_MS) return undefined;
  return kind === "now" ? `${formatTime(ms)} UTC` : `until ${formatTime(ms)} UTC`;
}

function show(payload: Payload, { value }: Widths): string {
  return clip(payloadText(payload) || "-", value);
}
