/**
 * Bounds how many bodies run at once on a node; the rest wait in order of arrival. A body that only sleeps or waits for
 * signals gives its slot back meanwhile.
 *
 * SL1. At most `capacity` slots are taken, but for those that were taken beyond it: a cancelled body does not wait.
 * SL2. While something waits, every slot is taken.
 */

interface Waiting {
  /** Undefined once the slot is given or the wait is over. */
  given: (() => void) | undefined;
}

/** The slots of one node. What takes a slot must release it once (SL1, SL2). */
export class Slots {
  readonly #capacity: number;
  #taken = 0;
  #queue: Waiting[] = [];
  #next = 0;
  #waiting = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Takes a slot if one is free. */
  tryTake(): boolean {
    if (this.#taken >= this.#capacity) return false;
    this.#taken += 1;
    return true;
  }

  /** Takes a slot, whether or not one is free: for a body that has to clean up now. */
  takeBeyond(): void {
    this.#taken += 1;
  }

  /**
   * Takes a slot as soon as one is free, and calls `given` in the same turn. To be used after {@link tryTake} has failed. Returns the way to stop
   * waiting, which is false once the slot is given.
   */
  enqueue(given: () => void): () => boolean {
    const waiting: Waiting = { given };
    this.#queue.push(waiting);
    this.#waiting += 1;
    return () => {
      if (waiting.given === undefined) return false;
      waiting.given = undefined;
      this.#waiting -= 1;
      this.#compact();
      return true;
    };
  }

  /** Gives a slot back, to the run that has waited longest. */
  release(): void {
    const given = this.#taken > this.#capacity ? undefined : this.#shift();
    if (given === undefined) this.#taken -= 1;
    else given();
  }

  #shift(): (() => void) | undefined {
    while (this.#next < this.#queue.length) {
      const waiting = this.#queue[this.#next];
      this.#next += 1;
      const given = waiting?.given;
      if (waiting === undefined || given === undefined) continue;
      waiting.given = undefined;
      this.#waiting -= 1;
      this.#compact();
      return given;
    }
    this.#compact();
    return undefined;
  }

  /** Drops what waits no longer, once it is more than what does. */
  #compact(): void {
    if (this.#queue.length < 1024 || this.#waiting * 2 > this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#next).filter(({ given }) => given !== undefined);
    this.#next = 0;
  }
}
