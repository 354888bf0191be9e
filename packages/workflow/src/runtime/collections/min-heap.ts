/** A queue by number: the least first, and of equal ones the one that came first. */

interface Entry<T> {
  readonly rank: number;
  /** Order of arrival. */
  readonly number: number;
  readonly value: T;
}

/** A priority queue: a binary heap. `push` and `pop` take time logarithmic in its size; `first` takes constant time. */
export class MinHeap<T> {
  readonly #entries: Entry<T>[] = [];
  #arrived = 0;

  get size(): number {
    return this.#entries.length;
  }

  /** What is first; undefined when there is nothing. */
  get first(): { readonly rank: number; readonly value: T } | undefined {
    return this.#entries[0];
  }

  /** Drops every value that is not to be kept. Takes time in proportion to its size, and with that logarithm. */
  retain(isKept: (value: T) => boolean): void {
    const kept = this.#entries.filter(({ value }) => isKept(value));
    this.#entries.length = 0;
    for (const entry of kept) this.#insert(entry);
  }

  push(rank: number, value: T): void {
    this.#insert({ rank, number: this.#arrived++, value });
  }

  #insert(entry: Entry<T>): void {
    const entries = this.#entries;
    let at = entries.length;
    entries.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = entries[above] as Entry<T>;
      if (!isBefore(entry, parent)) break;
      entries[at] = parent;
      at = above;
    }
    entries[at] = entry;
  }

  /** Takes what is first. */
  pop(): void {
    const entries = this.#entries;
    const last = entries.pop();
    if (last === undefined || entries.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= entries.length) break;
      const right = left + 1;
      const isRight = right < entries.length && isBefore(entries[right] as Entry<T>, entries[left] as Entry<T>);
      const child = isRight ? right : left;
      if (!isBefore(entries[child] as Entry<T>, last)) break;
      entries[at] = entries[child] as Entry<T>;
      at = child;
    }
    entries[at] = last;
  }
}

function isBefore<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.number < b.number);
}
