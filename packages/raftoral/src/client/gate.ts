/**
 * Lets a bounded number through at once; the others wait their turn, in order.
 *
 * Role: an HTTP/2 connection carries a bounded number of calls (the server's setting), and what waits for a place there costs
 * memory of the session until both sides begin to refuse streams. So thousands of calls at once wait here instead.
 */
export class Gate {
  readonly #limit: number;
  #inside = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many are inside, as a part of the limit: 0 to 1. */
  get load(): number {
    return this.#inside / this.#limit;
  }

  /** Resolves with true once inside; then {@link leave} is due. With false when that took longer than `timeoutMs`. */
  enter(timeoutMs: number): Promise<boolean> {
    if (this.#inside < this.#limit) {
      this.#inside += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const admit = () => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(admit);
        resolve(false);
      }, timeoutMs);
      this.#waiting.add(admit);
    });
  }

  /** Gives the place to whoever waits longest. */
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
