/**
 * The append messages that are on their way to one follower: a sliding window, limited by count and by bytes.
 *
 * Role: bookkeeping of the leader's flow control (thesis §10.2.1, pipelining). The leader decides what to send.
 *
 * Invariants:
 * I1. Indexes are added in strictly ascending order and freed in that order.
 * I2. `count` never exceeds `maxCount`. Bytes may exceed `maxBytes` by the one message that reached the limit.
 * I3. The buffer grows only with use: a limit of a million messages needs no memory until so many are in flight.
 */
import { invariant } from "../errors.ts";
import type { LogIndex } from "../types.ts";

const FIRST_CAPACITY = 8;

/** The window of append messages in flight to one follower (I1 to I3). */
export class Inflights {
  /** Most messages in flight at once. */
  readonly maxCount: number;
  /** Once this many bytes are in flight the window is full; 0 means no limit. */
  readonly maxBytes: number;
  // A ring: message i is at (start + i) mod capacity. Two arrays of numbers make no garbage, unlike an array of objects.
  #indexes: LogIndex[] = [];
  #sizes: number[] = [];
  #start = 0;
  #count = 0;
  #bytes = 0;

  constructor(maxCount: number, maxBytes = 0) {
    invariant(maxCount > 0, "the window of append messages in flight must hold at least one");
    this.maxCount = maxCount;
    this.maxBytes = maxBytes;
  }

  /** Messages in flight. */
  get count(): number {
    return this.#count;
  }

  /** Bytes in flight. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the window has no room for another message. */
  full(): boolean {
    return this.#count === this.maxCount || (this.maxBytes !== 0 && this.#bytes >= this.maxBytes);
  }

  /** Records a message whose last entry is at `lastIndex`. The window must not be {@link full}, and the index must be above all earlier ones (I1). */
  add(lastIndex: LogIndex, bytes: number): void {
    invariant(!this.full(), "an append message was sent although the window of messages in flight is full");
    if (this.#count === this.#indexes.length) this.#grow();
    const capacity = this.#indexes.length;
    const at = (this.#start + this.#count) % capacity;
    this.#indexes[at] = lastIndex;
    this.#sizes[at] = bytes;
    this.#count++;
    this.#bytes += bytes;
  }

  /** Frees every message whose last entry is at or below `index`, up to which the follower has acknowledged. */
  freeLE(index: LogIndex): void {
    const capacity = this.#indexes.length;
    while (this.#count > 0 && (this.#indexes[this.#start] as LogIndex) <= index) {
      this.#bytes -= this.#sizes[this.#start] as number;
      this.#count--;
      this.#start = this.#start + 1 === capacity ? 0 : this.#start + 1;
    }
  }

  /** Forgets every message. The buffer is kept. */
  reset(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  /** A window with the same content that shares nothing with this one. */
  clone(): Inflights {
    const copy = new Inflights(this.maxCount, this.maxBytes);
    copy.#indexes = this.#indexes.slice();
    copy.#sizes = this.#sizes.slice();
    copy.#start = this.#start;
    copy.#count = this.#count;
    copy.#bytes = this.#bytes;
    return copy;
  }

  #grow(): void {
    const old = this.#indexes.length;
    const capacity = Math.min(this.maxCount, Math.max(FIRST_CAPACITY, old * 2));
    const indexes = new Array<LogIndex>(capacity).fill(0);
    const sizes = new Array<number>(capacity).fill(0);
    for (let i = 0; i < this.#count; i++) {
      const from = (this.#start + i) % old;
      indexes[i] = this.#indexes[from] as LogIndex;
      sizes[i] = this.#sizes[from] as number;
    }
    this.#indexes = indexes;
    this.#sizes = sizes;
    this.#start = 0;
  }
}
