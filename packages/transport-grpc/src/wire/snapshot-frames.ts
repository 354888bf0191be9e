/**
 * Cuts a stream of bytes into gRPC messages like `FrameReader`, for a stream of many large ones: their memory is used again. Memory
 * that is taken for each chunk is what makes the garbage collector stop the world, every 30 MB of it, for up to 15 ms.
 *
 * Invariants:
 * W1. A message is valid until it is given back; after that its memory is the next one's.
 * W2. Memory is taken for what came in, not for what a length claims: at most a block ahead of it.
 */
import { TransportError } from "@raftoral/raft-core";
import { PREFIX_BYTES } from "./grpc-framing.ts";

/** Messages up to this size share blocks: a chunk of the usual size and what is around it. */
const BLOCK_BYTES = 256 * 1024 + 64;
/** Blocks kept for later; a stream that is read seldom has more than two in use. */
const MAX_SPARE_BLOCKS = 4;

/** The reader of one stream (W1, W2). Throws TRANSPORT_FRAME_INVALID for flags and TRANSPORT_FRAME_TOO_LARGE for a message above `maxBytes`. */
export class SnapshotFrames {
  readonly #maxBytes: number;
  readonly #spare: Buffer[] = [];
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixFilled = 0;
  #length = 0;
  #filled = 0;
  /** Where the current message goes, if it fits a block. */
  #block: Buffer | undefined;
  /** What came of it, if it does not. */
  #pieces: Buffer[] = [];

  /** Messages above `maxBytes` are refused as soon as their length is known. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Calls `onMessage` for each message that is complete with `piece`. Throws TRANSPORT_FRAME_INVALID, _TOO_LARGE. */
  push(piece: Buffer, onMessage: (message: Uint8Array) => void): void {
    let at = 0;
    while (at < piece.length || this.#isComplete()) {
      if (this.#prefixFilled < PREFIX_BYTES) {
        const copied = piece.copy(this.#prefix, this.#prefixFilled, at, at + PREFIX_BYTES - this.#prefixFilled);
        this.#prefixFilled += copied;
        at += copied;
        if (this.#prefixFilled === PREFIX_BYTES) this.#begin();
        continue;
      }
      const wanted = Math.min(this.#length - this.#filled, piece.length - at);
      if (this.#block === undefined) this.#pieces.push(Buffer.from(piece.subarray(at, at + wanted)));
      else piece.copy(this.#block, this.#filled, at, at + wanted);
      this.#filled += wanted;
      at += wanted;
      if (this.#isComplete()) onMessage(this.#take());
    }
  }

  /** W1. */
  giveBack(message: Uint8Array): void {
    if (message.buffer.byteLength !== BLOCK_BYTES || this.#spare.length >= MAX_SPARE_BLOCKS) return;
    this.#spare.push(Buffer.from(message.buffer));
  }

  #isComplete(): boolean {
    return this.#prefixFilled === PREFIX_BYTES && this.#filled === this.#length;
  }

  #begin(): void {
    const flags = this.#prefix[0];
    if (flags !== 0) {
      throw new TransportError(
        "TRANSPORT_FRAME_INVALID",
        `A part of a snapshot has flags ${flags}, which mean nothing. Check that the caller is a Raftoral node.`,
      );
    }
    this.#length = this.#prefix.readUInt32BE(1);
    this.#filled = 0;
    if (this.#length > this.#maxBytes) {
      throw new TransportError(
        "TRANSPORT_FRAME_TOO_LARGE",
        `A frame of ${this.#length} bytes is above the bound of ${this.#maxBytes} bytes. Raise maxFrameBytes here, or lower it at the sender.`,
        { details: { bytes: this.#length, maxFrameBytes: this.#maxBytes } },
      );
    }
    this.#block =
      this.#length > BLOCK_BYTES ? undefined : (this.#spare.pop() ?? Buffer.from(new ArrayBuffer(BLOCK_BYTES)));
  }

  #take(): Uint8Array {
    const message =
      this.#block === undefined
        ? Buffer.concat(this.#pieces, this.#length)
        : new Uint8Array(this.#block.buffer, 0, this.#length);
    this.#block = undefined;
    this.#pieces = [];
    this.#prefixFilled = 0;
    return message;
  }
}
