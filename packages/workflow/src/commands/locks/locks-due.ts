/**
 * LocksDue: what the leader says of the time that has passed for leases and limiters; and grants what bounded pieces have left.
 *
 * LD1. How old leases and takings are, the leader measures on its monotonic clock, from when it saw them. So no clock that people set has a part in it: a lease is never shorter
 *      than it says, and a change of leader makes one longer, by its length at most.
 * LD2. The command names a lease by how often it was renewed, and a bucket by the limiter's generation and a count that only grows. So it is true for ever: it may be
 *      applied late, and twice.
 */
import { isLimiter } from "../../model/lock.ts";
import { GRANTED_AT_ONCE, grantPiece } from "../../state/locks/granting.ts";
import { messages, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { defineCommand } from "../command.ts";

/** Leases and buckets that one command is about at most. */
export const MAX_DUE_AT_ONCE = 64;

/** A lease that is over. */
export interface ExpiredLease {
  readonly name: string;
  readonly requestId: string;
  readonly renewals: number;
}

/** A bucket that has tokens back. */
export interface RefilledBucket {
  readonly name: string;
  readonly generation: number;
  /** How many of those taken it has back in all. */
  readonly refilled: number;
}

/** Says what time has passed. Answered with LocksGranted. */
export interface LocksDue {
  readonly kind: "LocksDue";
  readonly expired: readonly ExpiredLease[];
  readonly refilled: readonly RefilledBucket[];
  readonly atMs: number;
}

/** Leases are over, buckets are refilled, and asks were granted. */
export interface LocksGranted {
  readonly ok: true;
  readonly kind: "LocksGranted";
  readonly expired: number;
  /** Whether others may be granted at once. */
  readonly more: boolean;
}

const expiredCodec = messageCodec<ExpiredLease>({ name: string(1), requestId: string(2), renewals: uint(3) }, {});
const refilledCodec = messageCodec<RefilledBucket>({ name: string(1), generation: uint(2), refilled: uint(3) }, {});

export const locksDue = defineCommand<LocksDue, LocksGranted>({
  kind: "LocksDue",
  field: 66,
  summary: "Ends leases that are over, refills limiters, and grants the next piece of what waits.",
  maxRuns: GRANTED_AT_ONCE,
  fields: { expired: messages(1, expiredCodec), refilled: messages(2, refilledCodec), atMs: uint(3) },
  apply(tables, command) {
    const { locks } = tables;
    let expired = 0;
    for (const { name, requestId, renewals } of command.expired.slice(0, MAX_DUE_AT_ONCE)) {
      const request = locks.request(name, requestId);
      if (request?.renewals === renewals && locks.leave(request)) expired += 1;
    }
    for (const { name, generation, refilled } of command.refilled.slice(0, MAX_DUE_AT_ONCE)) {
      const lock = locks.get(name);
      if (lock === undefined || !isLimiter(lock.limits) || lock.generation !== generation) continue;
      if (refilled > lock.refilled && refilled <= lock.taken) locks.refill(lock, refilled);
    }
    grantPiece(tables, GRANTED_AT_ONCE, 0);
    return { ok: true, kind: "LocksGranted", expired, more: locks.isDue };
  },
});
