/**
 * Bounds how many bodies run at once on a node; the rest wait in order of arrival. A body that only sleeps or waits for
 * signals gives its slot back meanwhile.
 */
export class Slots {
  readonly #capacity: number;
  #taken = 0;
  #queue: (() => void)[] = [];
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#queue.length - this.#next;
  }

  /** Takes a slot if one is free. */
  tryTake(): boolean {
    if (this.#taken >= this.#capacity) return false;
    this.#taken += 1;
    return true;
  }

  /** Takes a slot as soon as one is free. */
  take(): Promise<void> {
    if (this.tryTake()) return Promise.resolve();
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  /** Gives a slot back, to the run that has waited longest. */
  release(): void {
    const next = this.#queue[this.#next];
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#next += 1;
    if (this.#next > 1024 && this.#next * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#next);
      this.#next = 0;
    }
    next();
  }
}
