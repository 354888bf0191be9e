/** A set that costs next to nothing while it is empty: most of a body's are, and there may be many bodies. */

/** As a `Set`, made when something is first added. */
export class LazySet<T> {
  #set: Set<T> | undefined;

  get size(): number {
    return this.#set?.size ?? 0;
  }

  has(value: T): boolean {
    return this.#set?.has(value) === true;
  }

  add(value: T): void {
    this.#set ??= new Set();
    this.#set.add(value);
  }

  /** Whether the value was there. */
  delete(value: T): boolean {
    return this.#set?.delete(value) === true;
  }

  [Symbol.iterator](): Iterator<T> {
    return (this.#set ?? [])[Symbol.iterator]();
  }
}
