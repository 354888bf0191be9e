/**
 * Base-128 varints of safe integers, as used by protobuf and by the driver's entry contexts. Plain numbers, no bigint, because every
 * entry passes here.
 */
import { RaftError } from "../errors.ts";

const TWO_POW_28 = 2 ** 28;

/** Number of bytes of a varint. `value` must be a safe integer from 0 on. */
export function varintBytes(value: number): number {
  if (value < TWO_POW_28) {
    return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
  }
  return 4 + varintBytes(Math.floor(value / TWO_POW_28));
}

/** Writes `value` at `at` and returns the position after it. `target` must have room for {@link varintBytes} bytes. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  // Bit operators lose bits above the 31st; division does not.
  while (rest > 0x7fffffff) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

/** A position in bytes that are read from front to back. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** Reads a varint and advances the cursor. Throws RaftError CODEC_INVALID if it is cut off or beyond the safe integers. */
export function readVarint(cursor: Cursor): number {
  const { bytes } = cursor;
  let value = 0;
  let scale = 1;
  for (let count = 0; count < 10; count++) {
    const byte = bytes[cursor.at];
    if (byte === undefined) {
      throw new RaftError("CODEC_INVALID", "Bytes end in the middle of a varint; they are cut off or damaged.");
    }
    cursor.at++;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    scale *= 0x80;
  }
  throw new RaftError("CODEC_INVALID", "A varint is beyond 2^53 - 1; this implementation reads no larger integers.");
}
