/**
 * Callers that wait until the group is in some state, each with a deadline. The conditions are checked at the end of every turn.
 *
 * Invariant: every caller is settled exactly once: by its condition, by its deadline, or by the end of the group. A caller that comes
 * after the end is refused at once.
 */
import type { RaftError } from "../../errors.ts";

interface Waiter {
  readonly isMet: () => boolean;
  readonly deadlineMs: number;
  readonly timeout: () => RaftError;
  readonly resolve: () => void;
  readonly reject: (error: RaftError) => void;
}

/** The waiting callers of one group. Times are in milliseconds of the clock's monotonic time. */
export class Conditions {
  readonly #began: () => void;
  #waiters: Waiter[] = [];
  #closed: RaftError | undefined;

  /** `began` is called when a caller begins to wait. */
  constructor(began: () => void = () => {}) {
    this.#began = began;
  }

  /** Resolves at once or at the first check at which `isMet` returns true. Rejects with `timeout()` at the first check after `deadlineMs`. */
  until(isMet: () => boolean, deadlineMs: number, timeout: () => RaftError): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (isMet()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ isMet, deadlineMs, timeout, resolve, reject });
      this.#began();
    });
  }

  /** Whether a caller waits. */
  get hasWaiters(): boolean {
    return this.#waiters.length > 0;
  }

  /** Settles the callers whose condition is met or whose deadline has passed. */
  check(nowMs: number): void {
    if (this.#waiters.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => {
      if (waiter.isMet()) waiter.resolve();
      else if (waiter.deadlineMs <= nowMs) waiter.reject(waiter.timeout());
      else return true;
      return false;
    });
  }

  /** Rejects all waiting callers, and all later ones, with `error`. */
  close(error: RaftError): void {
    this.#closed ??= error;
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters = [];
  }
}
