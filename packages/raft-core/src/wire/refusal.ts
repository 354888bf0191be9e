/** The errors of bytes that cannot be read, and of numbers that cannot be written. */
import { RaftError } from "../errors.ts";

/** Makes the error of bytes that are not what they should be; `what` says what is wrong with them. */
export type WireRefusal = (what: string, cause?: unknown) => Error;

/** Makes the error of a number that cannot be written. */
export type NumberRefusal = (value: number) => Error;

/** The refusal of a reader that was given no other: RaftError CODEC_INVALID. */
export function malformed(what: string, cause?: unknown): RaftError {
  return new RaftError("CODEC_INVALID", `not a message of this protocol: ${what}`, { cause });
}

/** The error of a number that a varint of this implementation cannot carry: RaftError CODEC_INVALID. */
export function unwritable(value: number): RaftError {
  const message = `${value} cannot be written: terms, indexes, ids and lengths are whole numbers from 0 to 2^53 - 1`;
  return new RaftError("CODEC_INVALID", message);
}
