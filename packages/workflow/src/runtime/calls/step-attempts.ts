/**
 * Runs a step's function until it succeeds, fails for good, or is interrupted.
 *
 * Role: attempts, delays and time limits. It records nothing; `run-execution.ts` does.
 */
import type { Cancel, Clock } from "@raftoral/raft-core";
import { type Duration, durationMs } from "../../author/duration.ts";
import { ContextMisuseError, RetryableError, StepTimeoutError, TerminalError } from "../../author/errors.ts";
import type { RetryPolicy, StepContext, StepOptions } from "../../author/workflow-context.ts";
import { WorkflowError } from "../../errors.ts";
import { delayed } from "./alarm.ts";

/** Attempts a step may ask for. */
const MAX_ATTEMPTS = 1_000_000;
/** How many times the one before a delay may be. */
const MAX_FACTOR = 1000;

/** What the delays between attempts follow from. */
export interface RetryDelays {
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly factor: number;
  readonly jitter: number;
}

interface Policy extends RetryDelays {
  readonly attempts: number;
  readonly timeoutMs: number | undefined;
}

const ONCE: Policy = Object.freeze({
  attempts: 1,
  initialDelayMs: 0,
  maxDelayMs: 0,
  factor: 1,
  jitter: 0,
  timeoutMs: undefined,
});

/** Throws DURATION_INVALID, or INPUT_INVALID for numbers out of range. */
export function policyOf(options: StepOptions | undefined): Policy {
  if (options === undefined || (options.retry === undefined && options.timeout === undefined)) return ONCE;
  const timeoutMs = options.timeout === undefined ? undefined : durationMs(options.timeout);
  if (options.retry === undefined) return { ...ONCE, timeoutMs };
  const { attempts = 3, initialDelay = 100, maxDelay = 30_000, factor = 2, jitter = 0.2 }: RetryPolicy = options.retry;
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > MAX_ATTEMPTS) {
    throw new WorkflowError(
      "INPUT_INVALID",
      `retry.attempts is ${String(attempts)}. Give a whole number from 1 to ${MAX_ATTEMPTS}.`,
    );
  }
  if (!(factor >= 1 && factor <= MAX_FACTOR) || !(jitter >= 0 && jitter <= 1)) {
    throw new WorkflowError(
      "INPUT_INVALID",
      `retry.factor is ${factor} and retry.jitter ${jitter}. Give a factor of 1 to ${MAX_FACTOR} and a jitter of 0 to 1.`,
    );
  }
  return { attempts, initialDelayMs: ms(initialDelay), maxDelayMs: ms(maxDelay), factor, jitter, timeoutMs };
}

function ms(duration: Duration): number {
  return durationMs(duration);
}

/** One call of a step's function. Its signal and its key are made only if the function asks for them. */
class StepAttempt implements StepContext {
  readonly attempt: number;
  readonly fencingToken: number;
  readonly #key: () => string;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(attempt: number, key: () => string, fencingToken: number) {
    this.attempt = attempt;
    this.#key = key;
    this.fencingToken = fencingToken;
  }

  get idempotencyKey(): string {
    return this.#key();
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#aborted = { reason };
    this.#controller?.abort(reason);
  }
}

/** What can stop a step from outside, and what it needs to know of its run. */
export interface StepSurroundings {
  readonly clock: Clock;
  readonly fencingToken: number;
  /** In `[0, 1)`; decides jitter. */
  readonly random: () => number;
  /** Calls back, never in this turn, when the run is cancelled or is so already. Returns the way to stop listening. */
  readonly onInterrupt: (fn: (reason: Error) => void) => () => void;
  readonly attemptFailed: (key: string, attempt: number, error: unknown, retryInMs: number | undefined) => void;
}

/** How a step's attempts ended. */
export type StepOutcome<T> =
  | { readonly ok: true; readonly attempts: number; readonly value: T }
  | { readonly ok: false; readonly attempts: number; readonly error: unknown };

/**
 * `accept` turns a value into what is recorded and may refuse it, which fails the step for good. Rejects with the reason
 * of an interruption, at once, whether or not the function listens to its signal.
 */
export async function attemptStep<T, R>(
  key: string,
  idempotencyKey: () => string,
  fn: (step: StepContext) => T | Promise<T>,
  accept: (value: T) => R,
  options: StepOptions | undefined,
  surroundings: StepSurroundings,
): Promise<StepOutcome<R>> {
  const policy = policyOf(options);
  for (let attempt = 1; ; attempt++) {
    const step = new StepAttempt(attempt, idempotencyKey, surroundings.fencingToken);
    const outcome = await once(key, step, fn, policy.timeoutMs, surroundings);
    let error: unknown;
    let final: boolean;
    if (outcome.ok) {
      try {
        return { ok: true, attempts: attempt, value: accept(outcome.value) };
      } catch (refused) {
        error = refused;
        final = true;
      }
    } else {
      error = outcome.error;
      final = attempt >= policy.attempts || error instanceof TerminalError || error instanceof ContextMisuseError;
    }
    if (final) {
      surroundings.attemptFailed(key, attempt, error, undefined);
      return { ok: false, attempts: attempt, error };
    }
    const delayMs = delayAfter(attempt, error, policy, surroundings.random);
    surroundings.attemptFailed(key, attempt, error, delayMs);
    await interruptibleDelay(delayMs, surroundings);
  }
}

type Attempted<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

function once<T>(
  key: string,
  step: StepAttempt,
  fn: (step: StepContext) => T | Promise<T>,
  timeoutMs: number | undefined,
  surroundings: StepSurroundings,
): Promise<Attempted<T>> {
  return new Promise((resolve, reject) => {
    let stopTimer: Cancel = () => {};
    let stopListening: Cancel = () => {};
    const settle = (): void => {
      stopTimer();
      stopListening();
    };
    stopListening = surroundings.onInterrupt((reason) => {
      settle();
      step.abort(reason);
      reject(reason);
    });
    if (timeoutMs !== undefined) {
      stopTimer = delayed(surroundings.clock, timeoutMs, () => {
        const error = new StepTimeoutError(key, timeoutMs);
        settle();
        step.abort(error);
        resolve({ ok: false, error });
      });
    }
    const failed = (error: unknown): void => {
      settle();
      resolve({ ok: false, error });
    };
    const succeeded = (value: T): void => {
      settle();
      resolve({ ok: true, value });
    };
    try {
      const returned = fn(step);
      if (isThenable(returned)) returned.then(succeeded, failed);
      else succeeded(returned);
    } catch (error) {
      failed(error);
    }
  });
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/** Whole milliseconds from 0 to the policy's longest delay, whatever the numbers are: the power may be infinite, and 0 times that is no number. */
export function delayAfter(attempt: number, error: unknown, policy: RetryDelays, random: () => number): number {
  if (error instanceof RetryableError && error.delayMs !== undefined) return error.delayMs;
  const { initialDelayMs, factor, maxDelayMs, jitter } = policy;
  const grown = initialDelayMs === 0 ? 0 : initialDelayMs * factor ** (attempt - 1);
  return Math.round(Math.min(grown, maxDelayMs) * (1 - jitter * random()));
}

function interruptibleDelay(delayMs: number, { clock, onInterrupt }: StepSurroundings): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = delayed(clock, delayMs, () => {
      stopListening();
      resolve();
    });
    const stopListening = onInterrupt((reason) => {
      cancel();
      reject(reason);
    });
  });
}
