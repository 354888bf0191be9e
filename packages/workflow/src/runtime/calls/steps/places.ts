/**
 * Places of a scope: how many steps of it, and of the scopes in it, run at once.
 *
 * PL1. A step without a record takes a place of every bounded scope around it before its function is called, and gives them back when it has its record, or will
 *      get none. Delays between its attempts are within.
 * PL2. Places are given in the order in which steps ask for them, which is that of the calls.
 * PL3. Inner scopes first: a step that waits in an inner scope holds no place of an outer one. All steps take them in this order, so none waits for itself.
 * PL4. Waiting is not recorded: a replay is answered from the record without a place, and the log alone decides the order of answers.
 */

/** The way to give a place that was waited for. */
interface Waiting {
  /** Undefined once the place is given or the wait is over. */
  give: (() => void) | undefined;
}

/** Fewer waits that are over are left in the queue. */
const MIN_COMPACTED = 1024;

/** The places of one scope. */
export class Places {
  readonly outer: Places | undefined;
  #free: number;
  #queue: Waiting[] = [];
  #next = 0;

  /** `outer`: those of the next bounded scope around this one. */
  constructor(concurrency: number, outer: Places | undefined) {
    this.#free = concurrency;
    this.outer = outer;
  }

  /** Undefined when a place is free, which is the caller's now; else resolves with one. `onStop` takes what ends the wait, and calls it back with the reason. */
  take(onStop: (fn: (reason: Error) => void) => () => void): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free -= 1;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { give: undefined };
      const stopListening = onStop((reason) => {
        waiting.give = undefined;
        reject(reason);
      });
      waiting.give = () => {
        stopListening();
        resolve();
      };
      this.#queue.push(waiting);
    });
  }

  /** Gives a place back, to the step that has waited longest (PL2). */
  release(): void {
    while (this.#next < this.#queue.length) {
      const give = this.#queue[this.#next]?.give;
      this.#next += 1;
      if (give === undefined) continue;
      this.#compact();
      give();
      return;
    }
    this.#compact();
    this.#free += 1;
  }

  #compact(): void {
    if (this.#next < MIN_COMPACTED || this.#next * 2 < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#next);
    this.#next = 0;
  }
}
