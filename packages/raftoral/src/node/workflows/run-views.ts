/** From the workflow package's view of a run to what the API shows. Nothing is decoded but failures. */
import {
  attributeValues,
  type ChildView,
  type CodeMismatch,
  type DelayedSummary,
  decodeValue,
  type KnownProgress,
  type PausedSummary,
  type QueuedSummary,
  type RecordedChunk,
  type RecordedError,
  type RecordedVariable,
  type RunEnd,
  type RunLockView,
  type RunningSummary,
  type RunOutcome,
  type RunUpdateEnd,
  type PendingCall as StatePending,
  type HistoryRecord as StateRecord,
  type RunSummary as StateSummary,
  type StuckSummary,
} from "@raftoral/workflow";
import type { LockOfRun } from "../../api/locks/locks.ts";
import { Payload } from "../../api/payloads/payload.ts";
import type {
  EndedRun,
  HistoryRecord,
  PendingCall,
  RecordedFailure,
  RunDescription,
  RunSummary,
  StepInProgress,
} from "../../api/runs.ts";
import type { StreamChunk } from "../../api/streams.ts";
import type { UpdateEnd } from "../../api/updates/updates.ts";
import type { RunVariable } from "../../api/variables.ts";
import { lockAsk } from "../locks/node-locks.ts";
import { queueOfRun } from "./queue-views.ts";

/** A list shows the beginning of a failed run's message: so many UTF-16 units. */
const LISTED_MESSAGE_LENGTH = 500;

/** A run in a list. */
export function summaryOf(run: StateSummary): RunSummary {
  const error = failureOf(run);
  return { ...factsOf(run), error: error === undefined ? undefined : shortened(error) };
}

/** A run that is described, with steps that have no record yet. */
export function descriptionOf(
  run: StateSummary,
  progress: readonly KnownProgress[],
  children: readonly ChildView[],
  locks: readonly RunLockView[],
): RunDescription {
  return {
    ...factsOf(run),
    error: failureOf(run),
    pendingSignals: isOpen(run) ? run.signals : [],
    stepsInProgress: progress.map(stepOf),
    children,
    locks: locks.map(lockOfRun),
    seed: Buffer.from(run.seed).toString("base64"),
    initialAttributes: attributeValues(run.initialAttributes),
    trace: run.trace,
    behaviourLevel: run.behaviourLevel,
  };
}

function lockOfRun({ name, path, token, heldBy }: RunLockView): LockOfRun {
  return { name, path, token: token === 0 ? undefined : token, heldBy: heldBy.map(lockAsk) };
}

/** What a run waits for, with what the state knows of its steps. */
export function pendingOf(calls: readonly StatePending[], progress: readonly KnownProgress[]): readonly PendingCall[] {
  const steps = new Map(progress.map((step) => [step.path, step]));
  return calls.map(({ kind, path, untilMs }) => {
    const step = kind === "step" ? steps.get(path) : undefined;
    return { kind, path, untilMs, step: step === undefined ? undefined : stepOf(step) };
  });
}

function stepOf({ path, attempts, error, nextAtMs, beganAtMs, details }: KnownProgress): StepInProgress {
  return {
    path,
    failedAttempts: attempts,
    error,
    nextAttemptAtMs: nextAtMs === 0 ? undefined : nextAtMs,
    beganAtMs,
    heartbeat: Payload.ofBytes(details, `the heartbeat of step ${path}`),
  };
}

/** How a run ended; undefined while it runs. */
export function endedOf({ runId, workflowType, ended }: RunEnd): EndedRun | undefined {
  if (ended === undefined) return undefined;
  return { runId, workflowType, endedAtMs: ended.endedAtMs, ...outcomeOf(runId, ended.outcome) };
}

