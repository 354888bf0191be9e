/**
 * Runs as the API shows them: plain data, except for payloads, which are decoded when their value is asked for.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { AttributeValues, RecordedError, TraceContext } from "@raftoral/workflow";
import type { LockOfRun } from "./locks/locks.ts";
import type { Payload } from "./payloads/payload.ts";
import type { QueueOfRun } from "./queues/queues.ts";

/**
 * `running` until the run has ended as `completed`, `failed` or `cancelled`; it leaves `failed` and `cancelled` only
 * when somebody retries it. `stuck` and `paused` runs have not ended either: no node executes them until somebody resumes or cancels them. A
 * `delayed` run is not to begin yet, and a `queued` one waits in a queue until it is let through.
 */
export type RunStatus = "running" | "stuck" | "paused" | "delayed" | "queued" | "completed" | "failed" | "cancelled";

/** Every {@link RunStatus}. */
export const RUN_STATUSES: readonly RunStatus[] = Object.freeze([
  "running",
  "stuck",
  "paused",
  "delayed",
  "queued",
  "completed",
  "failed",
  "cancelled",
]);

/** Whether a run of this status has ended. It goes on only when somebody retries it. */
export function hasEnded(status: RunStatus): status is EndedRun["status"] {
  return status === "completed" || status === "failed" || status === "cancelled";
}

/** An error as it was recorded: the same on every node and from every client. */
export type RecordedFailure = RecordedError;

/** A run as it appears in a list. */
export interface RunSummary {
  readonly runId: string;
  readonly workflowType: string;
  readonly version: number;
  readonly status: RunStatus;
  /** The node that executes the run, or that ended it. 0 while no live node can execute it, and while it is stuck, paused, delayed or queued. */
  readonly owner: NodeId;
  /** The number of the present ownership, which `ctx.fencingToken` hands out. It grows with every takeover, over all runs of the cluster. */
  readonly epoch: number;
  /** How often the run went to another owner, or to the same one in a new process. */
  readonly takeovers: number;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** When a `delayed` run begins: milliseconds since the epoch. Undefined for every other. */
  readonly startsAtMs: number | undefined;
  /** Milliseconds since the epoch; undefined while the run has not ended. */
  readonly endedAtMs: number | undefined;
  /** Records of the run's history. In a list at most 1,000 of each run are counted. */
  readonly recordCount: number;
  /** Why a run failed; undefined for every other. In a list, name, code and the beginning of the message. */
  readonly error: RecordedFailure | undefined;
  /**
   * Why the run is stuck; undefined for every other. `owner-losses`: the processes that executed it ended one after the other, without a new record. `code-mismatch`: no live node has code that fits the run's history. Later
   * versions have more.
   */
  readonly stuckReason: string | undefined;
  /** What the run is stuck at, in words, for `code-mismatch`: the call, what the code asks for, and what the history has. */
  readonly stuckDetail: string | undefined;
  /** Why somebody asked to pause the run; undefined without a request. A `running` run with a reason is about to pause: its owner lets steps under way finish. */
  readonly pauseReason: string | undefined;
  /** Why somebody asked to cancel the run, however it ended then; undefined when no cancellation was asked for. */
  readonly cancelReason: string | undefined;
  /** The run that started it as its child, and the path of the call; undefined for a run that was started from outside. */
  readonly parent: { readonly runId: string; readonly path: string } | undefined;
  /** From 1; one more each time the run has continued as new. */
  readonly generation: number;
  /** What the run is found by: from its start, and from what its body has set. */
  readonly attributes: AttributeValues;
  /** Its queue, and what it waits for there; undefined for a run that was started in none. */
  readonly queue: QueueOfRun | undefined;
}

/** A running child of a run. */
export interface ChildRun {
  readonly runId: string;
  readonly workflowType: string;
  /** The path of the call that started it. */
  readonly path: string;
}

