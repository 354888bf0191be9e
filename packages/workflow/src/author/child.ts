/** Runs that a body starts as its children: what starting one takes and gives. */
import type { ParentClosePolicy } from "../model/runs/parent.ts";
import type { AbortOptions } from "./abort-options.ts";
import type { AttributeValues } from "./attributes.ts";
import type { Duration } from "./values/duration.ts";
import type { TypedWorkflow, WorkflowInput } from "./workflow-types.ts";

/** What names a child's workflow: its definition, or its type. */
export type ChildWorkflow = string | { readonly type: string; readonly version?: number };

/** The type of a workflow by its definition's type, for bodies that do not have the child's code: `ctx.run<typeof order>("order", input)`. */
export type ChildType<Workflow> = Workflow extends TypedWorkflow<unknown, unknown, infer Type> ? Type : never;

/** Options of a child. */
export interface ChildOptions {
  /** The child's id: 1 to 512 characters. By default it follows from the parent's id and the place of the call. */
  readonly id?: string;
  /** By default the definition's version, or the newest one that any node has registered. */
  readonly version?: number;
  /**
   * What becomes of the child when the parent ends before it. "cancel" (the default): it is asked to cancel, also when the branch of the parent that waits for it is
   * cancelled. "abandon": it goes on.
   */
  readonly parentClosePolicy?: ParentClosePolicy;
  /** How long the child may take. It has then failed with RUN_TIMED_OUT. Without a limit by default. */
  readonly timeout?: Duration;
  /** What the child is found by (`workflows.list`). A child that exists keeps its own. */
  readonly attributes?: AttributeValues;
  /** The queue in which the child waits until it is let through, which the cluster must have. In none by default. */
  readonly queue?: string;
  /** What the child shares the queue's `perKey` and its turn with. */
  readonly key?: string;
  /** A child with a higher number goes first: a whole number from -1000 to 1000 (0). */
  readonly priority?: number;
  /** Names the call in the parent's history (the child's type). */
  readonly name?: string;
}

/** What starting a child takes after the workflow: the input, which may be left out where `undefined` is one, and options. */
export type ChildArguments<Workflow> =
  undefined extends WorkflowInput<Workflow>
    ? [input?: WorkflowInput<Workflow>, options?: ChildOptions]
    : [input: WorkflowInput<Workflow>, options?: ChildOptions];

/** A child that has been started. */
export interface ChildHandle<Result = unknown> {
  readonly runId: string;
  /**
   * What the child resulted in, once it has ended; a parent that waits takes no slot of its node. Rejects with ChildFailedError or ChildCancelledError for other
   * ends. May be asked for more than once. With a signal, the wait ends when that is aborted, and the child is asked to cancel unless it is abandoned.
   */
  result(options?: AbortOptions): Promise<Result>;
}
