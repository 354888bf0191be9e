/**
 * Runs a recorded history against code, and says whether the code still fits it.
 *
 * R1. `same`: the code makes the recorded calls and comes to the recorded end, or waits where the run waits. `extended`: the run has not ended, and the
 *     code makes all recorded calls and then goes on. `different`: everything else.
 * R2. No step's function is called (replayed-body.ts RB1).
 */
import { isDeepStrictEqual } from "node:util";
import { BEHAVIOUR_LEVEL, isExternal, type RunOutcome, type WorkflowDefinition } from "@raftoral/workflow";
import {
  type ExportedOutcome,
  exportPayload,
  type HistoryExport,
  importPayload,
} from "../../api/histories/history-format.ts";
import { type ReplayedBody, type ReplayedCall, replayBody } from "./replayed-body.ts";

/** What a replay found. */
export interface ReplayReport {
  readonly verdict: "same" | "extended" | "different";
  readonly runId: string;
  /** Records of the history. */
  readonly recorded: number;
  /** Calls that were answered from the history. */
  readonly replayed: number;
  /** The first call that the history does not have, or the first that it has and the code does not make. */
  readonly call: ReplayedCall | undefined;
  /** The verdict in words. */
  readonly reason: string;
}

/** Options of a replay. */
export interface ReplayOptions {
  /** Whether a history of another version of the workflow will do, too (false). */
  readonly anyVersion?: boolean;
}

/** Replays `history` against `workflow`. Throws a TypeError for a history of another workflow, of another version without `anyVersion`, or of a later engine. */
export async function replay<Input, Output>(
  history: HistoryExport,
  workflow: WorkflowDefinition<Input, Output>,
  options: ReplayOptions = {},
): Promise<ReplayReport> {
  const { runId, records } = history;
  if (history.workflowType !== workflow.type || (options.anyVersion !== true && history.version !== workflow.version)) {
    throw new TypeError(
      `The history of run ${runId} is of ${history.workflowType}@${history.version}, not of ${workflow.type}@${workflow.version}. Replay it against that workflow, or give anyVersion.`,
    );
  }
  const { behaviourLevel = 0 } = history;
  if (behaviourLevel > BEHAVIOUR_LEVEL) {
    throw new TypeError(
      `The history of run ${runId} has behaviours of the engine up to ${behaviourLevel}, and this version of Raftoral has those up to ${BEHAVIOUR_LEVEL}. Replay it with a newer version.`,
    );
  }
  const definition = { ...(workflow as WorkflowDefinition), version: history.version };
  const reports: ReplayReport[] = [];
  for (const cancelReason of cancellations(history.outcome)) {
    const code = await replayBody(history, definition, cancelReason);
    const { verdict, reason, call } = judge(history, code, cancelReason !== undefined);
    const report = { verdict, runId, recorded: records.length, replayed: code.replayed.size, call, reason };
    if (verdict === "same") return report;
    reports.push(report);
  }
  return reports.at(-1) as ReplayReport;
}

/** Whether the body met the request to cancel it, if any, is not recorded: every way that leads to such an end. */
function cancellations(outcome: ExportedOutcome): readonly (string | undefined)[] {
  const { status, cancelReason } = outcome;
  if (cancelReason === undefined) return [undefined];
  // A body that met it and throws is cancelled, with that reason.
  if (status === "failed" || (status === "cancelled" && outcome.reason !== cancelReason)) return [undefined];
  return status === "completed" ? [undefined, cancelReason] : [cancelReason];
}

type Judgement = Pick<ReplayReport, "verdict" | "reason"> & { readonly call?: ReplayedCall };

