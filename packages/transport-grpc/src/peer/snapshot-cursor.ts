/**
 * A snapshot's content as its sender reads it: in chunks of at most a given size, from wherever the receiver wants to go on.
 *
 * Invariants:
 * U1. The content's first reader stays open until {@link SnapshotCursor.release}: until then `fixed.from` works.
 * U2. Whatever happened, nothing is open after `release`.
 */
import type { FixedContent, SnapshotStream } from "@raftoral/raft-core/transport";

/** The cursor of one transfer (U1, U2). Its owner must `release` it. */
export class SnapshotCursor {
  /** Bytes before the next chunk. */
  offset = 0;
  readonly fixed: FixedContent | undefined;
  readonly #first: AsyncIterator<Uint8Array>;
  #reader: AsyncIterator<Uint8Array>;
  #left: Uint8Array | undefined;

  constructor(content: SnapshotStream) {
    this.fixed = content.fixed;
    this.#first = content[Symbol.asyncIterator]();
    this.#reader = this.fixed?.from(0)[Symbol.asyncIterator]() ?? this.#first;
  }

  /** Whether {@link seek} can get to `offset`. */
  canSeek(offset: number): boolean {
    return offset === this.offset || (this.fixed !== undefined && offset <= this.fixed.totalBytes);
  }

  /** The next chunk begins at `offset`. To be called between chunks. */
  async seek(offset: number): Promise<void> {
    if (offset === this.offset) return;
    await this.#endReader();
    this.#reader = (this.fixed as FixedContent).from(offset)[Symbol.asyncIterator]();
    this.#left = undefined;
    this.offset = offset;
  }

  /**
   * At most `maxBytes`, valid until the next is asked for; undefined at the end. Rejects with what reading the content rejects with.
   */
  async next(maxBytes: number): Promise<Uint8Array | undefined> {
    let bytes = this.#left;
    while (bytes === undefined || bytes.length === 0) {
      const next = await this.#reader.next();
      if (next.done === true) return undefined;
      bytes = next.value;
    }
    const chunk = bytes.length > maxBytes ? bytes.subarray(0, maxBytes) : bytes;
    this.#left = bytes.length > maxBytes ? bytes.subarray(maxBytes) : undefined;
    this.offset += chunk.length;
    return chunk;
  }

  /** U2. */
  async release(): Promise<void> {
    await this.#endReader();
    await this.#first.return?.();
  }

  async #endReader(): Promise<void> {
    if (this.#reader !== this.#first) await this.#reader.return?.();
  }
}
