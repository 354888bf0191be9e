/** Keeps contents of snapshots on disk that nothing refers to any more, while somebody copies what did a moment ago. */
export class SnapshotHold {
  #holders = 0;
  readonly #waiting = new Set<() => void>();

  get isHeld(): boolean {
    return this.#holders > 0;
  }

  /** Nothing is deleted until the returned function is called. Idempotent. */
  hold(): () => void {
    this.#holders += 1;
    let isHolding = true;
    return () => {
      if (!isHolding) return;
      isHolding = false;
      this.#holders -= 1;
      if (this.#holders > 0) return;
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const released of waiting) released();
    };
  }

  /** `released` is called once no holder is left. The same function waits once. */
  whenReleased(released: () => void): void {
    this.#waiting.add(released);
  }
}
