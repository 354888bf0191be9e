/** Entries that compaction left behind, as ranges, deleted a few at a time. */
import type { WriteTransaction } from "../commit/checkpoint.ts";
import type { Garbage } from "../commit/checkpointer.ts";
import { entryKey, moveEntryKey } from "../format/keys.ts";

/** Indexes `[from, to)`. */
export interface Range {
  readonly from: number;
  to: number;
}

/** Appends ranges, which come in ascending order, to those before them, and empties `from`. */
export function moveRanges(from: Range[], to: Range[]): void {
  for (const range of from) {
    const last = to[to.length - 1];
    if (last !== undefined && last.to === range.from) last.to = range.to;
    else to.push({ ...range });
  }
  from.length = 0;
}

/** The garbage of one group's log. `collect` removes at most `limit` entries with a transaction and says how many it removed. */
export class EntryGarbage implements Garbage {
  readonly #key: Buffer;
  readonly #ranges: { from: number; to: number }[] = [];

  constructor(group: number) {
    this.#key = entryKey(group, 0);
  }

  /** These entries are to go; ranges come in ascending order. */
  add(ranges: readonly Range[]): void {
    moveRanges([...ranges], this.#ranges);
  }

  collect(transaction: WriteTransaction, limit: number): number {
    let removed = 0;
    for (let range = this.#ranges[0]; range !== undefined; range = this.#ranges[0]) {
      while (range.from < range.to && removed < limit) {
        moveEntryKey(this.#key, range.from++);
        transaction.remove(this.#key);
        removed++;
      }
      if (range.from < range.to) return removed;
      this.#ranges.shift();
    }
    return removed;
  }
}
