/**
 * What a workflow's author throws and catches. The type says what retrying would do:
 * TerminalError: never again. RetryableError: again, after a delay of the author's choice. Anything else: again, as the
 * step's retry policy says. CancelledError: the run is being cancelled. NonDeterminismError: the code does not fit the record.
 */
import { RaftoralError } from "@raftoral/raft-core";
import type { RecordedError } from "../command/workflow-command.ts";
import { WorkflowError } from "../errors.ts";
import { type Duration, durationMs } from "./duration.ts";

/** Codes of errors that an author throws without giving one. */
export type AuthorErrorCode = "TERMINAL" | "RETRYABLE";

const TERMINAL: AuthorErrorCode = "TERMINAL";
const RETRYABLE: AuthorErrorCode = "RETRYABLE";

export interface AuthorErrorOptions {
  /** The author's own code, recorded with the failure (TERMINAL or RETRYABLE). */
  readonly code?: string;
  readonly cause?: unknown;
}

/** Thrown in a step: it has failed for good, however many attempts are left. */
export class TerminalError extends RaftoralError {
  override readonly name = "TerminalError";

  constructor(message: string, options: AuthorErrorOptions = {}) {
    super(options.code ?? TERMINAL, message, { cause: options.cause });
  }
}

/** Thrown in a step: it may succeed later. `delay` replaces the retry policy's next one. */
export class RetryableError extends RaftoralError {
  override readonly name = "RetryableError";
  readonly delayMs: number | undefined;

  constructor(message: string, options: AuthorErrorOptions & { readonly delay?: Duration } = {}) {
    super(options.code ?? RETRYABLE, message, { cause: options.cause, retryable: true });
    this.delayMs = options.delay === undefined ? undefined : durationMs(options.delay);
  }
}

/** Thrown into the body once somebody has cancelled the run; thrown by a body, cancels the run. */
export class CancelledError extends WorkflowError {
  override readonly name = "CancelledError";
  readonly reason: string;

  constructor(reason: string) {
    super("WORKFLOW_CANCELLED", `The run is cancelled: ${reason}`, { details: { reason } });
    this.reason = reason;
  }
}

/** The failure of an attempt that took longer than the step's `timeout`. Counts as any failed attempt. */
export class StepTimeoutError extends WorkflowError {
  override readonly name = "StepTimeoutError";

  constructor(step: string, timeoutMs: number) {
    super("STEP_TIMEOUT", `Step ${step} has not finished within ${timeoutMs} ms`, { retryable: true });
  }
}

/** A step has failed for good. It is recorded: the body meets the same error at every replay. */
export class StepFailedError extends WorkflowError {
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
    });
    this.step = step;
    this.attempts = attempts;
    this.failure = failure;
  }
}

/** The record has something else where the body now asks for this step: the code changed under a running workflow. */
export class NonDeterminismError extends WorkflowError {
  override readonly name = "NonDeterminismError";
  readonly step: string;
  readonly expected: string;
  readonly recorded: string;

  constructor(step: string, expected: string, recorded: string) {
    super(
      "NON_DETERMINISM",
      `At ${step} the code asks for ${expected}, but the record has ${recorded}; keep running workflows on the version they ` +
        "began with and register changed code under a new version",
      { details: { step, expected, recorded } },
    );
    this.step = step;
    this.expected = expected;
    this.recorded = recorded;
  }
}

/** `result()` of a run that failed. */
export class WorkflowFailedError extends WorkflowError {
  override readonly name = "WorkflowFailedError";
  readonly runId: string;
  /** What the body threw, as recorded. */
  readonly failure: RecordedError;

  constructor(runId: string, failure: RecordedError) {
    super("WORKFLOW_FAILED", `Run ${runId} failed: ${failure.name}: ${failure.message}`, {
      details: { runId, failure },
    });
    this.runId = runId;
    this.failure = failure;
  }
}

/** `result()` of a run that was cancelled. */
export class WorkflowCancelledError extends WorkflowError {
  override readonly name = "WorkflowCancelledError";
  readonly runId: string;
  readonly reason: string;

  constructor(runId: string, reason: string) {
    super("WORKFLOW_CANCELLED", `Run ${runId} was cancelled: ${reason}`, { details: { runId, reason } });
    this.runId = runId;
    this.reason = reason;
  }
}

/** Longest texts that are recorded of an error, in UTF-16 units. */
const MAX_NAME_LENGTH = 200;
const MAX_MESSAGE_LENGTH = 8 * 1024;
const MAX_STACK_LENGTH = 4 * 1024;

/**
 * An error, or whatever else was thrown, as it is recorded. A failed step gives its own failure's code. Never throws: what was
 * thrown is the author's, down to properties that throw when they are read.
 */
export function recordedError(thrown: unknown): RecordedError {
  const message = property(thrown, "message", MAX_MESSAGE_LENGTH);
  if (message === undefined) return { name: "Error", message: shown(thrown) };
  const own = thrown instanceof StepFailedError ? thrown.failure.code : property(thrown, "code", MAX_NAME_LENGTH);
  const stack = property(thrown, "stack", MAX_STACK_LENGTH);
  return {
    name: property(thrown, "name", MAX_NAME_LENGTH) ?? "Error",
    message,
    ...(own === undefined || own === "" ? {} : { code: own }),
    ...(stack === undefined ? {} : { stack }),
  };
}

function property(of: unknown, name: string, maxLength: number): string | undefined {
  if (typeof of !== "object" || of === null) return undefined;
  try {
    const value: unknown = Reflect.get(of, name);
    return typeof value === "string" ? value.slice(0, maxLength) : undefined;
  } catch {
    return undefined;
  }
}

function shown(thrown: unknown): string {
  try {
    return String(thrown).slice(0, MAX_MESSAGE_LENGTH);
  } catch {
    return "something that cannot be shown as text was thrown";
  }
}
