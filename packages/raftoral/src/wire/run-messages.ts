/**
 * Runs between generated messages and the types of the API, both ways.
 *
 * Ids, epochs and times are safe integers in the API and 64 bits wide on the wire; what does not fit is refused. Payloads pass through as bytes.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { NodeError } from "../api/errors.ts";
import { Payload } from "../api/payloads/payload.ts";
import type {
  EndedRun,
  HistoryRecord,
  PendingCall,
  RunCount,
  RunDescription,
  RunStatus,
  RunSummary,
  StepInProgress,
} from "../api/runs.ts";
import {
  type HistoryRecordSchema,
  type Outcome,
  type OutcomeSchema,
  type Run,
  type RunSchema,
  type StepInProgressSchema,
  type HistoryRecord as WireRecord,
  RunStatus as WireStatus,
  type StepInProgress as WireStep,
} from "../gen/raftoral/v1/run_pb.ts";
import type {
  PendingCallSchema,
  RunCountSchema,
  RunCount as WireCount,
  PendingCall as WirePending,
} from "../gen/raftoral/v1/run_reads_pb.ts";
import { attributesFromWire, attributesToWire } from "./attribute-messages.ts";
import { failureFromWire, failureToWire } from "./failure-messages.ts";
import { lockOfRunFromWire, lockOfRunToWire } from "./lock-messages.ts";
import { safeNumber } from "./numbers.ts";
import { queueOfRunFromWire, queueOfRunToWire } from "./queue-messages.ts";
import { traceFromWire, traceToWire } from "./trace-messages.ts";

const STATUSES: ReadonlyMap<RunStatus, WireStatus> = new Map([
  ["running", WireStatus.RUNNING],
  ["stuck", WireStatus.STUCK],
  ["paused", WireStatus.PAUSED],
  ["delayed", WireStatus.DELAYED],
  ["queued", WireStatus.QUEUED],
  ["completed", WireStatus.COMPLETED],
  ["failed", WireStatus.FAILED],
  ["cancelled", WireStatus.CANCELLED],
]);

/** A status as a message; UNSPECIFIED for undefined. */
export function statusToWire(status: RunStatus | undefined): WireStatus {
  return (status === undefined ? undefined : STATUSES.get(status)) ?? WireStatus.UNSPECIFIED;
}

/** The status of a message; undefined for UNSPECIFIED. Throws REQUEST_INVALID for a status of a later version. */
export function statusFromWire(status: WireStatus): RunStatus | undefined {
  if (status === WireStatus.UNSPECIFIED) return undefined;
  for (const [known, wire] of STATUSES) if (wire === status) return known;
  throw new NodeError("REQUEST_INVALID", `Run status ${status} is not known to this version. Upgrade the older side.`);
}

/** A run without payloads and history, as a message. */
export function runToWire(run: RunSummary & Partial<RunDescription>): MessageInitShape<typeof RunSchema> {
  return {
    runId: run.runId,
    workflowType: run.workflowType,
    version: run.version,
    status: statusToWire(run.status),
    ownerNodeId: BigInt(run.owner),
    epoch: BigInt(run.epoch),
    takeovers: run.takeovers,
    startedAtMs: BigInt(run.startedAtMs),
    ...(run.startsAtMs === undefined ? {} : { startsAtMs: BigInt(run.startsAtMs) }),
    ...(run.endedAtMs === undefined ? {} : { endedAtMs: BigInt(run.endedAtMs) }),
    recordCount: run.recordCount,
    ...(run.error === undefined ? {} : { failure: failureToWire(run.error) }),
    ...(run.stuckReason === undefined ? {} : { stuckReason: run.stuckReason }),
    ...(run.stuckDetail === undefined ? {} : { stuckDetail: run.stuckDetail }),
    ...(run.pauseReason === undefined ? {} : { pauseReason: run.pauseReason }),
    ...(run.cancelReason === undefined ? {} : { cancelReason: run.cancelReason }),
    pendingSignals: [...(run.pendingSignals ?? [])],
    stepsInProgress: (run.stepsInProgress ?? []).map(stepToWire),
    ...(run.parent === undefined ? {} : { parent: run.parent }),
    generation: run.generation,
    children: [...(run.children ?? [])],
    locks: (run.locks ?? []).map(lockOfRunToWire),
    attributes: attributesToWire(run.attributes),
    initialAttributes: attributesToWire(run.initialAttributes ?? {}),
    ...(run.seed === undefined ? {} : { seed: new Uint8Array(Buffer.from(run.seed, "base64")) }),
    ...traceToWire(run.trace),
    behaviourLevel: run.behaviourLevel ?? 0,
    ...queueOfRunToWire(run.queue),
  };
}

