/**
 * What a workflow's author throws and catches. The type says what retrying would do:
 * TerminalError: never again. RetryableError: again, after a delay of the author's choice. Anything else: again, as the
 * step's retry policy says. CancelledError: the run is being cancelled. NonDeterminismError: the code does not fit the record.
 */
import { brand, RaftoralError } from "@raftoral/raft-core";
import { WorkflowError } from "../../errors.ts";
import type { RecordedError } from "../../model/failure.ts";
import { type Duration, durationMs } from "../values/duration.ts";
import { rebuiltError } from "./rebuilt-error.ts";

/** Codes of errors that an author throws without giving one. */
export type AuthorErrorCode = "TERMINAL" | "RETRYABLE";

const TERMINAL: AuthorErrorCode = "TERMINAL";
const RETRYABLE: AuthorErrorCode = "RETRYABLE";

/** Options of an error that an author throws. */
export interface AuthorErrorOptions {
  /** The author's own code, recorded with the failure (TERMINAL or RETRYABLE). */
  readonly code?: string;
  /** What led to it; recorded with the failure. */
  readonly cause?: unknown;
}

/** Thrown in a step: it has failed for good, however many attempts are left. */
export class TerminalError extends RaftoralError {
  static {
    brand(TerminalError, "TerminalError");
  }

  override readonly name = "TerminalError";

  constructor(message: string, options: AuthorErrorOptions = {}) {
    super(options.code ?? TERMINAL, message, { cause: options.cause });
  }
}

/** Thrown in a step: it may succeed later. `delay` replaces the retry policy's next one. */
export class RetryableError extends RaftoralError {
  static {
    brand(RetryableError, "RetryableError");
  }

  override readonly name = "RetryableError";
  readonly delayMs: number | undefined;

  constructor(message: string, options: AuthorErrorOptions & { readonly delay?: Duration } = {}) {
    super(options.code ?? RETRYABLE, message, { cause: options.cause, retryable: true });
    this.delayMs = options.delay === undefined ? undefined : durationMs(options.delay);
  }
}

/** Thrown into the body once somebody has cancelled the run; thrown by a body, cancels the run. */
export class CancelledError extends WorkflowError {
  static {
    brand(CancelledError, "CancelledError");
  }

  override readonly name = "CancelledError";
  readonly reason: string;

  constructor(reason: string) {
    super("WORKFLOW_CANCELLED", `The run is cancelled: ${reason}`, { details: { reason } });
    this.reason = reason;
  }
}

/**
 * Thrown by the calls of a branch that the body has cancelled: a branch of `ctx.race` that another one beat, or a scope or shield whose time is over.
 * The run itself goes on.
 */
export class BranchCancelledError extends WorkflowError {
  static {
    brand(BranchCancelledError, "BranchCancelledError");
  }

  override readonly name = "BranchCancelledError";
  readonly reason: string;

  /** `reason`: a clause that says why, without a full stop. */
  constructor(reason: string) {
    super(
      "BRANCH_CANCELLED",
      `This branch of the body is cancelled: ${reason}. Let the error through, or end the branch.`,
      {
        details: { reason },
      },
    );
    this.reason = reason;
  }

  /** Of calls that are left when their scope has ended. */
  static scopeEnded(): BranchCancelledError {
    const reason = "the scope that it belongs to has ended";
    return new BranchCancelledError(reason);
  }

  /** Of the losers of a race. */
  static lostTo(winner: string): BranchCancelledError {
    const reason = `branch ${winner} of the race was first`;
    return new BranchCancelledError(reason);
  }
}

/** A scope or shield has not ended within its `timeout`. It was cancelled, and its body has ended with that. */
export class ScopeTimeoutError extends WorkflowError {
  static {
    brand(ScopeTimeoutError, "ScopeTimeoutError");
  }

  override readonly name = "ScopeTimeoutError";
  readonly scope: string;

  constructor(scope: string, timeoutMs: number) {
    super("SCOPE_TIMEOUT", `Scope ${scope} has not ended within ${timeoutMs} ms. Its calls were cancelled.`, {
      details: { scope, timeoutMs },
    });
    this.scope = scope;
  }
}

