/** What an observer of a runtime hears: the replicated events, and what only this node knows. */
import type { NodeId } from "@raftoral/raft-core";
import type { RecordedError } from "../model/failure.ts";
import type { Epoch } from "../model/runs/ownership.ts";
import type { CodeMismatch } from "../model/runs/stuck-reason.ts";
import type { WorkflowEvent } from "../state/workflow-event.ts";

/** This node begins to execute a run's body. `replayed` calls are answered from its record. */
export interface BodyStarted {
  readonly type: "body-started";
  readonly runId: string;
  readonly workflowType: string;
  readonly nodeId: NodeId;
  readonly epoch: Epoch;
  readonly attempt: number;
  readonly replayed: number;
}

/** An attempt of a step failed. `retryInMs` is undefined when it was the last one. */
export interface StepAttemptFailed {
  readonly type: "step-attempt-failed";
  readonly runId: string;
  readonly workflowType: string;
  readonly path: string;
  readonly attempt: number;
  readonly error: RecordedError;
  readonly retryInMs: number | undefined;
}

/**
 * A body ended, in whatever way, without asking for these recorded paths: its code may have changed, or it awaits something that is not recorded.
 */
export interface RecordsUnused {
  readonly type: "records-unused";
  readonly runId: string;
  readonly workflowType: string;
  readonly paths: readonly string[];
}

/** A body returned while these steps were under way: they are not awaited, or they lost a race. What they give is lost. */
export interface StepsUnfinished {
  readonly type: "steps-unfinished";
  readonly runId: string;
  readonly workflowType: string;
  readonly paths: readonly string[];
}

/** The history of a run has passed 10,000 records, or 32 MiB: its replays take long. `ctx.continueAsNew` begins another one. */
export interface HistoryLarge {
  readonly type: "history-large";
  readonly runId: string;
  readonly workflowType: string;
  readonly records: number;
  /** Of the records' values. */
  readonly bytes: number;
}

/** This node's code asked for something else than what is recorded of a run, which is held for code that fits. */
export interface CodeMismatchFound extends CodeMismatch {
  readonly type: "code-mismatch";
  readonly runId: string;
  readonly workflowType: string;
}

/**
 * Runs wait for a version that no live node has registered, while this node registers others of its type: somebody has removed code that is still in use. Told when
 * this node has registered.
 */
export interface VersionMissing {
  readonly type: "version-missing";
  readonly workflowType: string;
  readonly version: number;
  /** Runs that wait for it. */
  readonly runs: number;
  /** Versions of the type that this node has registered, ascending. */
  readonly registered: readonly number[];
}

/**
 * Runs wait for a node with behaviours of the engine that this node does not have, although it has their type and version: they began on nodes of a newer release. Told when this
 * node has registered.
 */
export interface BehavioursMissing {
  readonly type: "behaviours-missing";
  readonly workflowType: string;
  readonly version: number;
  /** Runs that wait. */
  readonly runs: number;
  /** The behaviours that they need, and those that this node has: the ones from 1 to this number. */
  readonly needed: number;
  readonly registered: number;
}

/**
 * A body went on after it had awaited something that is not a call of its context (a timer, I/O, an event), while calls of it were open: a replay may come to another
 * order. Told once for each body.
 */
export interface ForeignAwait {
  readonly type: "foreign-await";
  readonly runId: string;
  readonly workflowType: string;
  /** The call that the body made then, as in `ctx.step("charge")`. */
  readonly call: string;
}

/** What only the node hears where it happens; every other event is replicated. */
export type LocalEvent =
  | BodyStarted
  | CodeMismatchFound
  | StepAttemptFailed
  | RecordsUnused
  | StepsUnfinished
  | HistoryLarge
  | VersionMissing
  | BehavioursMissing
  | ForeignAwait;

/** An event of the replicated state, or of this node alone. */
export type RuntimeEvent = WorkflowEvent | LocalEvent;
