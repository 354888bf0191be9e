/**
 * Terms of a log, remembered as runs: a log has as many runs as it had terms, not entries, so every term of it fits in
 * memory and is found without touching the disk.
 */
export class TermRuns {
  /** Run `i` goes from `starts[i]` up to `starts[i + 1]`; both arrays ascend. */
  #starts: number[] = [];
  #terms: number[] = [];

  /** Term at `index`, which must be inside the log (or its compaction point). */
  at(index: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    // Nearly every question is about the newest run.
    if (high >= 0 && (this.#starts[high] as number) <= index) return this.#terms[high] as number;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#starts[middle] as number) <= index) low = middle;
      else high = middle - 1;
    }
    return this.#terms[low] ?? 0;
  }

  /** The next entry has this term. */
  append(index: number, term: number): void {
    const last = this.#terms.length - 1;
    if (last >= 0 && this.#terms[last] === term) return;
    this.#starts.push(index);
    this.#terms.push(term);
  }

  /** Forgets entries from `index` on. */
  truncateFrom(index: number): void {
    while (this.#starts.length > 0 && (this.#starts[this.#starts.length - 1] as number) >= index) {
      this.#starts.pop();
      this.#terms.pop();
    }
  }

  /** Forgets entries before `index`. */
  dropBefore(index: number): void {
    let drop = 0;
    while (drop + 1 < this.#starts.length && (this.#starts[drop + 1] as number) <= index) drop++;
    if (drop === 0) return;
    this.#starts = this.#starts.slice(drop);
    this.#terms = this.#terms.slice(drop);
  }

  /** Starts over with one known term. */
  reset(index: number, term: number): void {
    this.#starts = [index];
    this.#terms = [term];
  }
}
