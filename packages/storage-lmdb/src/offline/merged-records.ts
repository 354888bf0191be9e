/**
 * What LMDB would hold if the journal had been brought into it: LMDB's records, with those of the journal over them, and
 * neither of the two changed. The journal's are in memory; they are as many as its two files hold.
 */
import type { Database } from "lmdb";
import { readRecord } from "../log/group-loader.ts";

/** Keys from `start` up to, not including, `end`. */
export interface KeyRange {
  readonly start: Buffer;
  readonly end: Buffer;
}

/** A view of a stopped folder. Reads give LMDB's bytes, which are valid until the next read, or the journal's, which must not be changed. */
export class MergedRecords {
  readonly #database: Database<Buffer, Buffer> | undefined;
  /** By key as latin1 text, whose order is that of the bytes. Undefined: removed. */
  readonly #overlay = new Map<string, Buffer | undefined>();
  #sorted: readonly string[] | undefined;

  /**
   * Without a database there is the journal alone.
   * @internal
   */
  constructor(database: Database<Buffer, Buffer> | undefined) {
    this.#database = database;
  }

  /** Records of the journal, deletions included. */
  get overlaid(): number {
    return this.#overlay.size;
  }

  /** A change that the journal makes. The buffers must not change afterwards. */
  overlay(key: Buffer, value: Buffer | undefined): void {
    this.#overlay.set(key.toString("latin1"), value);
    this.#sorted = undefined;
  }

  /** The record's bytes, valid until the next read. */
  get(key: Buffer): Buffer | undefined {
    const name = key.toString("latin1");
    if (this.#overlay.has(name)) return this.#overlay.get(name);
    return this.#database === undefined ? undefined : readRecord(this.#database, key);
  }

  /**
   * Calls `visit` for at most `limit` records of the range, in order. Returns where to go on, undefined at the end. A value is
   * valid during the call.
   */
  visit(range: KeyRange, limit: number, visit: (key: Buffer, value: Buffer) => void): Buffer | undefined {
    let room = limit;
    const take = (key: Buffer, value: Buffer): boolean => {
      if (room === 0) return false;
      room -= 1;
      visit(key, value);
      return true;
    };
    const over = this.#overlayOf(range);
    let next = over.next();
    for (const { key, value } of this.#database?.getRange({ ...range }) ?? []) {
      for (; next.done !== true && Buffer.compare(next.value.key, key) < 0; next = over.next()) {
        if (next.value.value !== undefined && !take(next.value.key, next.value.value)) return next.value.key;
      }
      const replaced = next.done !== true && next.value.key.equals(key);
      const current = replaced && next.done !== true ? next.value.value : value;
      if (replaced) next = over.next();
      if (current !== undefined && !take(key, current)) return Buffer.from(key);
    }
    for (; next.done !== true; next = over.next()) {
      if (next.value.value !== undefined && !take(next.value.key, next.value.value)) return next.value.key;
    }
    return undefined;
  }

  /** The first record of the range. */
  first(range: KeyRange): Buffer | undefined {
    let found: Buffer | undefined;
    this.visit(range, 1, (key) => {
      found = Buffer.from(key);
    });
    return found;
  }

  *#overlayOf({ start, end }: KeyRange): Generator<{ key: Buffer; value: Buffer | undefined }, undefined> {
    this.#sorted ??= [...this.#overlay.keys()].sort();
    const from = start.toString("latin1");
    const to = end.toString("latin1");
    for (let at = firstNotBelow(this.#sorted, from); at < this.#sorted.length; at++) {
      const name = this.#sorted[at] as string;
      if (name >= to) return;
      yield { key: Buffer.from(name, "latin1"), value: this.#overlay.get(name) };
    }
  }
}

function firstNotBelow(sorted: readonly string[], wanted: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
