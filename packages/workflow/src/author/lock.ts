/** Locks and rate limiters, as workflow authors and service code name them. */
import { WorkflowError } from "../errors.ts";
import { AS_KNOWN, type LockLimits, limitsProblem, MAX_LOCK_NAME_LENGTH } from "../model/lock.ts";
import type { AbortOptions } from "./abort-options.ts";
import { type Duration, durationMs } from "./values/duration.ts";

/** Options of `ctx.lock` and `ctx.semaphore`. */
export interface LockOptions extends AbortOptions {
  /** How long the lock may take to be granted. The time counts across crashes. As long as it takes by default. */
  readonly timeout?: Duration;
}

/** A rate: `limit` permits in `period`, on average. */
export interface LimitRate {
  /** Permits in `period`. */
  readonly limit: number;
  readonly period: Duration;
  /** Permits that may be taken at once after a pause: what the bucket holds (`limit`). */
  readonly burst?: number;
}

/** Options of `ctx.limit`. */
export interface LimitOptions extends LimitRate, LockOptions {}

/** A lock in the hands of a body, while its function runs. */
export interface BodyLock {
  readonly name: string;
  /**
   * Higher than every token that holders of this lock had before, for ever. Hand it to outside systems, which refuse lower ones than they have seen. It differs from the one
   * that a replay had only where the run was retried or forked, and had to ask for the lock again: use it in steps.
   */
  readonly token: number;
}

/** Limits of a lock with so many permits. Throws LOCK_OPTIONS_INVALID. */
export function permitLimits(name: string, permits: number): LockLimits {
  return checked(name, { ...AS_KNOWN, permits });
}

/** Limits of a limiter. Throws LOCK_OPTIONS_INVALID. */
export function rateLimits(name: string, { limit, period, burst = limit }: LimitRate): LockLimits {
  return checked(name, { permits: 0, rateLimit: limit, ratePeriodMs: Math.ceil(durationMs(period)), burst });
}

function checked(name: string, limits: LockLimits): LockLimits {
  checkLockName(name);
  const numbers = [limits.permits + limits.rateLimit, limits.rateLimit > 0 ? limits.burst : 1];
  const isWhole = numbers.every((each) => Number.isSafeInteger(each) && each >= 1);
  const problem = isWhole
    ? limitsProblem(limits)
    : "Permits, limits and bursts are whole numbers from 1. Give such ones.";
  if (problem === undefined) return limits;
  throw new WorkflowError("LOCK_OPTIONS_INVALID", `Lock ${name} cannot have these limits. ${problem}`);
}

/** Throws NAME_INVALID unless a lock may have this name. */
export function checkLockName(name: string): void {
  const isName = typeof name === "string" && name.length > 0 && name.length <= MAX_LOCK_NAME_LENGTH;
  if (isName && name.isWellFormed()) return;
  const given = typeof name === "string" ? `one of ${name.length}` : typeof name;
  throw new WorkflowError(
    "NAME_INVALID",
    `Names of locks are well-formed texts of 1 to ${MAX_LOCK_NAME_LENGTH} characters, not ${given}. Choose another name.`,
  );
}
