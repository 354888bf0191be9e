/** Something that happens once. It costs a flag until somebody waits for it: most bodies end without anybody waiting. */

/** A promise without a value that is made when it is first asked for. */
export class Latch {
  #isOpen = false;
  #waiting: PromiseWithResolvers<void> | undefined;

  /** Whether it has happened. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** It happens. Idempotent. */
  open(): void {
    this.#isOpen = true;
    this.#waiting?.resolve();
  }

  /** Resolves when it has happened. The same promise for all who ask. */
  get opened(): Promise<void> {
    if (this.#waiting === undefined) {
      this.#waiting = Promise.withResolvers();
      if (this.#isOpen) this.#waiting.resolve();
    }
    return this.#waiting.promise;
  }
}
