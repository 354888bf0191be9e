/**
 * The queue of one object's exclusive calls.
 *
 * EQ1. Calls run one after the other, in the order in which they were queued. A call that fails holds up none.
 * EQ2. Between the end of a call and the beginning of the next lies nothing but promises: a replay takes the same course.
 */
export class ExclusiveQueue {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `call` when those before have ended. Settles as it does. */
  run<T>(call: () => T | Promise<T>): Promise<T> {
    const before = this.#tail;
    const result = (async () => {
      await before;
      return await call();
    })();
    this.#tail = result.catch(() => {});
    return result;
  }
}
