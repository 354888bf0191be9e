/**
 * Base-128 varints of safe integers, the atoms of protobuf and of the driver's entry contexts. Plain numbers, no bigint:
 * this is on the path of every entry.
 */
import { RaftError } from "../errors.ts";

const TWO_POW_28 = 2 ** 28;

/** Bytes that `value` takes. `value` is a safe integer, not negative. */
export function varintBytes(value: number): number {
  if (value < TWO_POW_28) {
    return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
  }
  return 4 + varintBytes(Math.floor(value / TWO_POW_28));
}

/** Writes `value` at `at` and returns the position after it. The caller has made room. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  // Above 31 bits the bit operators would lose bits; division does not.
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

/** A position in bytes that are read once, from front to back. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** Reads a varint and moves on. Throws RaftError CODEC_INVALID if it is cut off or beyond the safe integers. */
export function readVarint(cursor: Cursor): number {
  const { bytes } = cursor;
  let value = 0;
  let scale = 1;
  for (let count = 0; count < 10; count++) {
    const byte = bytes[cursor.at];
    if (byte === undefined) throw new RaftError("CODEC_INVALID", "bytes end in the middle of a varint");
    cursor.at++;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    scale *= 0x80;
  }
  throw new RaftError("CODEC_INVALID", "a varint is beyond 2^53 - 1, the largest integer this implementation carries");
}