/**
 * Which of a step's time limits was over. attempt: `timeout`, of one attempt. heartbeat: `heartbeatTimeout`, since the last heartbeat. total: `totalTimeout`,
 * over all attempts and the delays between them.
 */
export type StepTimeoutKind = "attempt" | "heartbeat" | "total";

/**
 * The failure of an attempt that took longer than one of the step's time limits. Counts as any failed attempt, and is tried again by the policy; but for
 * `total`, after which the step has failed for good, with what the attempt before failed of as `cause`.
 */
export class StepTimeoutError extends WorkflowError {
  static {
    brand(StepTimeoutError, "StepTimeoutError");
  }

  override readonly name = "StepTimeoutError";
  readonly kind: StepTimeoutKind;

  /** `cause`: what the attempt before failed of. */
  constructor(
    step: string,
    timeoutMs: number,
    { kind, cause }: { readonly kind: StepTimeoutKind; readonly cause?: Error | undefined },
  ) {
    super("STEP_TIMEOUT", timeoutText(step, timeoutMs, kind), {
      retryable: kind !== "total",
      details: { step, kind, timeoutMs },
      ...(cause === undefined ? {} : { cause }),
    });
    this.kind = kind;
  }
}

function timeoutText(step: string, timeoutMs: number, kind: StepTimeoutKind): string {
  switch (kind) {
    case "attempt":
      return `Step ${step} has not finished within ${timeoutMs} ms. Give it a longer timeout, or less to do.`;
    case "heartbeat":
      return `Step ${step} has given no heartbeat for ${timeoutMs} ms. Call step.heartbeat() more often, or raise heartbeatTimeout.`;
    case "total":
      return `Step ${step} has not succeeded within ${timeoutMs} ms over all of its attempts. Give it a longer totalTimeout, or less to do.`;
  }
}

/** A step has failed for good. It is recorded: the body meets the same error at every replay. */
export class StepFailedError extends WorkflowError {
  static {
    brand(StepFailedError, "StepFailedError");
  }

  override readonly name = "StepFailedError";
  /** The step's path. */
  readonly step: string;
  readonly attempts: number;
  /** The last attempt's error, as recorded. */
  readonly failure: RecordedError;

  constructor(step: string, attempts: number, failure: RecordedError) {
    const times = attempts === 1 ? "once" : `${attempts} times`;
    super("STEP_FAILED", `Step ${step} was tried ${times} and failed: ${failure.message}`, {
      details: { step, attempts, failure },
      cause: rebuiltError(failure),
    });
    this.step = step;
    this.attempts = attempts;
    this.failure = failure;
  }
}

/** Something that a saga has done could not be undone; everything else was. `cause` is what the saga had thrown. */
export class CompensationFailedError extends WorkflowError {
  static {
    brand(CompensationFailedError, "CompensationFailedError");
  }

  override readonly name = "CompensationFailedError";
  /** Of each undo that failed for good, in the order of undoing. */
  readonly failures: readonly StepFailedError[];

  constructor(failures: readonly StepFailedError[], cause: unknown) {
    const steps = failures.map(({ step }) => step);
    super(
      "COMPENSATION_FAILED",
      `A saga could not undo ${steps.join(", ")}. See why in \`failures\`, and undo that by hand.`,
      { details: { steps }, cause },
    );
    this.failures = failures;
  }
}

/** The function that gives a variable its value has failed. It is recorded: the body meets the same error at every replay. */
export class VariableFailedError extends WorkflowError {
  static {
    brand(VariableFailedError, "VariableFailedError");
  }

  override readonly name = "VariableFailedError";
  /** The variable's path, or that of its change. */
  readonly path: string;
  /** What the function threw, as recorded. */
  readonly failure: RecordedError;

  constructor(path: string, failure: RecordedError) {
    super(
      "VARIABLE_FAILED",
      `The function that gives variable ${path} its value failed: ${failure.message}. Its failure is recorded. Use a step where retries are wanted.`,
      { details: { path, failure }, cause: rebuiltError(failure) },
    );
    this.path = path;
    this.failure = failure;
  }
}

