/**
 * What can be asked of the replicated workflow state, as domain types.
 *
 * Role: plain, structured-cloneable data. Generated protobuf types never leave `command-codec.ts` and its tests.
 * Every command carries the proposer's wall time in milliseconds, from which the state keeps its log clock. A command on
 * behalf of a run's owner carries (owner, epoch), and is refused once the run has another.
 */
import type { NodeId } from "@raftoral/raft-core";

/** Fences owners: grows with every change of a run's owner, over all runs of a cluster. 0 stands for "none". */
export type Epoch = number;

/** Asks for a run. The same id again is the same run (see WORKFLOW_ID_CONFLICT in docs/errors.md). */
export interface WorkflowStart {
  readonly kind: "WorkflowStart";
  readonly runId: string;
  readonly workflowType: string;
  /** 0: the newest version that any node has registered. */
  readonly version: number;
  /** JSON as UTF-8; empty stands for undefined. */
  readonly input: Uint8Array;
  /** The node that asks; it becomes the owner if it can execute the type. */
  readonly owner: NodeId;
  readonly atMs: number;
  /** Decides `ctx.random` and `ctx.uuid`. Empty: derived from the id and the place in the log. */
  readonly seed: Uint8Array;
  /** Equal for inputs of equal value, however their JSON is written. Absent or empty: the inputs are compared byte by byte. */
  readonly inputDigest?: Uint8Array;
  /** Whether a run that exists must be of this version, too. */
  readonly isPinned?: boolean;
}

/** An error as it is recorded, and shown alike on every node. */
export interface RecordedError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  /** What led to it. */
  readonly cause?: RecordedError;
  /** The errors of an AggregateError. */
  readonly errors?: readonly RecordedError[];
}

/** How a run ended. */
export type RunOutcome =
  | { readonly status: "completed"; readonly result: Uint8Array }
  | { readonly status: "failed"; readonly error: RecordedError }
  | { readonly status: "cancelled"; readonly reason: string };

/** Ends a run. */
export interface WorkflowEnd {
  readonly kind: "WorkflowEnd";
  readonly runId: string;
  readonly outcome: RunOutcome;
  readonly atMs: number;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

/**
 * What a record is of. step: a step's value. step-failed: that it failed for good, and how. variable: an initial or a new value.
 * variable-failed: that the function which gives the value failed, and how. sleep and wait-deadline: a wall time in ms. now: nothing but its own
 * time, also of a sleep's end. signal: a payload received. signal-timeout: that none came in time.
 */
export type RecordKind =
  | "step"
  | "step-failed"
  | "variable"
  | "sleep"
  | "wait-deadline"
  | "now"
  | "signal"
  | "signal-timeout"
  | "variable-failed";

/** Records what happened at one path of a run. The first one at a path stands; later ones are answered with it. */
export interface Checkpoint {
  readonly kind: "Checkpoint";
  readonly runId: string;
  /** The path: enclosing scopes, name, occurrence, e.g. `ship/label#1`. */
  readonly path: string;
  readonly value: Uint8Array;
  readonly atMs: number;
  readonly owner: NodeId;
  readonly epoch: Epoch;
  readonly recordKind: RecordKind;
}

/** Reasons that a command can name; the state knows more of them. */
export type OwnerChangeCause = "node-failure" | "load-balancing";

/** Moves one run to another node. */
export interface OwnerChange {
  readonly kind: "OwnerChange";
  readonly runId: string;
  readonly oldOwner: NodeId;
  readonly newOwner: NodeId;
  readonly reason: OwnerChangeCause;
  readonly atMs: number;
  /** 0: whatever epoch `oldOwner` has. */
  readonly epoch: Epoch;
}

/** A message for a run, kept until the run waits for it. The same signal id again is taken once. */
export interface Signal {
  readonly kind: "Signal";
  readonly runId: string;
  readonly name: string;
  readonly payload: Uint8Array;
  readonly signalId: string;
  readonly atMs: number;
}

/** Takes the oldest buffered signal of a name and records it at `key`; with `timedOut`, records that there was none. */
export interface SignalReceive {
  readonly kind: "SignalReceive";
  readonly runId: string;
  readonly path: string;
  readonly name: string;
  readonly timedOut: boolean;
  readonly atMs: number;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

/** Asks the owner to stop a run. A run without an owner is cancelled at once. */
export interface Cancel {
  readonly kind: "Cancel";
  readonly runId: string;
  readonly reason: string;
  readonly atMs: number;
}

export interface TypeVersion {
  readonly type: string;
  readonly version: number;
}

/** A process of a node is ready to execute these types. */
export interface NodeRegister {
  readonly kind: "NodeRegister";
  readonly nodeId: NodeId;
  /** Differs from process to process of one node. */
  readonly incarnation: string;
  readonly types: readonly TypeVersion[];
  readonly atMs: number;
}

/** A node is gone; all of its runs go to others. Refused when another process of it has registered meanwhile. */
export interface NodeLost {
  readonly kind: "NodeLost";
  readonly nodeId: NodeId;
  readonly incarnation: string;
  readonly atMs: number;
  /** The node left the cluster for good. */
  readonly forget: boolean;
}

/** A node is about to stop; all of its runs go to others. */
export interface NodeDrain {
  readonly kind: "NodeDrain";
  readonly nodeId: NodeId;
  readonly incarnation: string;
  readonly atMs: number;
}

/** Drops finished runs that ended before a time, and the oldest beyond a number. */
export interface Prune {
  readonly kind: "Prune";
  readonly finishedBeforeMs: number;
  readonly keepAtMost: number;
  readonly atMs: number;
}

export type WorkflowCommand =
  | WorkflowStart
  | WorkflowEnd
  | Checkpoint
  | OwnerChange
  | Signal
  | SignalReceive
  | Cancel
  | NodeRegister
  | NodeLost
  | NodeDrain
  | Prune;
