/** Locks and rate limiters, as commands, runs and the state speak of them. */
import { uint } from "../wire/fields.ts";
import { messageCodec } from "../wire/message-codec.ts";

/**
 * What a lock grants. Either `permits` (a lock: so many holders at once) or the rate (a limiter: so many asks in a time) is there. All 0: as the lock is known, or one
 * permit.
 */
export interface LockLimits {
  /** Holders at once; 1 for a mutex, 0 for a limiter. */
  readonly permits: number;
  /** Asks that are granted in `ratePeriodMs`, on average; 0 for a lock. */
  readonly rateLimit: number;
  /** The time of the rate, in ms. */
  readonly ratePeriodMs: number;
  /** Asks that are granted at once after a pause: what the bucket holds. */
  readonly burst: number;
}

/** What an ask has that names no limits. */
export const AS_KNOWN: LockLimits = Object.freeze({ permits: 0, rateLimit: 0, ratePeriodMs: 0, burst: 0 });
/** What a lock has that no one gave others. */
export const MUTEX: LockLimits = Object.freeze({ ...AS_KNOWN, permits: 1 });

export const lockLimitsCodec = messageCodec<LockLimits>(
  { permits: uint(1), rateLimit: uint(2), ratePeriodMs: uint(3), burst: uint(4) },
  {},
);

/** Longest name of a lock, and of a request, in UTF-16 units. */
export const MAX_LOCK_NAME_LENGTH = 200;
/** Longest value of an ask, in UTF-16 units. */
export const MAX_LOCK_VALUE_LENGTH = 1_000;
/** Most permits of a lock, and most tokens of a bucket. */
export const MAX_PERMITS = 100_000;
/** Longest lease, and longest time of a rate, in ms: a day, and a year. */
export const MAX_LEASE_MS = 24 * 3_600_000;
export const MAX_LIMIT_PERIOD_MS = 366 * 24 * 3_600_000;

/** Whether the limits are those of a rate limiter. */
export function isLimiter({ rateLimit }: LockLimits): boolean {
  return rateLimit > 0;
}

/** Whether an ask with these limits names none. */
export function isAsKnown({ permits, rateLimit }: LockLimits): boolean {
  return permits === 0 && rateLimit === 0;
}

/** Whether two limits are alike. */
export function isSameLimits(a: LockLimits, b: LockLimits): boolean {
  if (a.permits !== b.permits || a.rateLimit !== b.rateLimit) return false;
  return a.ratePeriodMs === b.ratePeriodMs && a.burst === b.burst;
}

/** What is wrong with limits, as a sentence; undefined when nothing is. */
export function limitsProblem({ permits, rateLimit, ratePeriodMs, burst }: LockLimits): string | undefined {
  if (permits > 0 && rateLimit > 0) return "It has permits and a rate. Give one of them.";
  if (permits > MAX_PERMITS || rateLimit > MAX_PERMITS || burst > MAX_PERMITS)
    return `It has more than ${MAX_PERMITS} permits. Give fewer.`;
  if (rateLimit > 0 !== ratePeriodMs > 0 || rateLimit > 0 !== burst > 0)
    return "Its rate needs a limit, a time and a burst. Give all of them.";
  return ratePeriodMs > MAX_LIMIT_PERIOD_MS
    ? "The time of its rate is longer than a year. Give a shorter one."
    : undefined;
}

/** What a run records of an ask. */
export interface RecordedAsk {
  readonly name: string;
  readonly limits: LockLimits;
  /** Until when it waits, in ms since the epoch of the run's time; absent for as long as it takes. */
  readonly deadlineMs?: number;
}

/** How an ask of a run was answered: with a token, or with why it cannot be. A record without a value: it was not granted in time. */
export type RecordedGrant = { readonly token: number } | { readonly code: string; readonly message: string };

/** Where the answer to the ask at a path is recorded. */
export function grantPath(path: string): string {
  return `${path}/granted`;
}

/** Where it is recorded that the ask at a path is over. */
export function releasePath(path: string): string {
  return `${path}/released`;
}

/** The path of the ask that a record at {@link grantPath} or {@link releasePath} is of. */
export function askPathOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** The ask of a record; undefined for bytes that are none. */
export function askIn(value: Uint8Array): RecordedAsk | undefined {
  const ask = parsed(value) as Partial<RecordedAsk> | undefined;
  const limits = ask?.limits;
  if (typeof ask?.name !== "string" || typeof limits !== "object" || limits === null) return undefined;
  const { permits, rateLimit, ratePeriodMs, burst } = limits;
  const isRead = [permits, rateLimit, ratePeriodMs, burst].every((each) => Number.isSafeInteger(each) && each >= 0);
  return isRead ? { ...ask, name: ask.name, limits: { permits, rateLimit, ratePeriodMs, burst } } : undefined;
}

/** The bytes of a grant. */
export function encodeGrant(grant: RecordedGrant): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(grant));
}

/** The token of a grant's record; undefined for another answer. */
export function tokenInGrant(value: Uint8Array): number | undefined {
  const grant = parsed(value) as { readonly token?: unknown } | undefined;
  return typeof grant?.token === "number" ? grant.token : undefined;
}

function parsed(value: Uint8Array): object | undefined {
  try {
    const found: unknown = JSON.parse(new TextDecoder().decode(value));
    return typeof found === "object" && found !== null ? found : undefined;
  } catch {
    return undefined;
  }
}
