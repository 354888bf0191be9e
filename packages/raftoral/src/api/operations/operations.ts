/** What operators do: the part of the API that mends runs, and tells who did. */
import type { VariableDefinition, VariableValue } from "@raftoral/workflow";
import type { ReadOptions } from "../call-options.ts";
import type { RunFilter } from "../finding/filters.ts";
import type { CancelOptions, MendOptions, PauseOptions, RetryOptions } from "../mending/mending.ts";
import type { PageOptions } from "../pages.ts";
import type { Payload } from "../payloads/payload.ts";

/** A run that is gone. */
export interface DeletedRun {
  readonly runId: string;
  /** Whether there was a run, or its id was kept. */
  readonly deleted: boolean;
  /**
   * Place of the deletion in the log. A node has nothing of the run any more once its log is kept from behind this place (`firstIndex` of its status), its snapshot stands at it or behind it
   * (`snapshotIndex`), and it has swept what pruned and deleted runs leave (`isSwept`).
   */
  readonly position: number;
}

/** A workflow type that is paused. */
export interface PausedType {
  readonly workflowType: string;
  readonly reason: string;
  /** Who asked for it; empty when that is not known. */
  readonly by: string;
  /** Since when, in milliseconds since the epoch. */
  readonly pausedAtMs: number;
}

/** What may be done to many runs. */
export type BulkAction = "cancel" | "terminate" | "retry" | "pause" | "resume" | "delete";

/** Options of {@link Operations.mendAll}. */
export interface BulkOptions extends MendOptions {
  /** Does nothing, and gives the runs that fit (false). */
  readonly dryRun?: boolean;
  /** `position` of the last piece of an earlier call with the same filter: the runs behind it follow. */
  readonly position?: string;
  /** Runs of a piece at most: 1 to 32 (32), and 1,000 for a dry run (1,000). */
  readonly pieceSize?: number;
}

/** What became of a run. */
export interface MendedRun {
  readonly runId: string;
  /**
   * `done`; `unchanged`: there was nothing to do, or the run does not fit the filter any more; `fits`: a dry run found it. Otherwise the code of what the run refuses, such as
   * RETRY_COMPENSATED.
   */
  readonly outcome: string;
}

/** One piece of what is done to many runs. */
export interface BulkPiece {
  /** The latest start first. May be none while more follow: the work for a piece is bounded. */
  readonly runs: readonly MendedRun[];
  /** Where to go on; undefined after the last piece. */
  readonly position: string | undefined;
}

/** Something that an operator did. */
export interface AuditEntry {
  /** Place in the log. */
  readonly position: number;
  /** When, in milliseconds since the epoch: the cluster's clock. */
  readonly atMs: number;
  /** Who: the name in the caller's certificate, `local` for a call in a node's own process, or `unnamed` for a caller without a certificate. */
  readonly by: string;
  /** As in the API: `cancel`, `retry`, `pause-type`, `terminate-many`, `remove-node`, ... */
  readonly action: string;
  /** What it was done to: a run's id, a workflow type, a node's id. */
  readonly subject: string;
  /** More of it; may be empty. */
  readonly detail: string;
  /** Why; empty without a reason. */
  readonly reason: string;
}

/** Which entries to read. */
export interface AuditOptions extends ReadOptions {
  /** Only of what was done to this. */
  readonly subject?: string;
  /** Only of what this caller did. */
  readonly by?: string;
}

/** A page of the audit. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Undefined on the last page. */
  readonly nextPageToken: string | undefined;
}