/** How an update of this name stands; undefined when it is not that far. */
export function updateEndOf(end: RunUpdateEnd | undefined, name: string): UpdateEnd | undefined {
  switch (end?.status) {
    case undefined:
      return undefined;
    case "accepted":
      return { status: "accepted" };
    case "completed":
      return { status: "completed", answer: Payload.ofBytes(end.value, `the answer to update ${name}`) };
    case "failed":
      // The owner recorded it, and not the author's code.
      return { status: "failed", failure: decodeValue(end.value, `the failure of update ${name}`) as RecordedFailure };
  }
}

/** One chunk of a stream. */
export function chunkView(stream: string, chunk: RecordedChunk): StreamChunk<Payload> {
  const { offset, value, step, attempt, epoch } = chunk;
  const payload = Payload.ofBytes(value, `chunk ${offset} of stream ${stream}`);
  if (step === undefined || attempt === undefined) return { offset, value: payload, epoch };
  return { offset, value: payload, step, attempt, epoch };
}

/** One variable of a run. */
export function variableView({ name, value, recordedAtMs }: RecordedVariable): RunVariable {
  return { name, value: Payload.ofBytes(value, `variable ${name}`), recordedAtMs };
}

/** One record of a history. */
export function recordOf(path: string, record: StateRecord): HistoryRecord {
  return {
    path,
    kind: record.kind,
    value: Payload.ofBytes(record.value, `record ${path}`),
    recordedAtMs: record.recordedAtMs,
    epoch: record.epoch,
    position: String(record.position),
  };
}

function factsOf(run: StateSummary): Omit<RunSummary, "error"> {
  return {
    runId: run.runId,
    workflowType: run.workflowType,
    version: run.version,
    status: run.status,
    owner: run.owner,
    epoch: run.epoch,
    // Its first owner is no takeover. A run that began without an owner has had none yet.
    takeovers: Math.max(0, run.attempt - 1),
    startedAtMs: run.startedAtMs,
    startsAtMs: run.status === "delayed" ? run.startAtMs : undefined,
    endedAtMs: isOpen(run) ? undefined : run.endedAtMs,
    recordCount: run.recordCount,
    stuckReason: run.status === "stuck" ? run.stuckReason : undefined,
    stuckDetail: run.status === "stuck" ? mismatchText(run.mismatch) : undefined,
    pauseReason: isOpen(run) ? run.pauseReason : undefined,
    cancelReason: run.cancelReason,
    parent: run.parent === undefined ? undefined : { runId: run.parent.runId, path: run.parent.path },
    generation: run.generation,
    attributes: attributeValues(run.attributes),
    queue: queueOfRun(run.queue),
  };
}

function isOpen(
  run: StateSummary,
): run is RunningSummary | StuckSummary | PausedSummary | DelayedSummary | QueuedSummary {
  return "signals" in run;
}

function failureOf(run: StateSummary): RecordedError | undefined {
  return !isOpen(run) && run.outcome.status === "failed" ? run.outcome.error : undefined;
}

function shortened({ name, message, code }: RecordedError): RecordedError {
  const isLong = message.length > LISTED_MESSAGE_LENGTH;
  return {
    name,
    message: isLong ? `${message.slice(0, LISTED_MESSAGE_LENGTH)}...` : message,
    ...(code === undefined ? {} : { code }),
  };
}

type Ended =
  | { readonly status: "completed"; readonly result: Payload }
  | { readonly status: "failed"; readonly error: RecordedError }
  | { readonly status: "cancelled"; readonly reason: string };

function outcomeOf(runId: string, outcome: RunOutcome): Ended {
  switch (outcome.status) {
    case "completed":
      return { status: "completed", result: Payload.ofBytes(outcome.result, `the result of run ${runId}`) };
    case "failed":
      return { status: "failed", error: outcome.error };
    case "cancelled":
      return { status: "cancelled", reason: outcome.reason };
  }
}

function mismatchText(mismatch: CodeMismatch | undefined): string | undefined {
  if (mismatch === undefined) return undefined;
  const { path, expected, recorded } = mismatch;
  return `At ${path} the code asks for ${expected}, but the history has ${recorded}.`;
}
