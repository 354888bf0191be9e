/** Events of the cluster's runs as readers see them: what happened, in the order of the log. */
import { type NodeId, RaftError } from "@raftoral/raft-core";
import { type CallLimit, callAborted, type ReadOptions } from "./call-options.ts";
import type { Payload } from "./payloads/payload.ts";
import type { RecordedFailure } from "./runs.ts";

/** What every event has. */
interface Placed {
  /** The event's place among all events, the same on every node. Opaque; `after` of {@link EventOptions} goes on from it. */
  readonly position: string;
  /** When it happened, in milliseconds since the epoch: the cluster's clock, which never goes back. */
  readonly atMs: number;
}

/** What every event of a run has. */
interface OfRun extends Placed {
  readonly runId: string;
  readonly workflowType: string;
}

/** A run exists. */
export interface RunStartedEvent extends OfRun {
  readonly type: "run-started";
  readonly version: number;
  /** 0 while no live node can execute it. */
  readonly owner: NodeId;
  readonly epoch: number;
  /** When values are asked for. */
  readonly input?: Payload;
}

/** A run has begun another generation (`ctx.continueAsNew`). */
export interface RunContinuedEvent extends OfRun {
  readonly type: "run-continued";
  readonly version: number;
  readonly generation: number;
  readonly owner: NodeId;
  readonly epoch: number;
  /** When values are asked for. */
  readonly input?: Payload;
}

/** The answer of a context call is in the history: a step's, a wait's, a variable's, ... */
export interface RecordCommittedEvent extends OfRun {
  readonly type: "record-committed";
  /** As in a history. */
  readonly path: string;
  readonly kind: string;
  readonly owner: NodeId;
  readonly epoch: number;
  /** When values are asked for. */
  readonly value?: Payload;
}

/** An attempt of a step failed, and another one follows. */
export interface AttemptFailedEvent extends OfRun {
  readonly type: "attempt-failed";
  readonly path: string;
  /** Over all owners of the run. */
  readonly failedAttempts: number;
  readonly error: RecordedFailure | undefined;
  /** When the next attempt is due, in milliseconds since the epoch. */
  readonly nextAttemptAtMs: number;
}

/** A run has another owner, or the same node in a new process. */
export interface OwnerChangedEvent extends OfRun {
  readonly type: "owner-changed";
  /** 0: no owner. */
  readonly from: NodeId;
  readonly to: NodeId;
  readonly epoch: number;
  /** `start`, `node-lost`, `drain`, `restart`, `adoption`, ... */
  readonly reason: string;
}

/** No node executes the run until somebody resumes it. */
export interface RunStuckEvent extends OfRun {
  readonly type: "run-stuck";
  readonly reason: string;
}

/** A run got a signal. */
export interface SignalBufferedEvent extends OfRun {
  readonly type: "signal-buffered";
  readonly name: string;
  /** When values are asked for. */
  readonly payload?: Payload;
}

/** A run has accepted an update, or a call of the object that it is: it is executed whatever dies from now on. */
export interface UpdateAcceptedEvent extends OfRun {
  readonly type: "update-accepted";
  /** The update's name: for an object the handler's, or one of its own (`object:send`, `object:delete`, `object:renew`). */
  readonly name: string;
  /** The id that its caller gave it. */
  readonly id: string;
}

/** A run has answered an update, or has refused it. */
export interface UpdateAnsweredEvent extends OfRun {
  readonly type: "update-answered";
  readonly name: string;
  readonly id: string;
  /** `failed`: its handler threw. `refused`: it was not accepted, and nothing of it is recorded. */
  readonly status: "completed" | "failed" | "refused";
  /** Of a completed update, when values are asked for. */
  readonly answer?: Payload;
  /** Of a failed update what the handler threw, of a refused one why. */
  readonly error?: RecordedFailure;
}

/** A stream of a run has more chunks, or has ended. */
export interface StreamAppendedEvent extends OfRun {
  readonly type: "stream-appended";
  readonly stream: string;
  /** Offset of the chunk that will follow. */
  readonly nextOffset: number;
  readonly hasEnded: boolean;
}

/** A run was asked to cancel. */
export interface CancelRequestedEvent extends OfRun {
  readonly type: "cancel-requested";
  readonly reason: string;
}

/** A run was asked to pause. Once its owner holds still, it has no owner. */
export interface PauseRequestedEvent extends OfRun {
  readonly type: "pause-requested";
  readonly reason: string;
}

/** A run that had failed, or was cancelled, goes on. */
export interface RunRetriedEvent extends OfRun {
  readonly type: "run-retried";
  /** Path of the first record that does not count any more; empty when all do. */
  readonly from: string;
  readonly reason: string;
}

