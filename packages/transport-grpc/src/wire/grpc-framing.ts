/**
 * gRPC's framing of messages on an HTTP/2 stream: one byte of flags, four bytes of length, then the message.
 *
 * The peer streams are read and written here, below Connect: a frame costs a few microseconds instead of the tens that an
 * asynchronous iterator chain takes (README, "Cost"). On the wire both are the same.
 */
import { TransportError } from "@raftoral/raft-core";

export const PREFIX_BYTES = 5;

/** Writes the prefix of a message of `length` bytes at the front of `frame`. */
export function writePrefix(frame: Buffer, length: number): void {
  frame[0] = 0;
  frame.writeUInt32BE(length, 1);
}

/** One message with its prefix. */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  writePrefix(frame, message.length);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/**
 * Cuts a stream of bytes into messages, without ever holding more than one message's bound. A message that arrived in one
 * piece is a view of that piece; nothing is copied.
 */
export class FrameReader {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #held = 0;

  /** Messages above `maxBytes` are refused as soon as their length is known. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Calls `onMessage` for each message that is complete with `piece`. Throws TRANSPORT_FRAME_INVALID, _TOO_LARGE. */
  push(piece: Buffer, onMessage: (message: Uint8Array) => void): void {
    let bytes = piece;
    if (this.#held > 0) {
      this.#pieces.push(piece);
      this.#held += piece.length;
      if (this.#held < this.#needed()) return;
      bytes = Buffer.concat(this.#pieces, this.#held);
      this.#pieces = [];
      this.#held = 0;
    }
    let at = 0;
    while (bytes.length - at >= PREFIX_BYTES) {
      const end = at + PREFIX_BYTES + this.#length(bytes, at);
      if (end > bytes.length) break;
      onMessage(plainView(bytes, at + PREFIX_BYTES, end));
      at = end;
    }
    if (at < bytes.length) {
      this.#pieces = [at === 0 ? bytes : bytes.subarray(at)];
      this.#held = bytes.length - at;
    }
  }

  /** Whether the stream may end here: between messages. */
  isBetweenMessages(): boolean {
    return this.#held === 0;
  }

  /** Bytes that complete what is held: the message, or its prefix. */
  #needed(): number {
    if (this.#held < PREFIX_BYTES) return PREFIX_BYTES;
    const first = this.#pieces[0];
    if (first === undefined || first.length < PREFIX_BYTES) {
      const joined = Buffer.concat(this.#pieces, this.#held);
      this.#pieces = [joined];
      return PREFIX_BYTES + this.#length(joined, 0);
    }
    return PREFIX_BYTES + this.#length(first, 0);
  }

  #length(bytes: Buffer, at: number): number {
    const flags = bytes[at];
    const length = bytes.readUInt32BE(at + 1);
    if (flags !== 0) {
      throw new TransportError(
        "TRANSPORT_FRAME_INVALID",
        `a frame has flags ${flags}; compressed frames are not spoken here`,
      );
    }
    if (length > this.#maxBytes) {
      throw new TransportError(
        "TRANSPORT_FRAME_TOO_LARGE",
        `a frame of ${length} bytes is above the bound of ${this.#maxBytes} (option maxFrameBytes)`,
        { details: { bytes: length, maxFrameBytes: this.#maxBytes } },
      );
    }
    return length;
  }
}

/** Not a Buffer: its `slice` is a view where a Uint8Array's is a copy, and what is decoded goes to code that expects the latter. */
function plainView(bytes: Buffer, lo: number, hi: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + lo, hi - lo);
}
