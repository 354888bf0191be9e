/**
 * What is known of a run, as the services report it and the client and the command line show it.
 */
import type { NodeId } from "@raftoral/raft-core";

/** `Running` until the run has ended in one of the other three; it never leaves those. */
export type RunStatus = "running" | "completed" | "failed" | "cancelled";

export const RUN_STATUSES: readonly RunStatus[] = ["running", "completed", "failed", "cancelled"];

export interface RunFailure {
  readonly name: string;
  readonly message: string;
  /** Empty when the error had none. */
  readonly code: string;
}

export interface RunSummary {
  readonly runId: string;
  readonly workflowType: string;
  readonly version: number;
  readonly status: RunStatus;
  /** The node that executes it, or did at the end; 0 while no live node can. */
  readonly owner: NodeId;
  /** The fencing token of its owner: grows with every change of owner, over all runs of the cluster. */
  readonly epoch: number;
  /** 1 for the first owner, one more with every later one. */
  readonly attempt: number;
  /** Of a failed or cancelled run. */
  readonly error: RunFailure | undefined;
  /** Milliseconds since the epoch, 0 when not known. */
  readonly startedAtMs: number;
  /** 0 while running. */
  readonly endedAtMs: number;
  readonly recordCount: number;
}

export interface HistoryRecord {
  /** Enclosing scopes, name, occurrence. */
  readonly path: string;
  /** STEP, STEP_FAILED, VARIABLE, SLEEP, SIGNAL, ... as in the workflow package's CheckpointKind. */
  readonly kind: string;
  readonly value: unknown;
  /** Milliseconds since the epoch. */
  readonly recordedAtMs: number;
  /** Under which ownership of the run it was recorded. */
  readonly epoch: number;
  /** Its place in the log. */
  readonly index: number;
}

/** A turn in the life of a run. */
export interface RunEvent {
  /** Milliseconds since the epoch; 0 when not recorded. */
  readonly atMs: number;
  /** started, taken-over, cancel-requested, completed, failed, cancelled. */
  readonly kind: string;
  readonly text: string;
}

/** A run with all that was recorded of it. */
export interface RunDetails extends RunSummary {
  /** `undefined` when it was started without one. */
  readonly input: unknown;
  /** Of a completed run. */
  readonly result: unknown;
  /** In the order they were recorded. */
  readonly history: readonly HistoryRecord[];
  readonly lifecycle: readonly RunEvent[];
}

/** One page of a list. */
export interface RunPage {
  readonly runs: readonly RunSummary[];
  /** Where the next page begins; `undefined` on the last one. */
  readonly next: string | undefined;
}

export interface RunFilter {
  readonly status?: RunStatus;
  readonly workflowType?: string;
}
