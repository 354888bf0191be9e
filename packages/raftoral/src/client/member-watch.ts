/**
 * Keeps what a client knows of a cluster's members up to date, for as long as it lives.
 *
 * Invariants:
 * K1. One look at a time, and no two within a tenth of the interval, however often calls fail over.
 * K2. It keeps no process alive, and its failures are nobody's.
 */
export interface MemberWatchOptions {
  /** Asks any node for the addresses of all. */
  readonly read: () => Promise<readonly string[]>;
  readonly learn: (addresses: readonly string[]) => void;
  /** Time from one look to the next. */
  readonly intervalMs: number;
}

export class MemberWatch {
  readonly #options: MemberWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #lastLook = performance.now();
  #isLooking = false;
  #isClosed = false;

  constructor(options: MemberWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#look(), options.intervalMs).unref();
  }

  /** A node did not answer: members may have changed. */
  suspect(): void {
    if (performance.now() - this.#lastLook >= this.#options.intervalMs / 10) void this.#look();
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isLooking || this.#isClosed) return;
    this.#isLooking = true;
    this.#lastLook = performance.now();
    try {
      const addresses = await this.#options.read();
      if (!this.#isClosed) this.#options.learn(addresses);
    } catch {
      // Nobody answers, so nobody is known better; the next look may find somebody (K2).
    } finally {
      this.#isLooking = false;
    }
  }
}
