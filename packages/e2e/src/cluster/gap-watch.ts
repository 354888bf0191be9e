/** The longest time in which nothing was acknowledged: how long clients had to wait for the cluster. */

export interface Gap {
  readonly ms: number;
  /** When it began, by `performance.now()`. */
  readonly fromMs: number;
}

/** Measures the longest gap between two acknowledgements. */
export class GapWatch {
  #lastMs = performance.now();
  #longest: Gap = { ms: 0, fromMs: this.#lastMs };

  /** Something was acknowledged. */
  acknowledged(): void {
    const now = performance.now();
    const ms = now - this.#lastMs;
    if (ms > this.#longest.ms) this.#longest = { ms, fromMs: this.#lastMs };
    this.#lastMs = now;
  }

  /** Since the beginning, up to the latest acknowledgement. */
  get longest(): Gap {
    return this.#longest;
  }
}
