/** How fields and messages are described: the types that `fields.ts` and `message-codec.ts` share. */
import type { WireReader, WireWriter } from "@raftoral/raft-core/wire";

/** A type of protobuf, as the schema in `proto/` names it; `uint` stands for both uint32 and uint64. */
export type WireType = "uint" | "bool" | "string" | "bytes" | "enum" | "message";

/** One field of a message: how a value is written and read under a number. */
export interface WireField<T> {
  readonly number: number;
  readonly type: WireType;
  readonly isRepeated: boolean;
  /** What a message without the field says. Never changed. */
  readonly initial: T;
  /** The names of an enum, by number. */
  readonly names?: readonly string[];
  /** How a submessage, or each of them, is written. */
  readonly message?: MessageCodec<never>;
  write(to: WireWriter, value: T): void;
  /** The value after one more occurrence; `before` is what was read until now. */
  read(from: WireReader, before: T): T;
}

/** A field that is left out of the value while it holds its default. */
export interface OptionalField<T> extends WireField<T> {
  readonly isOptional: true;
}

/** How a message is written and read. */
export interface MessageCodec<T> {
  /** Ascending by number; absent for a message that is not a table of fields. */
  readonly fields?: readonly (readonly [property: string, field: WireField<unknown>])[];
  /** For a value that travels in parts, whose fields `fields` are: the value that they make. */
  readonly fromParts?: (parts: never) => T;
  write(to: WireWriter, value: T): void;
  /** Reads to the reader's end. Throws COMMAND_INVALID. */
  read(from: WireReader): T;
}
