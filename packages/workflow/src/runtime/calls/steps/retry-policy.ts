/**
 * When a step is tried again, and how long its attempts may take: the author's options with their defaults, checked.
 *
 * RP1. Without a policy a step is tried again as the defaults of {@link RetryPolicy} say: it outlives a few seconds without its network.
 * RP2. What no later attempt can change ends the attempts at once: a TerminalError, a misused context, a value that cannot be recorded.
 */

import { ContextMisuseError, RetryableError, StepTimeoutError, TerminalError } from "../../../author/errors/errors.ts";
import { durationMs } from "../../../author/values/duration.ts";
import type { RetryPolicy, StepOptions } from "../../../author/workflow-context.ts";
import { WorkflowError } from "../../../errors.ts";

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

/** A step's options, checked. Times are in ms. */
export interface StepPolicy extends RetryDelays {
  /** Attempts in all. */
  readonly attempts: number;
  readonly retryIf: ((error: unknown, attempt: number) => boolean) | undefined;
  readonly timeoutMs: number | undefined;
  readonly heartbeatTimeoutMs: number | undefined;
  readonly totalTimeoutMs: number | undefined;
}

const DEFAULTS: StepPolicy = Object.freeze({
  attempts: 5,
  initialDelayMs: 200,
  maxDelayMs: 30_000,
  factor: 2,
  jitter: 0.2,
  retryIf: undefined,
  timeoutMs: undefined,
  heartbeatTimeoutMs: undefined,
  totalTimeoutMs: undefined,
});

/** Throws DURATION_INVALID, or INPUT_INVALID for numbers out of range. */
export function policyOf(options: StepOptions | undefined): StepPolicy {
  if (options === undefined) return DEFAULTS;
  const { retry, timeout, heartbeatTimeout, totalTimeout } = options;
  return {
    ...delaysOf(retry === false ? { attempts: 1 } : (retry ?? {})),
    timeoutMs: timeout === undefined ? undefined : durationMs(timeout),
    heartbeatTimeoutMs: heartbeatTimeout === undefined ? undefined : durationMs(heartbeatTimeout),
    totalTimeoutMs: totalTimeout === undefined ? undefined : durationMs(totalTimeout),
  };
}

function delaysOf(retry: RetryPolicy): RetryDelays & Pick<StepPolicy, "attempts" | "retryIf"> {
  const { attempts = DEFAULTS.attempts, factor = DEFAULTS.factor, jitter = DEFAULTS.jitter, retryIf } = retry;
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
  if (retryIf !== undefined && typeof retryIf !== "function") {
    throw new WorkflowError("INPUT_INVALID", `retry.retryIf is a ${typeof retryIf}. Give a function.`);
  }
  const initialDelayMs = durationMs(retry.initialDelay ?? DEFAULTS.initialDelayMs);
  const maxDelayMs = durationMs(retry.maxDelay ?? DEFAULTS.maxDelayMs);
  return { attempts, factor, jitter, retryIf, initialDelayMs, maxDelayMs };
}

/** Whether an attempt's failure ends the step (RP2), before the author's own word. */
export function isFinal(error: unknown, attempt: number, { attempts }: StepPolicy): boolean {
  if (attempt >= attempts || error instanceof TerminalError || error instanceof ContextMisuseError) return true;
  return error instanceof StepTimeoutError && error.kind === "total";
}

/** Whole milliseconds from 0 to the policy's longest delay, whatever the numbers are: the power may be infinite, and 0 times that is no number. */
export function delayAfter(attempt: number, error: unknown, policy: RetryDelays, random: () => number): number {
  if (error instanceof RetryableError && error.delayMs !== undefined) return error.delayMs;
  const { initialDelayMs, factor, maxDelayMs, jitter } = policy;
  const grown = initialDelayMs === 0 ? 0 : initialDelayMs * factor ** (attempt - 1);
  return Math.round(Math.min(grown, maxDelayMs) * (1 - jitter * random()));
}