function judge({ records, outcome }: HistoryExport, code: ReplayedBody, isCancelled: boolean): Judgement {
  if (code.mismatch !== undefined) {
    const { reason, call } = code.mismatch;
    return { verdict: "different", reason, ...(call === undefined ? {} : { call }) };
  }
  // What others wrote stands in the history whether or not the code has come to ask for it.
  const hasThrown = code.outcome !== undefined && code.outcome.status !== "completed";
  const missed = records.find(
    ({ path, kind }) =>
      !code.replayed.has(path) && !belongs(path, code.asked) && !isExternal(kind) && !(hasThrown && isOfHandler(path)),
  );
  if (missed !== undefined) {
    const { path, kind } = missed;
    const instead =
      code.fresh === undefined ? ending(code.outcome) : `makes the call ${code.fresh.kind} ${code.fresh.path}`;
    const reason = `The code never makes the recorded call ${kind} ${path}; it ${instead}.`;
    return { verdict: "different", reason, call: { path, kind } };
  }
  // A call that was under way when the body ended is not recorded.
  if (code.outcome !== undefined && outcome.status !== "running" && sameOutcome(code.outcome, outcome)) {
    return { verdict: "same", reason: `The code ${ending(code.outcome)}, as recorded.` };
  }
  // What a cancelled body asks for that is not recorded throws, now as then.
  if (code.fresh !== undefined && !isCancelled) {
    const reason = `After all recorded calls the code makes the call ${code.fresh.kind} ${code.fresh.path}.`;
    return { verdict: outcome.status === "running" ? "extended" : "different", reason, call: code.fresh };
  }
  if (code.outcome === undefined) {
    if (outcome.status === "running") return { verdict: "same", reason: "The code waits where the run waits." };
    return { verdict: "different", reason: `The run has ended as ${outcome.status}; the code still waits.` };
  }
  if (outcome.status === "running") {
    return { verdict: "extended", reason: `After all recorded calls the code ${ending(code.outcome)}.` };
  }
  return { verdict: "different", reason: `The run ${recordedEnding(outcome)}; the code ${ending(code.outcome)}.` };
}

/** The deadline of a wait is asked for only while its answer is not recorded, and its body is not cancelled. */
function belongs(path: string, asked: ReadonlySet<string>): boolean {
  return path.endsWith("/deadline") && asked.has(path.slice(0, -"/deadline".length));
}

/**
 * Whether a handler's call is recorded at a path. A body that throws ends its run at once: what a handler has recorded until that is committed, the same code may not come
 * to ask for.
 */
function isOfHandler(path: string): boolean {
  return /#u\d+(\/|$)/.test(path);
}

function ending(outcome: RunOutcome | undefined): string {
  switch (outcome?.status) {
    case undefined:
      return "waits";
    case "completed":
      return `completes with ${shown(exportPayload(outcome.result))}`;
    case "failed":
      return `fails with ${outcome.error.name}: ${outcome.error.message}`;
    case "cancelled":
      return `is cancelled: ${outcome.reason}`;
  }
}

function recordedEnding(outcome: ExportedOutcome): string {
  switch (outcome.status) {
    case "running":
      return "runs";
    case "completed":
      return `has completed with ${shown(outcome)}`;
    case "failed":
      return `has failed with ${outcome.error.name}: ${outcome.error.message}`;
    case "cancelled":
      return `was cancelled: ${outcome.reason}`;
  }
}

function shown({ value, base64 }: { readonly value?: unknown; readonly base64?: string }): string {
  return base64 === undefined ? (JSON.stringify(value) ?? "nothing") : `bytes ${base64}`;
}

function sameOutcome(found: RunOutcome, recorded: ExportedOutcome): boolean {
  if (found.status === "completed" && recorded.status === "completed") {
    return isDeepStrictEqual(exportPayload(found.result), exportPayload(importPayload(recorded, "the result").bytes));
  }
  if (found.status === "failed" && recorded.status === "failed") {
    return found.error.name === recorded.error.name && found.error.message === recorded.error.message;
  }
  return found.status === "cancelled" && recorded.status === "cancelled" && found.reason === recorded.reason;
}