/** A child has failed, or could not be started. It is recorded: the body meets the same error at every replay. */
export class ChildFailedError extends WorkflowError {
  static {
    brand(ChildFailedError, "ChildFailedError");
  }

  override readonly name = "ChildFailedError";
  /** The child. */
  readonly runId: string;
  /** What the child failed of, as recorded. */
  readonly failure: RecordedError;

  constructor(runId: string, failure: RecordedError) {
    super("CHILD_FAILED", `Child ${runId} failed: ${failure.name}: ${failure.message}`, {
      details: { runId, failure },
      cause: rebuiltError(failure),
    });
    this.runId = runId;
    this.failure = failure;
  }
}

/** A child was cancelled. It is recorded: the body meets the same error at every replay. */
export class ChildCancelledError extends WorkflowError {
  static {
    brand(ChildCancelledError, "ChildCancelledError");
  }

  override readonly name = "ChildCancelledError";
  /** The child. */
  readonly runId: string;
  readonly reason: string;

  constructor(runId: string, reason: string) {
    super("CHILD_CANCELLED", `Child ${runId} was cancelled: ${reason}`, { details: { runId, reason } });
    this.runId = runId;
    this.reason = reason;
  }
}

/** What the body asks for at a path, and what the record has there: each a phrase, to be read in a sentence. */
export interface RecordMismatch {
  readonly expected: string;
  readonly recorded: string;
}

/** The record has something else where the body now asks for this step: the code changed under a running workflow. */
export class NonDeterminismError extends WorkflowError {
  static {
    brand(NonDeterminismError, "NonDeterminismError");
  }

  override readonly name = "NonDeterminismError";
  readonly step: string;
  readonly expected: string;
  readonly recorded: string;

  constructor(step: string, { expected, recorded }: RecordMismatch) {
    super(
      "NON_DETERMINISM",
      `At ${step} the code asks for ${expected}, but the record has ${recorded}. Keep running workflows on the version they ` +
        "began with, and register changed code under a new version.",
      { details: { step, expected, recorded } },
    );
    this.step = step;
    this.expected = expected;
    this.recorded = recorded;
  }
}

/** What is wrong with a call on a context. */
export type ContextMisuse = "CONTEXT_ENDED" | "CONTEXT_FOREIGN" | "CONTEXT_IN_HANDLER" | "CONTEXT_IN_STEP";

/**
 * A call on a context from where it has no meaning: after its body has returned, from the body of another run, or inside of a step. A step that
 * fails with it is not tried again.
 */
export class ContextMisuseError extends WorkflowError {
  static {
    brand(ContextMisuseError, "ContextMisuseError");
  }

  override readonly name = "ContextMisuseError";

  constructor(code: ContextMisuse, message: string, details: Readonly<Record<string, unknown>>) {
    super(code, message, { details });
  }
}

/** `result()` of a run that failed. */
export class WorkflowFailedError extends WorkflowError {
  static {
    brand(WorkflowFailedError, "WorkflowFailedError");
  }

  override readonly name = "WorkflowFailedError";
  readonly runId: string;
  /** What the body threw, as recorded. */
  readonly failure: RecordedError;

  constructor(runId: string, failure: RecordedError) {
    super("WORKFLOW_FAILED", `Run ${runId} failed: ${failure.name}: ${failure.message}`, {
      details: { runId, failure },
      cause: rebuiltError(failure),
    });
    this.runId = runId;
    this.failure = failure;
  }
}

/** `result()` of a run that was cancelled. */
export class WorkflowCancelledError extends WorkflowError {
  static {
    brand(WorkflowCancelledError, "WorkflowCancelledError");
  }

  override readonly name = "WorkflowCancelledError";
  readonly runId: string;
  readonly reason: string;

  constructor(runId: string, reason: string) {
    super("WORKFLOW_CANCELLED", `Run ${runId} was cancelled: ${reason}`, { details: { runId, reason } });
    this.runId = runId;
    this.reason = reason;
  }
}
