/** The end of a call's time, for a call that is made of several. */
import { type Clock, RaftError } from "@raftoral/raft-core";

/** How long something may take, in milliseconds; may be Infinity. */
export interface Timeout {
  readonly timeoutMs: number;
}

/** A moment on a clock that only goes forward. */
export class Deadline {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #endMs: number;

  /** `timeoutMs` from now on. */
  constructor({ timeoutMs }: Timeout, clock: Clock) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#endMs = clock.monotonicMs() + timeoutMs;
  }

  /** Milliseconds until then; 0 or less once it is over. */
  get leftMs(): number {
    return this.#endMs - this.#clock.monotonicMs();
  }

  /** What is left of the time, or a share of that; at least a millisecond, so that what is tried fails for its own reason. */
  left(share = 1): Timeout {
    return { timeoutMs: Math.max(1, Math.floor(this.leftMs * share)) };
  }

  /** Throws DEADLINE_EXCEEDED once the time is over. `what` begins the message. */
  assertLeft(what: string): void {
    if (this.leftMs > 0) return;
    throw new RaftError(
      "DEADLINE_EXCEEDED",
      `${what} did not begin within ${this.#timeoutMs} ms; nothing was changed. Allow more time.`,
      { retryable: true },
    );
  }
}