/** How far a step has come that has no record yet. */
export interface StepInProgress {
  /** The step's place in the run, as in {@link HistoryRecord}. */
  readonly path: string;
  /** Over all owners of the run. */
  readonly failedAttempts: number;
  /** What the last of them failed of; undefined while none has failed. */
  readonly error: RecordedFailure | undefined;
  /** When the next attempt is due, or was: milliseconds since the epoch. Undefined while none has failed. */
  readonly nextAttemptAtMs: number | undefined;
  /** When the first attempt began: milliseconds since the epoch. */
  readonly beganAtMs: number;
  /** What the last heartbeat said. */
  readonly heartbeat: Payload;
}

/** An open call of a run's body: what the run waits for. */
export interface PendingCall {
  /** `step`, `sleep`, `signal`, `child`, `token`, `lock` or `condition`; later versions may have more. */
  readonly kind: string;
  /** The call's place in the run, as in {@link HistoryRecord}; empty for a condition, which has none. */
  readonly path: string;
  /** When it is over by itself: milliseconds since the epoch. Undefined when it waits as long as it takes. */
  readonly untilMs: number | undefined;
  /** How far a step has come that has failed an attempt or given heartbeat details; undefined for every other call. */
  readonly step: StepInProgress | undefined;
}

/** Everything about a run that is not payload or history. */
export interface RunDescription extends RunSummary {
  /** Names of the signals that the run has not asked for yet, oldest first. */
  readonly pendingSignals: readonly string[];
  /** At most 100 steps without a record that have failed an attempt or given heartbeat details, in no order. */
  readonly stepsInProgress: readonly StepInProgress[];
  /** At most 100 of its running children, in the order of their start. */
  readonly children: readonly ChildRun[];
  /** Locks that it holds or waits for, and who holds those, by path. */
  readonly locks: readonly LockOfRun[];
  /** What `ctx.random` and `ctx.uuid` follow from: 16 bytes in base64. */
  readonly seed: string;
  /** What the run's attributes were when its present generation began. */
  readonly initialAttributes: AttributeValues;
  /** The place in a distributed trace that the run was started from; undefined without one. */
  readonly trace: TraceContext | undefined;
  /**
   * Numbered behaviours of the engine that the run has: those from 1 to this one, which all registered nodes had when it began. A node of an earlier release does not execute the
   * run.
   */
  readonly behaviourLevel: number;
}

/** How a run ended. */
export type EndedRun = {
  readonly runId: string;
  readonly workflowType: string;
  /** Milliseconds since the epoch. */
  readonly endedAtMs: number;
} & (
  | { readonly status: "completed"; readonly result: Payload }
  | { readonly status: "failed"; readonly error: RecordedFailure }
  | { readonly status: "cancelled"; readonly reason: string }
);

/** The committed answer of one context call. */
export interface HistoryRecord {
  /** The call's place in the run: enclosing scopes, name and occurrence, as in `ship/label#1`. */
  readonly path: string;
  /** `step`, `step-failed`, `variable`, `sleep`, `wait-deadline`, `now`, `signal`, `signal-timeout` or `parsed`; later versions have more. */
  readonly kind: string;
  readonly value: Payload;
  /** Milliseconds since the epoch. */
  readonly recordedAtMs: number;
  /** Under which ownership of the run the record was made. */
  readonly epoch: number;
  /** The record's place among all records. Opaque: no other record has it, and it is the same on every node. */
  readonly position: string;
}

/** How many runs of a type have a status. */
export interface RunCount {
  readonly workflowType: string;
  readonly status: RunStatus;
  readonly runs: number;
}

/** One page of a list of runs. */
export interface RunPage {
  /** May be fewer than the page size, and none, also where a further page follows: the work for one page is bounded. */
  readonly runs: readonly RunSummary[];
  /** Gives the next page; undefined on the last one. Opaque, and of use to the same list alone. */
  readonly nextPageToken: string | undefined;
}

/** One page of a history. */
export interface HistoryPage {
  /** In the order in which they were committed. */
  readonly records: readonly HistoryRecord[];
  /** Gives the next page; undefined on the last one. Opaque, and of use to the same history alone. */
  readonly nextPageToken: string | undefined;
}
