/** Checks what callers give of locks. Everything throws REQUEST_INVALID, unless it says otherwise. */
import {
  MAX_LEASE_MS,
  MAX_LOCK_NAME_LENGTH,
  MAX_LOCK_VALUE_LENGTH,
  MAX_PERMITS,
  WorkflowError,
} from "@raftoral/workflow";
import { invalid, textProblem } from "../arguments.ts";
import type { GivenLockLimits, LockFilter, LockLimits } from "./locks.ts";
import type { LockQuery } from "./locks-port.ts";

/** How long an ask stays without a word of its process, unless told otherwise. */
export const DEFAULT_LEASE_MS = 15_000;
/** Shorter leases would be lost by a pause of the event loop. */
const MIN_LEASE_MS = 100;
const MAX_PERIOD_MS = 366 * 24 * 3_600_000;
const DEFAULT_LISTED = 100;
const MAX_LISTED = 1_000;

/** Throws NAME_INVALID. */
export function lockNameArgument(name: unknown): string {
  const problem = textProblem(name, MAX_LOCK_NAME_LENGTH);
  if (problem === undefined) return name as string;
  throw new WorkflowError(
    "NAME_INVALID",
    `The name of a lock is text of 1 to ${MAX_LOCK_NAME_LENGTH} characters without lone surrogates; this one ${problem}. Choose another name.`,
  );
}

/** Milliseconds. */
export function leaseArgument(leaseMs: unknown): number {
  if (leaseMs === undefined) return DEFAULT_LEASE_MS;
  if (typeof leaseMs === "number" && leaseMs >= MIN_LEASE_MS && leaseMs <= MAX_LEASE_MS) return Math.ceil(leaseMs);
  throw invalid("leaseMs", leaseMs, `a number of milliseconds from ${MIN_LEASE_MS} to ${MAX_LEASE_MS}`);
}

/** What others see of a holder. */
export function valueArgument(value: unknown): string {
  if (value === undefined) return "";
  if (typeof value === "string" && value.length <= MAX_LOCK_VALUE_LENGTH && value.isWellFormed()) return value;
  throw invalid("value", value, `text of at most ${MAX_LOCK_VALUE_LENGTH} characters, or left out`);
}

/** Permits or a rate, with its burst. */
export function lockLimitsArgument(limits: unknown): LockLimits {
  if (typeof limits !== "object" || limits === null) throw invalid("limits", limits, "an object with permits or rate");
  const { permits, rate } = limits as Partial<Record<"permits" | "rate", unknown>>;
  if (permits !== undefined && rate !== undefined) throw invalid("limits.rate", rate, "left out beside permits");
  if (rate === undefined) return { permits: whole("permits", permits) };
  if (typeof rate !== "object" || rate === null)
    throw invalid("limits.rate", rate, "an object with limit and periodMs");
  return { rate: rateArgument(rate as Extract<GivenLockLimits, { readonly rate: unknown }>["rate"]) };
}

/** A rate with its burst. */
export function rateArgument({
  limit,
  periodMs,
  burst = limit,
}: {
  readonly limit?: unknown;
  readonly periodMs?: unknown;
  readonly burst?: unknown;
}): Extract<LockLimits, { readonly rate: unknown }>["rate"] {
  if (typeof periodMs !== "number" || !(periodMs > 0 && periodMs <= MAX_PERIOD_MS))
    throw invalid("periodMs", periodMs, `a number of milliseconds above 0, and at most ${MAX_PERIOD_MS}`);
  return { limit: whole("limit", limit), periodMs: Math.ceil(periodMs), burst: whole("burst", burst) };
}

/** A token of a holder. */
export function lockTokenArgument(token: unknown): number {
  if (typeof token === "number" && Number.isSafeInteger(token) && token > 0) return token;
  throw invalid("token", token, "the token of a holder: a whole number from 1");
}

/** Which locks are listed. */
export function lockQuery({ prefix = "", after, limit = DEFAULT_LISTED }: LockFilter): LockQuery {
  if (typeof prefix !== "string" || !prefix.isWellFormed()) throw invalid("prefix", prefix, "text, or left out");
  if (after !== undefined && typeof after !== "string")
    throw invalid("after", after, "the name of a lock, or left out");
  const isWhole = typeof limit === "number" && Number.isInteger(limit) && limit >= 1 && limit <= MAX_LISTED;
  if (!isWhole) throw invalid("limit", limit, `a whole number from 1 to ${MAX_LISTED}`);
  return { name: undefined, prefix, after, limit };
}

function whole(name: string, value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_PERMITS) return value;
  throw invalid(name, value, `a whole number from 1 to ${MAX_PERMITS}`);
}
