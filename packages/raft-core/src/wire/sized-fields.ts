/**
 * Fields in protobuf's wire format: how many bytes they take, and writing them.
 *
 * Role: the writing half of the codec's foundation. A message is written in two passes over plain arithmetic: its size first,
 * then its bytes into a buffer that has exactly that size, so nothing is ever copied or grown.
 *
 * Invariants:
 * W1. What `...Size` returns is what the `write...` of the same value writes.
 * W2. As proto3 wants it, a field with its zero value takes no bytes at all.
 * W3. Only integers in `[0, 2^53)` are written, and signed ones within 2^53 of zero; others are refused while sizes are taken,
 *     before a byte is written.
 */
import { unwritable } from "./refusal.ts";
import { varintBytes, writeVarint } from "./varint.ts";

/** Bytes of an int64 below zero: ten, for its sign is carried to the 64th bit. */
const NEGATIVE_BYTES = 10;
/** Shorter contents are copied byte by byte, which is faster than asking the engine to. */
const COPY_BY_HAND_BELOW = 24;

/** The bytes in front of a field of number `field` and wire type `wireType`. */
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

export function writeUintField(target: Uint8Array, at: number, tag: number, value: number): number {
  return value === 0 ? at : writeVarint(target, writeVarint(target, at, tag), value);
}

/** Bytes of an int64 field. Throws RaftError CODEC_INVALID beyond the safe integers (W3). */
export function int64FieldSize(tag: number, value: number): number {
  if (value >= 0) return uintFieldSize(tag, value);
  if (!Number.isSafeInteger(value)) throw unwritable(value);
  return tagBytes(tag) + NEGATIVE_BYTES;
}

export function writeInt64Field(target: Uint8Array, at: number, tag: number, value: number): number {
  if (value >= 0) return writeUintField(target, at, tag, value);
  let to = writeVarint(target, at, tag);
  // Two's complement in 64 bits: those of -value - 1, inverted. Nine groups of seven bits, and the sign bit in the tenth.
  let rest = -(value + 1);
  for (let group = 0; group < NEGATIVE_BYTES - 1; group++) {
    target[to++] = (~(rest % 0x80) & 0x7f) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[to++] = 1;
  return to;
}

export function boolFieldSize(tag: number, value: boolean): number {
  return value ? tagBytes(tag) + 1 : 0;
}

export function writeBoolField(target: Uint8Array, at: number, tag: number, value: boolean): number {
  return value ? writeVarint(target, writeVarint(target, at, tag), 1) : at;
}

/** Bytes of a field with its length in front, even if it is empty: submessages say by it that they are there. */
export function nestedFieldSize(tag: number, length: number): number {
  return tagBytes(tag) + varintBytes(length) + length;
}

/** The tag and length of a field; its `length` bytes follow. */
export function writeNestedHead(target: Uint8Array, at: number, tag: number, length: number): number {
  return writeVarint(target, writeVarint(target, at, tag), length);
}

export function bytesFieldSize(tag: number, value: Uint8Array | undefined): number {
  return value === undefined || value.length === 0 ? 0 : nestedFieldSize(tag, value.length);
}

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
