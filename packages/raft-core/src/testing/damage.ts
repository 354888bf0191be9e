/**
 * Bytes that were right once, and what may have become of them: for tests of everything that reads bytes which nobody vouches for.
 * Free of randomness; a property-testing library chooses the edits.
 */

/** What one edit does. */
export const EDIT_KINDS = [
  /** Another bit. */
  "flip",
  /** Another byte: often one that a parser counts or ends with. */
  "set",
  /** Nothing from here on. */
  "cut",
  /** A few bytes are gone. */
  "remove",
  /** Bytes that were not there: a length of 2^31 or 2^64, a varint without an end. */
  "insert",
  /** A piece comes again, behind itself. */
  "repeat",
] as const;

export interface Edit {
  readonly kind: (typeof EDIT_KINDS)[number];
  /** Where, wrapped around the length. Natural numbers. */
  readonly at: number;
  readonly value: number;
}

/** What is inserted, and what "set" sets: sizes that no memory has in the encodings that parsers here know, and the ends of their ranges. */
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
/** A repeated piece and an insertion stay small, so that damage does not grow what is damaged beyond a few times its size. */
const MAX_PIECE_BYTES = 256;

/** A damaged copy of `bytes`, which stay as they are. */
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
