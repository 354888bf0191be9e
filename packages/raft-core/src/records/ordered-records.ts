/**
 * An ordered table in memory. Writing costs as much as in a hash table, because new keys are sorted only when the order is needed.
 *
 * O1. Every key of `#values` is in exactly one block, or in `#added`, or in both after it was removed and put again.
 * O2. Blocks are not empty, each block is ascending, and the blocks are ascending.
 */
import type { StateKey } from "../ports/state-reader.ts";

/** Half of the most keys in a block. A larger block is split. */
const BLOCK_KEYS = 256;
/** Most unsorted keys. Beyond that they are sorted at once, so that sorting never takes long. */
const MAX_UNORDERED_KEYS = 4_096;

/** Records ordered by key. Values are not copied. */
export class OrderedRecords<Value> {
  readonly #values = new Map<StateKey, Value>();
  #blocks: StateKey[][] = [];
  #added: StateKey[] = [];
  /** Grows whenever keys change places. */
  #version = 0;

  /** Number of records. */
  get size(): number {
    return this.#values.size;
  }

  /** The value of `key`, or undefined. */
  get(key: StateKey): Value | undefined {
    return this.#values.get(key);
  }

  /** Puts a record. Returns whether the key is new. */
  set(key: StateKey, value: Value): boolean {
    const before = this.#values.size;
    this.#values.set(key, value);
    if (this.#values.size === before) return false;
    this.#added.push(key);
    if (this.#added.length > MAX_UNORDERED_KEYS) this.#order();
    return true;
  }

  /** Deletes a record. Returns whether the key existed. */
  delete(key: StateKey): boolean {
    if (!this.#values.delete(key)) return false;
    this.#remove(key);
    return true;
  }

  /** All records, in no particular order. */
  entries(): IterableIterator<[StateKey, Value]> {
    return this.#values.entries();
  }

  /** A cursor over keys in `[start, end)`, ascending. Records may be put and deleted during the walk. */
  cursor(start: StateKey, end: StateKey): OrderedCursor<Value> {
    const place = { block: 0, at: 0, version: -1 };
    let from = start;
    const cursor: OrderedCursor<Value> = {
      key: undefined,
      value: undefined,
      next: () => {
        if (place.version !== this.#version || this.#added.length > 0) {
          this.#order();
          this.#seek(from, cursor.key === undefined, place);
        } else {
          place.at += 1;
        }
        let block = this.#blocks[place.block];
        if (block !== undefined && place.at >= block.length) {
          place.block += 1;
          place.at = 0;
          block = this.#blocks[place.block];
        }
        const key = block?.[place.at];
        if (key === undefined || key >= end) {
          cursor.key = undefined;
          cursor.value = undefined;
          // The cursor stays at the end.
          from = end;
          place.version = -1;
          return;
        }
        from = key;
        cursor.key = key;
        cursor.value = this.#values.get(key);
      },
    };
    cursor.next();
    return cursor;
  }

  /** A cursor over keys in `[start, end)`, descending. Records may be put and deleted during the walk. */
  cursorBack(start: StateKey, end: StateKey): OrderedCursor<Value> {
    const place = { block: 0, at: 0, version: -1 };
    let before = end;
    const cursor: OrderedCursor<Value> = {
      key: undefined,
      value: undefined,
      next: () => {
        if (place.version !== this.#version || this.#added.length > 0) {
          this.#order();
          // The place of the first key that is not below `before`: what is wanted stands one before it.
          this.#seek(before, true, place);
        }
        place.at -= 1;
        if (place.at < 0) {
          place.block -= 1;
          place.at = (this.#blocks[place.block]?.length ?? 0) - 1;
        }
        const key = this.#blocks[place.block]?.[place.at];
        if (key === undefined || key < start) {
          cursor.key = undefined;
          cursor.value = undefined;
          // The cursor stays at the end.
          before = start;
          place.version = -1;
          return;
        }
        before = key;
        cursor.key = key;
        cursor.value = this.#values.get(key);
      },
    };
    cursor.next();
    return cursor;
  }

  /** Moves `place` to the first key from `from` on; `inclusive` includes `from` itself. */
  #seek(from: StateKey, inclusive: boolean, place: { block: number; at: number; version: number }): void {
    let block = this.#blockOf(from);
    const keys = this.#blocks[block];
    let at = keys === undefined ? 0 : lowerBound(keys, from);
    if (!inclusive && keys?.[at] === from) at += 1;
    if (keys !== undefined && at >= keys.length) {
      block += 1;
      at = 0;
    }
    place.block = block;
    place.at = at;
    place.version = this.#version;
  }

  /** The last block that begins at or before `key`. */
  #blockOf(key: StateKey): number {
    const blocks = this.#blocks;
    let lo = 0;
    let hi = blocks.length;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      if ((blocks[mid]?.[0] as StateKey) <= key) lo = mid + 1;
      else hi = mid;
    }
    return Math.max(lo - 1, 0);
  }

  #order(): void {
    if (this.#added.length === 0) return;
    const added = this.#added.sort(ascending);
    this.#added = [];
    this.#version += 1;
    for (const key of added) {
      if (!this.#values.has(key)) continue;
      const position = this.#blockOf(key);
      const block = this.#blocks[position];
      if (block === undefined) {
        this.#blocks.push([key]);
        continue;
      }
      const at = lowerBound(block, key);
      if (block[at] === key) continue;
      if (at === block.length) block.push(key);
      else block.splice(at, 0, key);
      // Keys that are put in ascending order leave full blocks, not half-full ones.
      if (block.length > 2 * BLOCK_KEYS) {
        const isRow = at === block.length - 1;
        this.#blocks.splice(position + 1, 0, block.splice(isRow ? 2 * BLOCK_KEYS : BLOCK_KEYS));
      }
    }
  }

  #remove(key: StateKey): void {
    const position = this.#blockOf(key);
    const block = this.#blocks[position];
    if (block === undefined) return;
    const at = lowerBound(block, key);
    // A key in no block is in `#added` and is skipped when those are sorted.
    if (block[at] !== key) return;
    this.#version += 1;
    block.splice(at, 1);
    if (block.length === 0) this.#blocks.splice(position, 1);
  }
}

/** A position at a record, or at the end when `key` is undefined. */
export interface OrderedCursor<Value> {
  key: StateKey | undefined;
  value: Value | undefined;
  next(): void;
}

function ascending(a: StateKey, b: StateKey): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Position of the first key that is not below `key`. */
function lowerBound(keys: readonly StateKey[], key: StateKey): number {
  let lo = 0;
  let hi = keys.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if ((keys[mid] as StateKey) < key) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}