/** A run exists that has the first part of another one's record. */
export interface RunForkedEvent extends OfRun {
  readonly type: "run-forked";
  /** Id of the other run. */
  readonly source: string;
  /** Path of the first record that the fork has not; empty when it has all. */
  readonly from: string;
  readonly reason: string;
}

/** A run has ended. */
export interface RunEndedEvent extends OfRun {
  readonly type: "run-ended";
  readonly status: "completed" | "failed" | "cancelled";
  /** Of a completed run, when values are asked for. */
  readonly result?: Payload;
  /** Of a failed run. */
  readonly error?: RecordedFailure;
  /** Of a cancelled run. */
  readonly reason?: string;
}

/** Runs that ended long ago were dropped. */
export interface RunsPrunedEvent extends Placed {
  readonly type: "runs-pruned";
  readonly runIds: readonly string[];
}

/** An operator has done something: an entry of the audit. */
export interface OperatorActedEvent extends Placed {
  readonly type: "operator-acted";
  readonly by: string;
  readonly action: string;
  /** A run's id, a workflow type, a node's id. */
  readonly subject: string;
  readonly detail: string;
  readonly reason: string;
}

/** A node has registered, drains, was lost or was forgotten. */
export interface NodeChangedEvent extends Placed {
  readonly type: "node-changed";
  readonly nodeId: NodeId;
  readonly status: "live" | "draining" | "lost" | "forgotten";
}

/**
 * Events are missing before the next one: the reader was too slow, or goes on from a position that is too old, or the node was not running when they happened. Look
 * up what matters (`describe`, `list`), and go on.
 */
export interface EventsMissedEvent extends Placed {
  readonly type: "events-missed";
}

/** Anything that happened. */
export type ClusterRunEvent =
  | RunStartedEvent
  | RunContinuedEvent
  | RecordCommittedEvent
  | AttemptFailedEvent
  | OwnerChangedEvent
  | RunStuckEvent
  | SignalBufferedEvent
  | UpdateAcceptedEvent
  | UpdateAnsweredEvent
  | StreamAppendedEvent
  | CancelRequestedEvent
  | PauseRequestedEvent
  | RunRetriedEvent
  | RunForkedEvent
  | RunEndedEvent
  | RunsPrunedEvent
  | NodeChangedEvent
  | OperatorActedEvent
  | EventsMissedEvent;

/** The type of an event. */
export type ClusterRunEventType = ClusterRunEvent["type"];

/** Every type of an event, but that of the notice that events are missing, which always comes. */
export const EVENT_TYPES: readonly Exclude<ClusterRunEventType, "events-missed">[] = Object.freeze([
  "run-started",
  "run-continued",
  "record-committed",
  "attempt-failed",
  "owner-changed",
  "run-stuck",
  "signal-buffered",
  "update-accepted",
  "update-answered",
  "stream-appended",
  "cancel-requested",
  "pause-requested",
  "run-retried",
  "run-forked",
  "run-ended",
  "runs-pruned",
  "node-changed",
  "operator-acted",
]);

/** Which events to read. Every condition given must hold. */
export interface EventFilter {
  readonly types?: readonly Exclude<ClusterRunEventType, "events-missed">[];
  readonly runId?: string;
  readonly workflowType?: string;
}

/** Which events to read, from where, and how. */
export interface EventOptions extends EventFilter, ReadOptions {
  /** Position of an event: what follows it is read. What happens from now on by default. */
  readonly after?: string;
  /** Where to begin without `after`: at the oldest event that the node keeps, or with what happens from now on ("now"). */
  readonly from?: "oldest" | "now";
  /** Whether inputs, results, payloads of signals, answers to updates and values of records come along (false). */
  readonly values?: boolean;
  /** Whether to wait for further events (true). Otherwise the events that are there now are given. */
  readonly follow?: boolean;
}

/** A checked read of events. */
export interface EventRequest extends EventFilter {
  readonly after: string | undefined;
  readonly from: "oldest" | "now";
  readonly values: boolean;
  readonly follow: boolean;
}

/** Events in their order. */
export interface EventPage {
  readonly events: readonly ClusterRunEvent[];
  /** Where to read on: it may be beyond the last event, for others were left out. */
  readonly next: string;
}

/** Why a read of events ends: its signal aborted, or its time is over. */
export function eventReadOver({ timeoutMs, signal }: CallLimit): Error {
  if (signal?.aborted === true) return callAborted(signal, "Reading events", "read");
  return new RaftError(
    "DEADLINE_EXCEEDED",
    `Reading events took longer than ${timeoutMs} ms. Read on after the last position.`,
    { retryable: true, details: { timeoutMs } },
  );
}
