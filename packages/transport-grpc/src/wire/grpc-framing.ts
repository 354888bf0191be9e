/**
 * gRPC's framing of messages on an HTTP/2 stream: one byte of flags, four bytes of length, then the message.
 *
 * The peer streams are read and written here, below Connect: a frame costs a few microseconds instead of the tens that an
 * asynchronous iterator chain takes (README, "Cost"). On the wire both are the same.
 */
import { TransportError } from "@raftoral/raft-core";
import { LENGTH_DELIMITED, varintBytes, writeVarint } from "@raftoral/raft-core/wire";
import type { Compression } from "./compression.ts";

export const PREFIX_BYTES = 5;
/** The one flag there is: the message is compressed as the call's grpc-encoding says. */
const COMPRESSED = 1;

/** Writes the prefix of a message of `length` bytes at the front of `frame`. */
export function writePrefix(frame: Buffer, length: number): void {
  frame[0] = 0;
  frame.writeUInt32BE(length, 1);
}

/** The same frame with its message compressed; the frame itself where that does not make it smaller. */
export function compressFrame(frame: Buffer, compression: Compression): Buffer {
  const compressed = compression.compress(frame.subarray(PREFIX_BYTES));
  if (compressed.length >= frame.length - PREFIX_BYTES) return frame;
  const smaller = frameOf(compressed);
  smaller[0] = COMPRESSED;
  return smaller;
}

/** One message with its prefix. */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  writePrefix(frame, message.length);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** One message with its prefix, and with `bytes` as one more field of it. They are copied once, where an encoder of messages copies them several times. */
export function frameWithField(message: Uint8Array, field: number, bytes: Uint8Array): Buffer {
  const tag = field * 8 + LENGTH_DELIMITED;
  const length = message.length + varintBytes(tag) + varintBytes(bytes.length) + bytes.length;
  const frame = Buffer.allocUnsafeSlow(PREFIX_BYTES + length);
  writePrefix(frame, length);
  frame.set(message, PREFIX_BYTES);
  frame.set(bytes, writeVarint(frame, writeVarint(frame, PREFIX_BYTES + message.length, tag), bytes.length));
  return frame;
}

/** Pieces below this are copied together: a frame in pieces of one byte would otherwise take a hundred times its size. */
const SMALL_PIECE_BYTES = 1024;
const TAIL_BYTES = 16 * 1024;

/**
 * Cuts a stream of bytes into messages, without ever holding more than one message's bound, however it is cut. A message that
 * arrived in one piece is a view of that piece; nothing is copied.
 */
export class FrameReader {
  #maxBytes: number;
  #compression: Compression | undefined;
  /** What came of a message that is not yet whole, without what is in the tail. */
  #pieces: Buffer[] = [];
  #tail: Buffer | undefined;
  #tailBytes = 0;
  #held = 0;
  /** Bytes that complete the message, or its prefix while that is not whole. */
  #needed = PREFIX_BYTES;

  /** Messages above `maxBytes` are refused as soon as their length is known, compressed ones as soon as that much came of them. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** From the next message on they may be as large as this: their sender has said who it is. */
  raiseBound(maxBytes: number): void {
    this.#maxBytes = Math.max(this.#maxBytes, maxBytes);
  }

  /** From the next message on messages may be compressed. */
  acceptCompressed(compression: Compression): void {
    this.#compression = compression;
  }

  /** Calls `onMessage` for each message that is complete with `piece`. Throws TRANSPORT_FRAME_INVALID, _TOO_LARGE. */
  push(piece: Buffer, onMessage: (message: Uint8Array) => void): void {
    let bytes = piece;
    if (this.#held > 0) {
      this.#hold(piece);
      if (this.#held < this.#needed) return;
      bytes = this.#take();
    }
    let at = 0;
    let needed = PREFIX_BYTES;
    while (bytes.length - at >= PREFIX_BYTES) {
      needed = PREFIX_BYTES + this.#length(bytes, at);
      if (needed > bytes.length - at) break;
      const end = at + needed;
      onMessage(
        bytes[at] === COMPRESSED
          ? this.#decompressed(bytes.subarray(at + PREFIX_BYTES, end))
          : plainView(bytes, at + PREFIX_BYTES, end),
      );
      at = end;
      needed = PREFIX_BYTES;
    }
    this.#needed = needed;
    if (at < bytes.length) this.#hold(at === 0 ? bytes : bytes.subarray(at));
  }

  /** Whether the stream may end here: between messages. */
  isBetweenMessages(): boolean {
    return this.#held === 0;
  }

  #hold(piece: Buffer): void {
    this.#held += piece.length;
    if (piece.length >= SMALL_PIECE_BYTES) {
      this.#closeTail();
      this.#pieces.push(piece);
      return;
    }
    if (this.#tailBytes + piece.length > TAIL_BYTES) this.#closeTail();
    this.#tail ??= Buffer.allocUnsafe(TAIL_BYTES);
    piece.copy(this.#tail, this.#tailBytes);
    this.#tailBytes += piece.length;
  }

  #closeTail(): void {
    if (this.#tail === undefined) return;
    // Between two large pieces there may be a tail of a few bytes.
    this.#pieces.push(Buffer.copyBytesFrom(this.#tail, 0, this.#tailBytes));
    this.#tail = undefined;
    this.#tailBytes = 0;
  }

  /** Everything that is held, which then is nothing. */
  #take(): Buffer {
    this.#closeTail();
    const bytes = this.#pieces.length === 1 ? this.#pieces[0] : undefined;
    const taken = bytes ?? Buffer.concat(this.#pieces, this.#held);
    this.#pieces = [];
    this.#held = 0;
    return taken;
  }

  #length(bytes: Buffer, at: number): number {
    const flags = bytes[at];
    const length = bytes.readUInt32BE(at + 1);
    if (flags !== 0 && (flags !== COMPRESSED || this.#compression === undefined)) {
      throw new TransportError(
        "TRANSPORT_FRAME_INVALID",
        `A frame has flags ${flags}; ${flags === COMPRESSED ? "compression was not agreed on for this stream" : "they mean nothing"}. Check that the caller is a Raftoral node.`,
      );
    }
    if (length > this.#maxBytes) {
      throw new TransportError(
        "TRANSPORT_FRAME_TOO_LARGE",
        `A frame of ${length} bytes is above the bound of ${this.#maxBytes} bytes. Raise maxFrameBytes here, or lower it at the sender.`,
        { details: { bytes: length, maxFrameBytes: this.#maxBytes } },
      );
    }
    return length;
  }

  #decompressed(bytes: Buffer): Uint8Array {
    const plain = this.#compression?.decompress(bytes, this.#maxBytes);
    if (plain === undefined)
      throw new TransportError(
        "TRANSPORT_FRAME_INVALID",
        "Compression was not agreed on for this stream. Check that the caller is a Raftoral node.",
      );
    return plainView(plain, 0, plain.length);
  }
}

/** Not a Buffer: its `slice` is a view where a Uint8Array's is a copy, and what is decoded goes to code that expects the latter. */
function plainView(bytes: Buffer, lo: number, hi: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + lo, hi - lo);
}
