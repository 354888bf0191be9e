/** What happened to the replicated state, as observers on any node see it, in log order. Structured-cloneable. */
import type { LogIndex, NodeId } from "@raftoral/raft-core";
import type { Attributes } from "../model/attributes.ts";
import type { RecordedError } from "../model/failure.ts";
import type { RecordKind, RecordPosition } from "../model/record.ts";
import type { CallOrigin } from "../model/runs/call-chain.ts";
import type { Epoch, OwnerReason } from "../model/runs/ownership.ts";
import type { BehaviourLevel } from "../model/runs/run-needs.ts";
import type { RunOutcome } from "../model/runs/run-outcome.ts";
import type { CodeMismatch, TroubleReason } from "../model/runs/stuck-reason.ts";
import type { TraceContext } from "../model/trace-context.ts";
import type { OpenUpdate, UpdateVerdict } from "../model/update.ts";
import type { NodeStatus } from "../nodes/node-record.ts";
import type { LockBucket } from "./locks/lock-records.ts";
import type { LockNews } from "./locks/lock-table.ts";
import type { AuditEntry } from "./operators/audit-log.ts";

/** Where in the log, and at what time of the log clock (ms since the epoch), it happened. */
interface At {
  readonly index: LogIndex;
  readonly atMs: number;
}

/** A run exists. `owner` is 0 while no live node can execute it. */
export interface RunStarted extends At {
  readonly type: "run-started";
  readonly runId: string;
  readonly workflowType: string;
  readonly version: number;
  readonly input: Uint8Array;
  readonly seed: Uint8Array;
  readonly initialAttributes: Attributes;
  readonly owner: NodeId;
  readonly epoch: Epoch;
  /** When its time is over, in ms since the epoch; 0 for a run without a limit. */
  readonly deadlineAtMs: number;
  /** The place in a trace that it belongs to; undefined for a start without one. */
  readonly trace: TraceContext | undefined;
  /** Behaviours of the engine that its replays have. */
  readonly behaviourLevel: BehaviourLevel;
  /** What its calls follow from, where it is a child that a handler has started. */
  readonly calledBy: CallOrigin | undefined;
  /** When it is to begin, in ms since the epoch; 0: it has begun. */
  readonly startAtMs: number;
}

/** A run has another generation: its history is empty, and its input another one. */
export interface RunContinued extends At {
  readonly type: "run-continued";
  readonly runId: string;
  readonly workflowType: string;
  readonly version: number;
  readonly generation: number;
  /** Place of the start of the first generation. */
  readonly family: LogIndex;
  readonly deadlineAtMs: number;
  readonly trace: TraceContext | undefined;
  readonly behaviourLevel: BehaviourLevel;
  /** What its calls follow from, where it is a child that a handler has started. */
  readonly calledBy: CallOrigin | undefined;
  readonly input: Uint8Array;
  readonly seed: Uint8Array;
  /** What its attributes are as this generation begins. */
  readonly initialAttributes: Attributes;
  readonly owner: NodeId;
  readonly epoch: Epoch;
  readonly cancelReason: string | undefined;
  /** Names of signals that wait for it, oldest first. */
  readonly signals: readonly string[];
  /** Updates that are not answered, in the order in which they came. */
  readonly updates: readonly OpenUpdate[];
}

