/**
 * The newest entries of a log, in memory: what the core reads again and again is never decoded from disk.
 *
 * C1. It holds a contiguous range `[firstIndex, firstIndex + length)` that ends at the log's last entry.
 * C2. Entries not yet durable are never evicted: the disk does not have them.
 */
import { invariant } from "@raftoral/raft-core";
import { type Entry, entrySize } from "@raftoral/raft-core/storage";

/** Dead places at the front of the array are given back once there are this many. */
const SLACK = 1024;

/** The cache of one group's log (C1, C2). `evict` shrinks it to `maxBytes`, except for entries that it must keep. */
export class TailCache {
  #items: (Entry | undefined)[] = [];
  #head = 0;
  #first = 1;
  #bytes = 0;
  /** Limit, in bytes as `entrySize` counts them. */
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get firstIndex(): number {
    return this.#first;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  get(index: number): Entry | undefined {
    return index < this.#first ? undefined : this.#items[this.#head + index - this.#first];
  }

  append(entry: Entry): void {
    if (this.length === 0) this.#first = entry.index;
    invariant(entry.index === this.#first + this.length, () => `cache: entry ${entry.index} leaves a gap`);
    this.#items.push(entry);
    this.#bytes += entrySize(entry);
  }

  truncateFrom(index: number): void {
    while (this.length > 0 && this.#first + this.length > index) {
      this.#bytes -= entrySize(this.#items.pop() as Entry);
    }
  }

  dropBefore(index: number): void {
    while (this.length > 0 && this.#first < index) this.#shift();
    this.#giveBack();
  }

  /** Shrinks to the limit, keeping everything from `pinnedFrom` on (C2). */
  evict(pinnedFrom: number): void {
    while (this.#bytes > this.maxBytes && this.length > 0 && this.#first < pinnedFrom) this.#shift();
    this.#giveBack();
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #shift(): void {
    this.#bytes -= entrySize(this.#items[this.#head] as Entry);
    this.#items[this.#head] = undefined;
    this.#head++;
    this.#first++;
  }

  #giveBack(): void {
    if (this.#head < SLACK || this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
