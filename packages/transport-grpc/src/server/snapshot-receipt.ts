/**
 * One snapshot on its way into a group. It outlives the connection that it comes on: after a cut it keeps its place until the sender,
 * or another one with the same content, goes on.
 *
 * Invariants:
 * S1. A chunk reaches the group only if its offset and checksum are right; the content ends only where its end record says so,
 *     with the right length and checksum. Everything else is an error to the group and a refusal to the sender.
 * S2. Memory held is what {@link SnapshotParts} holds: the next part is read when the group asks for it.
 * S3. At most one connection feeds it; a later one takes the place of an earlier one.
 * S4. Without a connection it waits for one for a bounded time, and not at all if its content may change.
 */
import zlib from "node:zlib";
import { type Cancel, type Clock, type GroupId, TransportError } from "@raftoral/raft-core";
import { type GroupReceiver, joinedCrc32, type Message, type SnapshotStream } from "@raftoral/raft-core/transport";
import type { Compression } from "../wire/compression.ts";
import type { Chunk } from "../wire/snapshot-codec.ts";
import type { SnapshotParts } from "./snapshot-parts.ts";
import { snapshotRefused } from "./snapshot-refused.ts";

// Not imported by its name, which Node 18 does not have: node-version.ts of raft-core says why.
const { crc32 } = zlib;

/** A snapshot as its sender announced it. */
export interface SnapshotOffer {
  readonly groupId: GroupId;
  readonly message: Message;
  /** What the same content is recognized by; undefined for content that is sent only once. */
  readonly identity: string | undefined;
  readonly totalBytes: number | undefined;
}

interface Feed {
  readonly parts: SnapshotParts;
  readonly compression: Compression | undefined;
  /** The connection has stopped feeding it. */
  readonly left: () => void;
}

/** Options of a {@link SnapshotReceipt}. */
export interface SnapshotReceiptOptions {
  readonly clock: Clock;
  readonly resumeTimeoutMs: number;
  readonly maxChunkBytes: number;
  /** Bytes of the content that came in. */
  readonly received: (bytes: number) => void;
}

/** The receipt of one snapshot (S1 to S4). The group reads it as a stream; connections feed it with `serve`. */
export class SnapshotReceipt implements SnapshotStream, AsyncIterator<Uint8Array> {
  readonly offer: SnapshotOffer;
  readonly totalBytes?: number;
  /** Bytes that the group has. */
  bytes = 0;
  readonly #options: SnapshotReceiptOptions;
  #crc = 0;
  #feed: Feed | undefined;
  #isComplete = false;
  #failure: Error | undefined;
  #stored: Promise<number> | undefined;
  #wake: (() => void) | undefined;
  #stopExpiry: Cancel | undefined;

  constructor(offer: SnapshotOffer, options: SnapshotReceiptOptions) {
    this.offer = offer;
    this.#options = options;
    if (offer.totalBytes !== undefined) this.totalBytes = offer.totalBytes;
  }

  get isFed(): boolean {
    return this.#feed !== undefined;
  }

  /** Hands it to the group. Resolves to the bytes that the group has stored. */
  begin(receiver: GroupReceiver): Promise<number> {
    this.#stored = this.#hand(receiver);
    // Told to the connection that feeds it; without this line none would end the process.
    this.#stored.catch(() => {});
    return this.#stored;
  }

  /** Feeds it from a connection. Resolves when that is over: to the bytes stored, or undefined after a cut. Rejects for a refusal. */
  serve(parts: SnapshotParts, compression: Compression | undefined): Promise<number | undefined> {
    this.#feed?.left();
    this.#stopExpiry?.();
    return new Promise((resolve, reject) => {
      this.#feed = { parts, compression, left: () => resolve(undefined) };
      this.#stored?.then(resolve, reject);
      this.#wake?.();
    });
  }

