/**
 * LockAcquire: service code asks for a lock, or says again that it waits for it or holds it.
 *
 * LC1. An ask is named by its request id: the same one again is the same ask, and renews its lease. So a caller whose answer was lost asks again.
 * LC2. An ask whose lease is over is gone, whether it waits or holds: the leader says so (locks-due.ts). One that comes again then waits behind the others.
 */
import { AS_KNOWN, type LockLimits, lockLimitsCodec, MAX_LEASE_MS, MAX_LOCK_NAME_LENGTH } from "../../model/lock.ts";
import { ask } from "../../state/locks/asking.ts";
import { grantBeside } from "../../state/locks/granting.ts";
import { bool, message, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { refused } from "../refusal.ts";

/**
 * Asks for a lock. Answered with LockAnswered. Refused with NAME_INVALID, COMMAND_INVALID for limits or a lease that are none, LOCK_CONFLICT for a limiter that was asked for as
 * a lock, and LOCK_LIMIT_REACHED.
 */
export interface LockAcquire {
  readonly kind: "LockAcquire";
  readonly name: string;
  /** Limits that the caller's code names (asking.ts LA1); all 0 for none. */
  readonly limits: LockLimits;
  readonly requestId: string;
  /** What the caller says of itself. */
  readonly value: string;
  /** How long the ask stays without being renewed, in ms. */
  readonly leaseMs: number;
  /** Whether it is over at once if it is not granted. */
  readonly onlyNow: boolean;
  readonly atMs: number;
}

/** Where the ask is. */
export interface LockAnswered {
  readonly ok: true;
  readonly kind: "LockAnswered";
  /** `none`: it was not granted at once, and does not wait. */
  readonly state: "granted" | "waiting" | "none";
  /** Of a granted one. */
  readonly token: number;
}

export const lockAcquire = defineCommand<LockAcquire, LockAnswered>({
  kind: "LockAcquire",
  field: 63,
  summary: "Asks for a lock or a permit of a limiter, or renews what was asked for.",
  maxRuns: 0,
  fields: {
    name: string(1),
    limits: message(2, lockLimitsCodec, AS_KNOWN),
    requestId: string(3),
    value: string(4),
    leaseMs: uint(5),
    onlyNow: bool(6),
    atMs: uint(7),
  },
  apply(tables, { name, limits, requestId, value, leaseMs, onlyNow }) {
    const { locks } = tables;
    const isNamed = requestId.length > 0 && requestId.length <= MAX_LOCK_NAME_LENGTH;
    if (!isNamed || leaseMs === 0 || leaseMs > MAX_LEASE_MS) {
      return refused(
        "COMMAND_INVALID",
        `A request for lock ${name} needs an id of 1 to ${MAX_LOCK_NAME_LENGTH} characters and a lease of 1 to ${MAX_LEASE_MS} ms. Give both.`,
      );
    }
    const known = locks.request(name, requestId);
    if (known === undefined) {
      const asking = { name, requestId, start: 0, runId: "", path: "", value };
      const problem = ask(tables, asking, limits, leaseMs);
      if (problem !== undefined) return refused(problem.code, problem.message, { lock: name });
      grantBeside(tables);
    } else locks.renew(known);
    const now = locks.request(name, requestId);
    const { token = 0 } = now ?? {};
    if (token > 0) return { ok: true, kind: "LockAnswered", state: "granted", token };
    if (onlyNow && now !== undefined) locks.leave(now);
    return { ok: true, kind: "LockAnswered", state: onlyNow ? "none" : "waiting", token: 0 };
  },
});
