/**
 * Lets a bounded number through at once; the others wait their turn, in order.
 *
 * Role: an HTTP/2 connection carries a bounded number of calls (the server's setting), and what waits for a place there costs
 * memory of the session until both sides begin to refuse streams. So thousands of calls at once wait here instead.
 */
import type { Clock } from "@raftoral/raft-core";
import type { CallLimit } from "../api/call-options.ts";

/** A gate for at most `limit` calls at once. */
export class Gate {
  readonly #limit: number;
  readonly #clock: Clock;
  #inside = 0;
  readonly #waiting = new Set<() => void>();

  /** `limit` is how many may be inside at once. */
  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** How many are inside, as a part of the limit: 0 to 1. */
  get load(): number {
    return this.#inside / this.#limit;
  }

  /** How many wait to be let in. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves with true once inside; then {@link leave} is due. With false when the limit's time is over or its signal aborts. */
  enter({ timeoutMs, signal }: CallLimit): Promise<boolean> {
    if (signal?.aborted === true) return Promise.resolve(false);
    if (this.#inside < this.#limit) {
      this.#inside += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const settle = (isInside: boolean): void => {
        cancel();
        signal?.removeEventListener("abort", giveUp);
        resolve(isInside);
      };
      const admit = (): void => settle(true);
      const giveUp = (): void => {
        this.#waiting.delete(admit);
        settle(false);
      };
      const cancel = this.#clock.after(timeoutMs, giveUp);
      signal?.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(admit);
    });
  }

  /** Gives the place to the one that has waited longest. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#inside -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }

  /** Lets everybody in who waits: what they meet inside ends their calls. */
  open(): void {
    this.#inside += this.#waiting.size;
    for (const admit of this.#waiting) admit();
    this.#waiting.clear();
  }
}
