/**
 * Keeps what a client knows of a cluster's members up to date, for as long as it lives.
 *
 * Invariants:
 * K1. One look at a time, and no two within a tenth of the interval, however often calls fail over.
 * K2. It keeps no process alive, and its failures reach no caller.
 */
import type { Cancel, Clock } from "@raftoral/raft-core";

/** What {@link MemberWatch} needs. */
export interface MemberWatchOptions {
  /** Asks any node for the addresses of all. */
  readonly read: () => Promise<readonly string[]>;
  readonly learn: (addresses: readonly string[]) => void;
  /** Time from one look to the next. */
  readonly intervalMs: number;
  /** Its timers must keep no process alive (K2). */
  readonly clock: Clock;
}

/** The watch of one client (K1, K2). It begins when it is made. */
export class MemberWatch {
  readonly #options: MemberWatchOptions;
  readonly #cancel: Cancel;
  #lastLookMs: number;
  #isLooking = false;
  #isClosed = false;

  constructor(options: MemberWatchOptions) {
    this.#options = options;
    this.#lastLookMs = options.clock.monotonicMs();
    this.#cancel = options.clock.every(options.intervalMs, () => void this.#look());
  }

  /** A node did not answer: members may have changed. */
  suspect(): void {
    const { clock, intervalMs } = this.#options;
    if (clock.monotonicMs() - this.#lastLookMs >= intervalMs / 10) void this.#look();
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  async #look(): Promise<void> {
    if (this.#isLooking || this.#isClosed) return;
    this.#isLooking = true;
    this.#lastLookMs = this.#options.clock.monotonicMs();
    try {
      const addresses = await this.#options.read();
      if (!this.#isClosed) this.#options.learn(addresses);
    } catch {
      // No node answers, so the known members stay; the next look may find one that answers (K2).
    } finally {
      this.#isLooking = false;
    }
  }
}