/** What is done to runs from outside. What changes something is recorded in the audit. */
export interface Operations {
  /** Asks a run to end as cancelled. Resolves once that is committed. Rejects with WORKFLOW_NOT_FOUND or WORKFLOW_FINISHED. */
  cancel(runId: string, options?: CancelOptions): Promise<void>;
  /**
   * Lets a stuck or paused run go on, begins a delayed one at once, and withdraws a pause that its owner has not come to; another run is left as it is. Resolves once that is committed. Rejects with
   * WORKFLOW_NOT_FOUND or WORKFLOW_FINISHED.
   */
  resume(runId: string, options?: MendOptions): Promise<void>;
  /**
   * Pauses a run: steps under way finish, nothing more begins, and no node executes the run until it is resumed. Resolves once that is asked for; the run's status says
   * when it is paused. Signals, answers and ends of children that come meanwhile are kept. A time limit of the run does not end it while it is paused. Cancelling a paused run
   * lets it go on, for its body to clean up. Rejects with WORKFLOW_NOT_FOUND or WORKFLOW_FINISHED.
   */
  pause(runId: string, options?: PauseOptions): Promise<void>;
  /**
   * Ends a run now, as failed with RUN_TERMINATED, whatever its status is. Its body does not hear of it and undoes nothing; what a step does at this moment is not
   * recorded. Running children are asked to cancel as at every end. Rejects with WORKFLOW_NOT_FOUND or WORKFLOW_FINISHED.
   */
  terminate(runId: string, options?: MendOptions): Promise<void>;
  /**
   * Lets a run go on that failed or was cancelled: the same run, from its record. What is recorded of the failure and everything after it does not count any more, so that the
   * step runs again, with the same idempotency key. Children for which the run waits again go on as well. Rejects with WORKFLOW_NOT_FOUND, WORKFLOW_RUNNING,
   * WORKFLOW_FINISHED for a run that has completed, STEP_NOT_RECORDED, RETRY_COMPENSATED when the run has undone steps since, or RETRY_LIMIT_REACHED.
   */
  retry(runId: string, options?: RetryOptions): Promise<void>;
  /**
   * Answers a step of a run in the place of its function: with a value, or with nothing to skip the step. The step may be under way, be tried for ever, or not have begun. An
   * attempt that is under way is aborted. Rejects with WORKFLOW_NOT_FOUND, WORKFLOW_FINISHED, STEP_RECORDED for a step that has its record, NAME_INVALID,
   * VALUE_NOT_SERIALIZABLE or PAYLOAD_TOO_LARGE.
   */
  completeStep(runId: string, step: string, value?: unknown, options?: MendOptions): Promise<void>;
  /**
   * Drops a run that has ended, with its history, however old it is, and frees its id; a run that is not there is taken for deleted. Resolves once that is committed: no node finds the
   * run any more. The answer says how far the payloads are in logs and snapshots still. Rejects with WORKFLOW_RUNNING for a run that has not ended, and for a child while its parent is
   * to hear of its end.
   */
  delete(runId: string, options?: MendOptions): Promise<DeletedRun>;
  /**
   * Sets a variable of a run from outside, as `variable.set` of its body does: the body does so where it is, and its conditions see the new value. The value is not the body's to refuse. Resolves once the
   * new value is recorded; without `timeoutMs` it waits as long as that takes, for example while the run is paused. Rejects with VARIABLE_UNKNOWN when the body rests and has no such
   * variable, WORKFLOW_NOT_FOUND, WORKFLOW_FINISHED, UPDATE_BUFFER_FULL, DEADLINE_EXCEEDED (it goes on), NAME_INVALID, VALUE_NOT_SERIALIZABLE or PAYLOAD_TOO_LARGE.
   */
  setVariable<Named extends VariableDefinition | string>(
    runId: string,
    variable: Named,
    value: VariableValue<Named> | Payload,
    options?: MendOptions,
  ): Promise<void>;
  /**
   * Pauses a workflow type: runs of it are started and do not begin, and those that go on rest once the steps under way have finished, until the type is resumed. Nodes that die or come back change
   * nothing of that. Signals, updates and answers are kept. Rejects with NAME_INVALID.
   */
  pauseType(workflowType: string, options?: MendOptions): Promise<void>;
  /** Lets the runs of a type go on that was paused. Rejects with NAME_INVALID. */
  resumeType(workflowType: string, options?: MendOptions): Promise<void>;
  /** The types that are paused, by name. */
  pausedTypes(options?: ReadOptions): Promise<readonly PausedType[]>;
  /**
   * Does one thing to every run that fits a filter when it comes to it, from the latest start to the first, piece by piece: runs that are started meanwhile are left alone. Each piece is a command of
   * the log, in which the runs are judged again: one that has changed since it was listed and does not fit any more is left as it is. A run that refuses harms no other. `dryRun` does nothing and gives
   * the runs that fit now. A reader that stops, or fails, goes on with `position` of the last piece. Options limit each piece. Rejects with REQUEST_INVALID.
   */
  mendAll(filter: RunFilter, action: BulkAction, options?: BulkOptions): AsyncIterable<BulkPiece>;
  /**
   * What operators have done, the latest first: who, when and why. The cluster keeps the latest 10,000 entries, and 4 MiB of them. Fetched in pages as they are consumed;
   * `options` limit each page.
   */
  audit(options?: AuditOptions): AsyncIterable<AuditEntry>;
  /** One page of {@link Operations.audit}. */
  auditPage(options?: AuditOptions & PageOptions): Promise<AuditPage>;
}