/** The run of a message, as a list has it. Throws REQUEST_INVALID for a run without a status. */
export function summaryFromWire(run: Run): RunSummary {
  const status = statusFromWire(run.status);
  if (status === undefined)
    throw new NodeError(
      "REQUEST_INVALID",
      `Run ${run.runId} came without a status. Check that client and node are of one version.`,
    );
  return {
    runId: run.runId,
    workflowType: run.workflowType,
    version: run.version,
    status,
    owner: safeNumber(run.ownerNodeId, "owner_node_id"),
    epoch: safeNumber(run.epoch, "epoch"),
    takeovers: run.takeovers,
    startedAtMs: safeNumber(run.startedAtMs, "started_at_ms"),
    startsAtMs: run.startsAtMs === undefined ? undefined : safeNumber(run.startsAtMs, "starts_at_ms"),
    endedAtMs: run.endedAtMs === undefined ? undefined : safeNumber(run.endedAtMs, "ended_at_ms"),
    recordCount: run.recordCount,
    error: run.failure === undefined ? undefined : failureFromWire(run.failure),
    stuckReason: run.stuckReason,
    stuckDetail: run.stuckDetail,
    pauseReason: run.pauseReason,
    cancelReason: run.cancelReason,
    parent: run.parent === undefined ? undefined : { runId: run.parent.runId, path: run.parent.path },
    // A node of an earlier version says none.
    generation: Math.max(1, run.generation),
    attributes: attributesFromWire(run.attributes),
    queue: queueOfRunFromWire(run.queue),
  };
}

/** A count as a message. */
export function countToWire({ workflowType, status, runs }: RunCount): MessageInitShape<typeof RunCountSchema> {
  return { workflowType, status: statusToWire(status), runs: BigInt(runs) };
}

/** The count of a message. Throws REQUEST_INVALID for a count without a status. */
export function countFromWire({ workflowType, status: wire, runs }: WireCount): RunCount {
  const status = statusFromWire(wire);
  if (status === undefined) throw lacking("the status of a count");
  return { workflowType, status, runs: safeNumber(runs, "runs") };
}

/** The run of an answer. Throws REQUEST_INVALID when the answer has none. */
export function descriptionFromWire(run: Run | undefined): RunDescription {
  if (run === undefined) throw lacking("a run");
  const seed = Buffer.from(run.seed).toString("base64");
  const stepsInProgress = run.stepsInProgress.map(stepFromWire);
  const children = run.children.map(({ runId, workflowType, path }) => ({ runId, workflowType, path }));
  return {
    ...summaryFromWire(run),
    pendingSignals: run.pendingSignals,
    stepsInProgress,
    children,
    locks: run.locks.map(lockOfRunFromWire),
    seed,
    initialAttributes: attributesFromWire(run.initialAttributes),
    trace: traceFromWire(run.trace),
    behaviourLevel: run.behaviourLevel,
  };
}

function stepToWire(step: StepInProgress): MessageInitShape<typeof StepInProgressSchema> {
  return {
    path: step.path,
    failedAttempts: step.failedAttempts,
    ...(step.error === undefined ? {} : { failure: failureToWire(step.error) }),
    ...(step.nextAttemptAtMs === undefined ? {} : { nextAttemptAtMs: BigInt(step.nextAttemptAtMs) }),
    beganAtMs: BigInt(step.beganAtMs),
    heartbeat: step.heartbeat.bytes,
  };
}

