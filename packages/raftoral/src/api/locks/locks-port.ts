/** What an implementation of {@link Locks} has to do itself. Every call keeps its limit and rejects with a RaftoralError. */
import type { CallLimit } from "../call-options.ts";
import type { Leader, LockInfo, LockLimits } from "./locks.ts";

/** A checked ask. The same request id again is the same ask. */
export interface LockRequest {
  readonly name: string;
  readonly limits: LockLimits;
  readonly requestId: string;
  readonly leaseMs: number;
  readonly value: string;
  /** Whether it is over at once if it is not granted. */
  readonly onlyNow: boolean;
}

/** How an ask was answered: with a token, with 0 when it was not granted at once and does not wait, or not yet. */
export type LockAnswer = number | undefined;

/** Which locks are read. */
export interface LockQuery {
  /** Only this one. */
  readonly name: string | undefined;
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number;
}

/** What an operator does to a lock. */
export type LockChange =
  | { readonly kind: "release"; readonly token: number }
  | { readonly kind: "define"; readonly limits: LockLimits }
  | { readonly kind: "delete" };

/** A checked change. */
export interface LockChangeRequest {
  readonly name: string;
  readonly change: LockChange;
  readonly reason: string;
}

/** The calls that differ. */
export interface LocksPort {
  /** Asks, or renews what was asked for; undefined when it waits still once `waitMs` is over. Resolves as soon as it is granted. */
  acquire(request: LockRequest, waitMs: number, limit: CallLimit): Promise<LockAnswer>;
  /** Rejects with LOCK_LOST when the request does not hold the lock with this token. */
  renew(name: string, requestId: string, token: number, limit: CallLimit): Promise<void>;
  /** Ends an ask; one that is not there is taken for ended. */
  release(name: string, requestId: string, limit: CallLimit): Promise<void>;
  locks(query: LockQuery, limit: CallLimit): Promise<readonly LockInfo[]>;
  /** Who leads, once that is another one than the holder of token `not` (0: than no one); undefined once `waitMs` is over. `token` 0: no one leads. */
  leader(name: string, not: number, waitMs: number, limit: CallLimit): Promise<Leader | undefined>;
}
