/**
 * Messages on their way to one peer that no connection has taken yet.
 *
 * Invariant Q1: never more than `maxMessages` messages or `maxBytes` encoded bytes; what does not fit is refused.
 */
import type { GroupId } from "@raftoral/raft-core";
import type { Message } from "@raftoral/raft-core/transport";
import type { KindTally } from "../peer-stats.ts";
import { encodeBatches } from "../wire/batch-codec.ts";

/** Tags, lengths and group id, if every message has a batch of its own. */
export const MAX_BYTES_AROUND_MESSAGE = 24;

/** The queue of one stream (Q1). A caller must not change a message that it has queued. */
export class SendQueue {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  // Parallel arrays: pushing a message allocates nothing.
  #groupIds: GroupId[] = [];
  #messages: Message[] = [];
  #sizes: number[] = [];
  #head = 0;
  #bytes = 0;

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#messages.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a message of `size` encoded bytes, or returns false when it does not fit. */
  push(groupId: GroupId, message: Message, size: number): boolean {
    if (this.length >= this.#maxMessages || this.#bytes + size > this.#maxBytes) return false;
    this.#groupIds.push(groupId);
    this.#messages.push(message);
    this.#sizes.push(size);
    this.#bytes += size;
    return true;
  }

  /** Takes the oldest messages, at least one and at most what fits in `targetBytes`, as one frame, and counts them in `tally`. */
  takeFrame(targetBytes: number, tally: KindTally): { readonly frame: Buffer; readonly messages: number } {
    const lo = this.#head;
    let hi = lo;
    let bytes = 0;
    while (hi < this.#sizes.length) {
      const next = bytes + (this.#sizes[hi] ?? 0);
      if (hi > lo && next + (hi - lo + 1) * MAX_BYTES_AROUND_MESSAGE > targetBytes) break;
      bytes = next;
      hi++;
    }
    const columns = { groupIds: this.#groupIds, messages: this.#messages, sizes: this.#sizes };
    const frame = encodeBatches(columns, lo, hi);
    this.#tally(lo, hi, tally);
    this.#bytes -= bytes;
    this.#head = hi;
    if (hi === this.#messages.length) this.#empty();
    else if (hi > 1024 && hi * 2 > this.#messages.length) this.#compact();
    return { frame, messages: hi - lo };
  }

  /** Drops everything, and counts it in `tally`. */
  clear(tally: KindTally): void {
    this.#tally(this.#head, this.#messages.length, tally);
    this.#empty();
  }

  #empty(): void {
    this.#groupIds = [];
    this.#messages = [];
    this.#sizes = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #tally(lo: number, hi: number, tally: KindTally): void {
    for (let at = lo; at < hi; at++) {
      const message = this.#messages[at];
      if (message !== undefined) tally.add(message.type, this.#sizes[at] ?? 0);
    }
  }

  #compact(): void {
    this.#groupIds = this.#groupIds.slice(this.#head);
    this.#messages = this.#messages.slice(this.#head);
    this.#sizes = this.#sizes.slice(this.#head);
    this.#head = 0;
  }
}