function stepFromWire(step: WireStep): StepInProgress {
  const { path, failedAttempts, failure, nextAttemptAtMs, beganAtMs, heartbeat } = step;
  return {
    path,
    failedAttempts,
    error: failure === undefined ? undefined : failureFromWire(failure),
    nextAttemptAtMs: nextAttemptAtMs === undefined ? undefined : safeNumber(nextAttemptAtMs, "next_attempt_at_ms"),
    beganAtMs: safeNumber(beganAtMs, "began_at_ms"),
    heartbeat: Payload.ofBytes(heartbeat, `the heartbeat of step ${path}`),
  };
}

/** What a run waits for, as a message. */
export function pendingToWire({ kind, path, untilMs, step }: PendingCall): MessageInitShape<typeof PendingCallSchema> {
  return {
    kind,
    path,
    // A sleep may end at a fraction of a millisecond.
    ...(untilMs === undefined ? {} : { untilMs: BigInt(Math.ceil(untilMs)) }),
    ...(step === undefined ? {} : { step: stepToWire(step) }),
  };
}

/** What a run waits for, of a message. Throws as {@link safeNumber} does. */
export function pendingFromWire({ kind, path, untilMs, step }: WirePending): PendingCall {
  return {
    kind,
    path,
    untilMs: untilMs === undefined ? undefined : safeNumber(untilMs, "until_ms"),
    step: step === undefined ? undefined : stepFromWire(step),
  };
}

/** An ended run as a message. */
export function outcomeToWire(ended: EndedRun): MessageInitShape<typeof OutcomeSchema> {
  return {
    status: statusToWire(ended.status),
    workflowType: ended.workflowType,
    endedAtMs: BigInt(ended.endedAtMs),
    ...(ended.status === "completed" ? { result: ended.result.bytes } : {}),
    ...(ended.status === "failed" ? { failure: failureToWire(ended.error) } : {}),
    ...(ended.status === "cancelled" ? { cancelReason: ended.reason } : {}),
  };
}

/** The ended run of a message. Throws REQUEST_INVALID when it has not ended, or failed without a failure. */
export function outcomeFromWire(runId: string, outcome: Outcome): EndedRun {
  const { workflowType, failure } = outcome;
  const common = { runId, workflowType, endedAtMs: safeNumber(outcome.endedAtMs, "ended_at_ms") };
  switch (statusFromWire(outcome.status)) {
    case "completed":
      return { ...common, status: "completed", result: Payload.ofBytes(outcome.result, `the result of run ${runId}`) };
    case "failed":
      if (failure === undefined) throw lacking("the failure of a failed run");
      return { ...common, status: "failed", error: failureFromWire(failure) };
    case "cancelled":
      return { ...common, status: "cancelled", reason: outcome.cancelReason };
    default:
      throw lacking("the outcome of a run");
  }
}

/** A record as a message. */
export function recordToWire(record: HistoryRecord): MessageInitShape<typeof HistoryRecordSchema> {
  return {
    path: record.path,
    kind: record.kind,
    value: record.value.bytes,
    recordedAtMs: BigInt(record.recordedAtMs),
    epoch: BigInt(record.epoch),
    position: record.position,
  };
}

/** The record of a message. Throws as {@link safeNumber} does. */
export function recordFromWire({ path, kind, position, value, recordedAtMs, epoch }: WireRecord): HistoryRecord {
  return {
    path,
    kind,
    value: Payload.ofBytes(value, `record ${path}`),
    recordedAtMs: safeNumber(recordedAtMs, "recorded_at_ms"),
    epoch: safeNumber(epoch, "epoch"),
    position,
  };
}

function lacking(what: string): NodeError {
  return new NodeError("REQUEST_INVALID", `The node answered without ${what}; it may be of another version.`);
}