  /** Ends it for the group, with this error. */
  giveUp(error: Error): void {
    if (this.#isComplete) return;
    this.#failure ??= error;
    this.#feed?.parts.close();
    this.#wake?.();
  }

  // What the group reads.

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#isComplete) return { done: true, value: undefined };
      const feed = this.#feed;
      if (feed === undefined) {
        await this.#fed();
        continue;
      }
      const value = await this.#read(feed);
      if (value !== undefined) return { done: false, value };
    }
  }

  /** The group does not want the rest. */
  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#isComplete = true;
    return { done: true, value: undefined };
  }

  async #hand(receiver: GroupReceiver): Promise<number> {
    try {
      await receiver.receiveSnapshot(this.offer.message, this);
      return this.bytes;
    } finally {
      this.#stopExpiry?.();
    }
  }

  /** One part. Undefined where that brings no bytes. */
  async #read(feed: Feed): Promise<Uint8Array | undefined> {
    try {
      const part = await feed.parts.next();
      // Another connection took its place while this one was waited for (S3).
      if (feed !== this.#feed || this.#failure !== undefined) return undefined;
      switch (part?.case) {
        case undefined:
          if (part !== undefined) throw snapshotRefused("PROTOCOL_VIOLATION", "a snapshot has a part that is unknown");
          this.#cut(feed);
          return undefined;
        case "chunk":
          return this.#take(part.chunk, feed.compression);
        case "end":
          this.#finish(part.value);
          return undefined;
        case "abort":
          throw new TransportError(
            "TRANSPORT_PEER_UNREACHABLE",
            `The sender gave the snapshot up: ${part.value.message}`,
            {
              retryable: true,
            },
          );
        default:
          throw snapshotRefused("PROTOCOL_VIOLATION", `a snapshot has a part "${part?.case}" in the middle`);
      }
    } catch (error) {
      if (feed === this.#feed) this.#failure ??= error as Error;
      return undefined;
    }
  }

  #take(
    { offset, data, crc32: expected, plainBytes }: Chunk,
    compression: Compression | undefined,
  ): Uint8Array | undefined {
    if (offset !== this.bytes) {
      throw snapshotRefused(
        "SNAPSHOT_CORRUPT",
        `a chunk is for offset ${offset}, but ${this.bytes} bytes came before it`,
      );
    }
    const chunk = plainBytes === 0 ? data : this.#decompressed(data, plainBytes, compression);
    const found = crc32(chunk);
    if (found !== expected) {
      throw snapshotRefused("SNAPSHOT_CORRUPT", `the chunk at offset ${offset} has another checksum than was sent`);
    }
    if (this.totalBytes !== undefined && this.bytes + chunk.length > this.totalBytes) {
      throw snapshotRefused("SNAPSHOT_CORRUPT", `more than the ${this.totalBytes} bytes came that were announced`);
    }
    this.#crc = joinedCrc32(this.#crc, found, chunk.length);
    this.bytes += chunk.length;
    this.#options.received(chunk.length);
    return chunk.length > 0 ? chunk : undefined;
  }

  #decompressed(data: Uint8Array, plainBytes: number, compression: Compression | undefined): Uint8Array {
    const { maxChunkBytes } = this.#options;
    if (compression === undefined || plainBytes > maxChunkBytes) {
      throw snapshotRefused("PROTOCOL_VIOLATION", "a chunk is compressed in a way that was not agreed on");
    }
    const chunk = compression.decompress(data, plainBytes);
    if (chunk.length === plainBytes) return chunk;
    throw snapshotRefused("SNAPSHOT_CORRUPT", `a chunk of ${plainBytes} bytes has ${chunk.length} when decompressed`);
  }

  #finish({ totalBytes, crc32: expected }: { readonly totalBytes: bigint; readonly crc32: number }): void {
    if (totalBytes !== BigInt(this.bytes)) {
      throw snapshotRefused("SNAPSHOT_CORRUPT", `${this.bytes} of ${totalBytes} bytes arrived`);
    }
    if (expected !== this.#crc) {
      throw snapshotRefused("SNAPSHOT_CORRUPT", "the content has another checksum than was sent");
    }
    this.#isComplete = true;
  }

  /** S4. */
  #cut(feed: Feed): void {
    const cut = new TransportError(
      "TRANSPORT_PEER_UNREACHABLE",
      `The connection was cut after ${this.bytes} bytes of the snapshot, without an end record. The sender goes on with it, or Raft asks for another one.`,
      { retryable: true },
    );
    const { clock, resumeTimeoutMs } = this.#options;
    if (this.offer.identity === undefined) {
      this.#failure = cut;
      return;
    }
    this.#feed = undefined;
    feed.left();
    this.#stopExpiry = clock.after(resumeTimeoutMs, () => this.giveUp(cut));
  }

  #fed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
