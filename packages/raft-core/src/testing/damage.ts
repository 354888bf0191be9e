/**
 * Damage to valid bytes, for tests of code that reads untrusted bytes.
 * Deterministic; a property-testing library chooses the edits.
 */

/** The kinds of edits. */
export const EDIT_KINDS = [
  /** Changes one bit. */
  "flip",
  /** Overwrites bytes, often with a length or an end mark of a parser. */
  "set",
  /** Cuts the bytes off. */
  "cut",
  /** Removes a few bytes. */
  "remove",
  /** Inserts bytes: a length of 2^31 or 2^64, a varint without an end. */
  "insert",
  /** Repeats a piece behind itself. */
  "repeat",
] as const;

/** One edit. */
export interface Edit {
  readonly kind: (typeof EDIT_KINDS)[number];
  /** Position, modulo the length of the bytes. A whole number from 0. */
  readonly at: number;
  /** Chooses the bit, the bytes or the length. A whole number from 0. */
  readonly value: number;
}

/** Bytes that "insert" and "set" use: huge lengths in the encodings of the parsers here, and the ends of their ranges. */
const NASTY: readonly (readonly number[])[] = [
  [0],
  [0xff],
  [0x7f],
  [0x80],
  [0xff, 0xff, 0xff, 0xff],
  [0x7f, 0xff, 0xff, 0xff],
  [0x80, 0x80, 0x80, 0x80, 0x08],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
  [0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00],
];
/** Longest repeated or removed piece, so that damage does not make the bytes much longer. */
const MAX_PIECE_BYTES = 256;

/** A damaged copy of `bytes`. */
export function damaged(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  let result = Uint8Array.from(bytes);
  for (const edit of edits) result = edited(result, edit);
  return result;
}

function edited(bytes: Uint8Array<ArrayBuffer>, { kind, at, value }: Edit): Uint8Array<ArrayBuffer> {
  const place = bytes.length === 0 ? 0 : at % bytes.length;
  const nasty = NASTY[value % NASTY.length] ?? [];
  switch (kind) {
    case "flip":
      if (bytes.length > 0) bytes[place] = (bytes[place] ?? 0) ^ (1 << (value & 7));
      return bytes;
    case "set":
      nasty.slice(0, bytes.length - place).forEach((byte, i) => {
        bytes[place + i] = byte;
      });
      return bytes;
    case "cut":
      return bytes.slice(0, place);
    case "remove":
      return joined(bytes.subarray(0, place), bytes.subarray(place + 1 + (value % MAX_PIECE_BYTES)));
    case "insert":
      return joined(bytes.subarray(0, place), nasty, bytes.subarray(place));
    case "repeat": {
      const end = place + 1 + (value % MAX_PIECE_BYTES);
      return joined(bytes.subarray(0, end), bytes.subarray(place, end), bytes.subarray(end));
    }
  }
}

function joined(...parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