/** A step (or wait, variable, ...) of a run is committed: it will not run again. */
export interface RecordCommitted extends At {
  readonly type: "record-committed";
  readonly runId: string;
  readonly workflowType: string;
  readonly path: string;
  /** The record's place among all records. */
  readonly position: RecordPosition;
  readonly kind: RecordKind;
  readonly value: Uint8Array;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

/** An attempt of a step failed, and another one follows. */
export interface AttemptFailed extends At {
  readonly type: "attempt-failed";
  readonly runId: string;
  readonly workflowType: string;
  readonly path: string;
  /** Attempts that have failed, over all owners. */
  readonly attempts: number;
  /** What the last of them failed of. */
  readonly error: RecordedError | undefined;
  /** When the next attempt is due, in ms since the epoch. */
  readonly nextAtMs: number;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

/** A run has another owner, or the same one in another process (reason `restart`). `to` is 0 when no node can take it. */
export interface OwnerChanged extends At {
  readonly type: "owner-changed";
  readonly runId: string;
  readonly workflowType: string;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly epoch: Epoch;
  readonly reason: OwnerReason;
  /** Place of the start of the run's first generation. */
  readonly family: LogIndex;
  /** When its time is over, in ms since the epoch; 0 for a run without a limit. */
  readonly deadlineAtMs: number;
  /** Owners that the run has lost in a row (model/runs/owner-losses.ts). */
  readonly ownerLosses: number;
  /** Why somebody asked to cancel it; undefined without a request. */
  readonly cancelReason: string | undefined;
}

/** No node executes the run until somebody resumes it. Follows its `owner-changed`. */
export interface RunStuck extends At {
  readonly type: "run-stuck";
  readonly runId: string;
  readonly workflowType: string;
  readonly reason: TroubleReason;
  /** Where code and history differ, for `code-mismatch`. */
  readonly mismatch: CodeMismatch | undefined;
  /** Who executed it last. */
  readonly lastOwner: NodeId;
}

/** A run got a signal. */
export interface SignalBuffered extends At {
  readonly type: "signal-buffered";
  readonly runId: string;
  readonly workflowType: string;
  readonly name: string;
  readonly payload: Uint8Array;
}

/** Somebody asks for an update of a run. */
export interface UpdateRequested extends At {
  readonly type: "update-requested";
  readonly runId: string;
  readonly update: OpenUpdate;
}

/** The owner of a run has accepted, refused or answered an update. */
export interface UpdateAnswered extends At {
  readonly type: "update-answered";
  readonly runId: string;
  readonly workflowType: string;
  readonly updateId: string;
  /** The update's name. */
  readonly name: string;
  readonly verdict: UpdateVerdict;
  /** Why it is refused, what it is answered with, or what it failed of. Empty for one that is accepted. */
  readonly value: Uint8Array;
}

/** A stream of a run has more chunks, or has ended. */
export interface StreamAppended extends At {
  readonly type: "stream-appended";
  readonly runId: string;
  readonly workflowType: string;
  readonly stream: string;
  /** Offset of the chunk that will follow. */
  readonly nextOffset: number;
  readonly hasEnded: boolean;
}

/** A cancellation of a run was asked for. */
export interface CancelRequested extends At {
  readonly type: "cancel-requested";
  readonly runId: string;
  readonly workflowType: string;
  readonly reason: string;
}

/** Somebody has asked to pause a run; its owner is to hold still. Once it does, the run is on no node (`owner-changed`). */
export interface PauseRequested extends At {
  readonly type: "pause-requested";
  readonly runId: string;
  readonly workflowType: string;
  readonly reason: string;
}

/** A run that had failed, or was cancelled, goes on. Its `owner-changed` follows. */
export interface RunRetried extends At {
  readonly type: "run-retried";
  readonly runId: string;
  readonly workflowType: string;
  /** Path of the first record that does not count any more; empty when all do. */
  readonly from: string;
  readonly reason: string;
}

/** A run exists that has the first part of another one's record. Its `owner-changed` follows. */
export interface RunForked extends At {
  readonly type: "run-forked";
  readonly runId: string;
  readonly workflowType: string;
  /** Id of the other run. */
  readonly source: string;
  /** Path of the first record that the fork has not; empty when it has all. */
  readonly from: string;
  readonly reason: string;
}

/** A run completed, failed or was cancelled. */
export interface RunEnded extends At {
  readonly type: "run-ended";
  readonly runId: string;
  readonly workflowType: string;
  readonly outcome: RunOutcome;
  readonly owner: NodeId;
  readonly epoch: Epoch;
  /** Whether another run started it, and is to hear of its end. */
  readonly isChild: boolean;
  /** Whether runs that it started are running still, and are to hear of its end. */
  readonly leavesChildren: boolean;
  /** Whether a schedule has started it. */
  readonly isScheduled: boolean;
}

/** A node has registered, drains, was lost or was forgotten. */
export interface NodeChanged extends At {
  readonly type: "node-changed";
  readonly nodeId: NodeId;
  readonly incarnation: string;
  readonly status: NodeStatus | "forgotten";
  /** All ownerships of this node up to this epoch are over. */
  readonly epoch: Epoch;
}

/** Something has happened to a queue that the leader looks after (runtime/queues/queue-duties.ts). */
export interface QueueChanged extends At {
  readonly type: "queue-changed";
  readonly queueId: number;
  /** Whether runs may be let through that no command has let through yet. */
  readonly isDue: boolean;
  /** Runs that were let through so far, and how many of them no window of the rate counts any more. */
  readonly admitted: number;
  readonly expired: number;
  /** The time of the rate, in ms; 0 without one. */
  readonly ratePeriodMs: number;
  /** Whether runs wait for the window alone. */
  readonly isRateClosed: boolean;
  /** When the first of all delayed runs is due, in ms of the log clock; undefined when none is delayed. */
  readonly nextDueAtMs: number | undefined;
}

/** Something has happened to an ask for a lock. */
export interface LockChanged extends At, LockNews {
  readonly type: "lock-changed";
}

/** Something has happened to a limiter, or locks are due: for the leader (runtime/locks/lock-duties.ts). */
export interface LocksTold extends At {
  readonly type: "locks-told";
  /** Whether asks may be granted that no command has granted yet. */
  readonly isDue: boolean;
  readonly buckets: readonly LockBucket[];
}

/** Finished runs were dropped. */
export interface RunsPruned extends At {
  readonly type: "runs-pruned";
  readonly runIds: readonly string[];
}

/** There is something else to do for a schedule than before, or at another time. */
export interface ScheduleChanged extends At {
  readonly type: "schedule-changed";
  readonly scheduleId: string;
}

/** Nothing of a workflow type is executed any more, or is again. */
export interface TypePaused extends At {
  readonly type: "type-paused";
  readonly workflowType: string;
  readonly isPaused: boolean;
  readonly reason: string;
}

/** An operator has done something: an entry of the audit. */
export interface OperatorActed extends AuditEntry {
  readonly type: "operator-acted";
}

/** The whole state was replaced by a snapshot's: whatever was derived from earlier events must be looked up again. */
export interface StateRestored {
  readonly type: "state-restored";
  /** The place in the log of what the state holds now. */
  readonly index: LogIndex;
}

/** An event of the replicated state. */
export type WorkflowEvent =
  | RunStarted
  | RunContinued
  | RecordCommitted
  | AttemptFailed
  | OwnerChanged
  | RunStuck
  | SignalBuffered
  | UpdateRequested
  | UpdateAnswered
  | StreamAppended
  | CancelRequested
  | PauseRequested
  | RunRetried
  | RunForked
  | RunEnded
  | NodeChanged
  | QueueChanged
  | LockChanged
  | LocksTold
  | RunsPruned
  | ScheduleChanged
  | TypePaused
  | OperatorActed
  | StateRestored;
