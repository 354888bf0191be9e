/**
 * Fields of messages, declared once: how a value is written and read under a number, and which type of protobuf it has.
 *
 * WF1. A field that holds its default is not written, and a field that is missing holds its default (proto3).
 * WF2. A value that a reader gives is its own: it shares nothing with the bytes that it was read from.
 */

import { WorkflowError } from "../errors.ts";
import { writerOf } from "./command-wire.ts";
import type { MessageCodec, OptionalField, WireField } from "./wire-types.ts";

const NO_BYTES: Uint8Array = new Uint8Array(0);
const NOTHING: readonly never[] = Object.freeze([]);

/** A safe integer from 0 on. */
export function uint(number: number): WireField<number> {
  return {
    number,
    type: "uint",
    isRepeated: false,
    initial: 0,
    write: (to, value) => to.uint(number, value),
    read: (from) => from.uint(),
  };
}

/** True or false. */
export function bool(number: number): WireField<boolean> {
  return {
    number,
    type: "bool",
    isRepeated: false,
    initial: false,
    write: (to, value) => to.bool(number, value),
    read: (from) => from.bool(),
  };
}

/** Text. */
export function string(number: number): WireField<string> {
  return {
    number,
    type: "string",
    isRepeated: false,
    initial: "",
    write: (to, value) => to.string(number, value),
    read: (from) => from.string(),
  };
}

/** Bytes. */
export function bytes(number: number): WireField<Uint8Array> {
  return {
    number,
    type: "bytes",
    isRepeated: false,
    initial: NO_BYTES,
    write: (to, value) => to.bytes(number, value),
    read: (from) => from.bytes(),
  };
}

/** One of several names; the place of a name in the list is its number on the wire. `what` names the list in errors. */
export function named<T extends string>(number: number, names: readonly [T, ...T[]], what: string): WireField<T> {
  return {
    number,
    type: "enum",
    isRepeated: false,
    initial: names[0],
    names,
    write: (to, value) => to.uint(number, names.indexOf(value)),
    read: (from) => {
      const read = from.uint();
      const name = names[read];
      if (name === undefined) throw new WorkflowError("COMMAND_INVALID", `Unknown ${what} ${read}`);
      return name;
    },
  };
}

/** A submessage. `initial` stands for a missing one. */
export function message<T>(number: number, codec: MessageCodec<T>, initial: T): WireField<T> {
  return {
    number,
    type: "message",
    isRepeated: false,
    initial,
    message: codec as MessageCodec<never>,
    write: (to, value) => to.message(number, written(codec, value)),
    read: (from) => codec.read(from.message()),
  };
}

/** Any number of submessages. */
export function messages<T>(number: number, codec: MessageCodec<T>): WireField<readonly T[]> {
  return {
    number,
    type: "message",
    isRepeated: true,
    initial: NOTHING,
    message: codec as MessageCodec<never>,
    write: (to, values) => {
      for (const value of values) to.message(number, written(codec, value));
    },
    read: (from, before) => {
      const read = codec.read(from.message());
      if (before === NOTHING) return [read];
      // Made by the line above, and not shared yet.
      (before as T[]).push(read);
      return before;
    },
  };
}

/** Any number of texts. */
export function strings(number: number): WireField<readonly string[]> {
  return {
    number,
    type: "string",
    isRepeated: true,
    initial: NOTHING,
    write: (to, values) => {
      for (const value of values) to.message(number, encoder.encode(value));
    },
    read: (from, before) => {
      const read = from.string();
      if (before === NOTHING) return [read];
      (before as string[]).push(read);
      return before;
    },
  };
}

/** Any number of values of bytes, each of which may be empty. */
export function values(number: number): WireField<readonly Uint8Array[]> {
  return {
    number,
    type: "bytes",
    isRepeated: true,
    initial: NOTHING,
    write: (to, list) => {
      for (const value of list) to.message(number, value);
    },
    read: (from, before) => {
      const read = from.bytes();
      if (before === NOTHING) return [read];
      // Made by the line above, and not shared yet.
      (before as Uint8Array[]).push(read);
      return before;
    },
  };
}

/** The same field, left out of the value while it holds its default. */
export function optional<T>(field: WireField<T>): OptionalField<T> {
  return { ...field, isOptional: true };
}

const encoder = new TextEncoder();

function written<T>(codec: MessageCodec<T>, value: T): Uint8Array {
  const inner = writerOf(64);
  codec.write(inner, value);
  return inner.finish();
}
