/** Entries that compaction left behind, as ranges, deleted a few at a time. */
import type { WriteTransaction } from "./checkpoint.ts";
import type { Garbage } from "./group-commit.ts";
import { entryKey, moveEntryKey } from "./keys.ts";

export class EntryGarbage implements Garbage {
  private readonly key: Buffer;
  private ranges: { from: number; to: number }[] = [];

  constructor(group: number) {
    this.key = entryKey(group, 0);
  }

  /** Entries `[from, to)` are to go; ranges come in ascending order. */
  add(from: number, to: number): void {
    const last = this.ranges[this.ranges.length - 1];
    if (last !== undefined && last.to === from) last.to = to;
    else this.ranges.push({ from, to });
  }

  collect(transaction: WriteTransaction, limit: number): number {
    let removed = 0;
    for (let range = this.ranges[0]; range !== undefined; range = this.ranges[0]) {
      while (range.from < range.to && removed < limit) {
        moveEntryKey(this.key, range.from++);
        transaction.remove(this.key);
        removed++;
      }
      if (range.from < range.to) return removed;
      this.ranges.shift();
    }
    return removed;
  }
}
