/**
 * Fields in protobuf's wire format: their sizes, and writing them.
 *
 * Role: the writing half of the codec. A message is written in two passes: the first computes its size, the second
 * writes its bytes into a buffer of exactly that size, so that no buffer is copied or grown.
 *
 * Invariants:
 * W1. `...Size` returns the number of bytes that `write...` writes for the same value.
 * W2. As in proto3, a field with its zero value takes no bytes.
 * W3. Only integers in `[0, 2^53)` are written, and signed ones within 2^53 of zero. The `...Size` functions refuse others,
 *     before a byte is written.
 */
import { unwritable } from "./refusal.ts";
import { varintBytes, writeVarint } from "./varint.ts";

/** Bytes of a negative int64: ten, because its sign extends to the 64th bit. */
const NEGATIVE_BYTES = 10;
/** Shorter contents are copied byte by byte, which is faster than `TypedArray.set`. */
const COPY_BY_HAND_BELOW = 24;

/** The tag of a field with number `field` and wire type `wireType`. */
export function tagOf(field: number, wireType: number): number {
  return field * 8 + wireType;
}

function tagBytes(tag: number): number {
  return tag < 0x80 ? 1 : 2;
}

/** Bytes of an unsigned integer field. Throws RaftError CODEC_INVALID beyond the safe integers (W3). */
export function uintFieldSize(tag: number, value: number): number {
  if (value === 0) return 0;
  if (!Number.isSafeInteger(value) || value < 0) throw unwritable(value);
  return tagBytes(tag) + varintBytes(value);
}

/** Writes an unsigned integer field at `at` and returns the position after it. The value must have passed {@link uintFieldSize}. */
export function writeUintField(target: Uint8Array, at: number, tag: number, value: number): number {
  return value === 0 ? at : writeVarint(target, writeVarint(target, at, tag), value);
}

/** Bytes of an int64 field. Throws RaftError CODEC_INVALID beyond the safe integers (W3). */
export function int64FieldSize(tag: number, value: number): number {
  if (value >= 0) return uintFieldSize(tag, value);
  if (!Number.isSafeInteger(value)) throw unwritable(value);
  return tagBytes(tag) + NEGATIVE_BYTES;
}

/** Writes an int64 field at `at` and returns the position after it. The value must have passed {@link int64FieldSize}. */
export function writeInt64Field(target: Uint8Array, at: number, tag: number, value: number): number {
  if (value >= 0) return writeUintField(target, at, tag, value);
  let to = writeVarint(target, at, tag);
  // Two's complement in 64 bits: the bits of -value - 1, inverted. Nine groups of seven bits, and the sign bit in the tenth.
  let rest = -(value + 1);
  for (let group = 0; group < NEGATIVE_BYTES - 1; group++) {
    target[to++] = (~(rest % 0x80) & 0x7f) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[to++] = 1;
  return to;
}

/** Bytes of a bool field. */
export function boolFieldSize(tag: number, value: boolean): number {
  return value ? tagBytes(tag) + 1 : 0;
}

/** Writes a bool field at `at` and returns the position after it. */
export function writeBoolField(target: Uint8Array, at: number, tag: number, value: boolean): number {
  return value ? writeVarint(target, writeVarint(target, at, tag), 1) : at;
}

/** Bytes of a length-delimited field, also of an empty one: an empty submessage is written, so that it is present. */
export function nestedFieldSize(tag: number, length: number): number {
  return tagBytes(tag) + varintBytes(length) + length;
}

/** Writes the tag and length of a field at `at` and returns the position after them, where its `length` bytes follow. */
export function writeNestedHead(target: Uint8Array, at: number, tag: number, length: number): number {
  return writeVarint(target, writeVarint(target, at, tag), length);
}

/** Bytes of a bytes field. Undefined and empty values take none (W2). */
export function bytesFieldSize(tag: number, value: Uint8Array | undefined): number {
  return value === undefined || value.length === 0 ? 0 : nestedFieldSize(tag, value.length);
}

/** Writes a bytes field at `at` and returns the position after it. Copies the value. */
export function writeBytesField(target: Uint8Array, at: number, tag: number, value: Uint8Array | undefined): number {
  if (value === undefined || value.length === 0) return at;
  const length = value.length;
  const from = writeNestedHead(target, at, tag, length);
  if (length < COPY_BY_HAND_BELOW) {
    for (let i = 0; i < length; i++) target[from + i] = value[i] as number;
  } else {
    target.set(value, from);
  }
  return from + length;
}

/** Bytes of a packed list of unsigned integers. Throws RaftError CODEC_INVALID beyond the safe integers (W3). */
export function packedFieldSize(tag: number, values: readonly number[]): number {
  return values.length === 0 ? 0 : nestedFieldSize(tag, packedContentSize(values));
}

/** Writes a packed list of unsigned integers at `at` and returns the position after it. */
export function writePackedField(target: Uint8Array, at: number, tag: number, values: readonly number[]): number {
  if (values.length === 0) return at;
  let to = writeNestedHead(target, at, tag, packedContentSize(values));
  for (const value of values) to = writeVarint(target, to, value);
  return to;
}

function packedContentSize(values: readonly number[]): number {
  let size = 0;
  for (const value of values) {
    if (!Number.isSafeInteger(value) || value < 0) throw unwritable(value);
    size += varintBytes(value);
  }
  return size;
}
