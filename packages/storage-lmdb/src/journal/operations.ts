/**
 * What a round changes, as bytes: puts and removes, one after the other, in the order in which they were made.
 *
 * | field | bytes |
 * |---|---|
 * | kind: 1 put, 2 remove | 1 |
 * | length of the key | 1 |
 * | length of the value, 0 for a remove | 4 |
 * | key, value | |
 */
import { invariant } from "@raftoral/raft-core";
import type { WriteTransaction } from "../commit/checkpoint.ts";

const PUT = 1;
const REMOVE = 2;
const HEADER_BYTES = 6;
const LONGEST_KEY_BYTES = 255;
const INITIAL_BYTES = 64 * 1024;
/** Memory that a large round took is given back after it. */
const KEPT_BYTES = 4 * 1024 * 1024;

/** One change. Key and value are views of the bytes they were read from. */
export interface Operation {
  readonly key: Buffer;
  /** Undefined: the record is removed. */
  readonly value: Buffer | undefined;
}

/** Collects the operations of one round after the other, in memory of its own. */
export class OperationWriter implements WriteTransaction {
  /** Operations written since the last {@link reset}. */
  count = 0;
  #bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #scratch: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #length = 0;

  /** All operations so far; valid until the next one is written. */
  get content(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  put(key: Buffer, value: Buffer): void {
    const at = this.#begin(PUT, key, value.length);
    value.copy(this.#bytes, at);
  }

  remove(key: Buffer): void {
    this.#begin(REMOVE, key, 0);
  }

  buffer(bytes: number): Buffer {
    // `put` copies at once, so that one buffer serves all values.
    if (bytes > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(bytes);
    return this.#scratch.subarray(0, bytes);
  }

  reset(): void {
    this.count = 0;
    this.#length = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    if (this.#scratch.length > KEPT_BYTES) this.#scratch = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  }

  /** Writes all but the value, and returns where that belongs. */
  #begin(kind: number, key: Buffer, valueBytes: number): number {
    invariant(key.length > 0 && key.length <= LONGEST_KEY_BYTES, () => `a key of ${key.length} bytes`);
    const end = this.#length + HEADER_BYTES + key.length + valueBytes;
    if (end > this.#bytes.length) this.#grow(end);
    const at = this.#length;
    this.#bytes[at] = kind;
    this.#bytes[at + 1] = key.length;
    this.#bytes.writeUInt32LE(valueBytes, at + 2);
    key.copy(this.#bytes, at + HEADER_BYTES);
    this.#length = end;
    this.count++;
    return at + HEADER_BYTES + key.length;
  }

  #grow(atLeast: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(atLeast, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/**
 * Calls `visit` for each operation in order. Returns how many bytes make sense: all of them, unless the content is
 * damaged or `visit` answered false.
 */
export function visitOperations(content: Buffer, visit: (operation: Operation) => boolean | undefined): number {
  let at = 0;
  while (at + HEADER_BYTES <= content.length) {
    const kind = content[at];
    const keyAt = at + HEADER_BYTES;
    const valueAt = keyAt + (content[at + 1] as number);
    const end = valueAt + content.readUInt32LE(at + 2);
    if (end > content.length || valueAt === keyAt) return at;
    if (kind !== PUT && (kind !== REMOVE || end !== valueAt)) return at;
    const value = kind === PUT ? content.subarray(valueAt, end) : undefined;
    if (visit({ key: content.subarray(keyAt, valueAt), value }) === false) return at;
    at = end;
  }
  return at;
}
