/** Timers in order of their time; timers of the same time in the order in which they were set. A binary heap. */

/** A timer on virtual time. */
export interface Timer {
  atMs: number;
  /** Decides between timers of the same time. */
  readonly order: number;
  readonly fire: () => void;
  isCancelled: boolean;
}

/** The timers of a {@link VirtualTime}. Adding one and taking the first each take logarithmic time. */
export class TimerHeap<T extends Timer> {
  #heap: T[] = [];

  /** Timers in the heap, cancelled ones included. */
  get size(): number {
    return this.#heap.length;
  }

  push(timer: T): void {
    const heap = this.#heap;
    let slot = heap.length;
    heap.push(timer);
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      const above = heap[parent] as T;
      if (!isBefore(timer, above)) break;
      heap[slot] = above;
      slot = parent;
    }
    heap[slot] = timer;
  }

  /** The earliest timer that was not cancelled. It stays in the heap. */
  peek(): T | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || !first.isCancelled) return first;
      this.#removeFirst();
    }
  }

  /** Takes the earliest timer that was not cancelled. */
  pop(): T | undefined {
    const first = this.peek();
    if (first !== undefined) this.#removeFirst();
    return first;
  }

  /** Moves every timer that is due before `atMs` to `atMs`. */
  postpone(atMs: number): void {
    const timers = this.#heap.filter((timer) => !timer.isCancelled);
    for (const timer of timers) timer.atMs = Math.max(timer.atMs, atMs);
    // A sorted array is a heap.
    this.#heap = timers.sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  /** Takes every timer that `isSought`. */
  takeAll(isSought: (timer: T) => boolean): readonly T[] {
    const taken = this.#heap.filter((timer) => !timer.isCancelled && isSought(timer));
    this.#heap = this.#heap
      .filter((timer) => !timer.isCancelled && !isSought(timer))
      .sort((a, b) => (isBefore(a, b) ? -1 : 1));
    return taken;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let slot = 0;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as T, heap[child] as T)) child++;
      const below = heap[child] as T;
      if (!isBefore(below, last)) break;
      heap[slot] = below;
      slot = child;
    }
    heap[slot] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
