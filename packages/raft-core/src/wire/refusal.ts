/** The errors of bytes that cannot be read, and of numbers that cannot be written. */
import { RaftError } from "../errors.ts";

/** Creates the error for invalid bytes. `what` names the fault: a part of a sentence without a full stop. */
export type WireRefusal = (what: string, cause?: unknown) => Error;

/** Creates the error for a number that cannot be written. */
export type NumberRefusal = (value: number) => Error;

/** The default refusal of a reader: RaftError CODEC_INVALID. */
export function malformed(what: string, cause?: unknown): RaftError {
  return new RaftError("CODEC_INVALID", `Bytes do not follow the protocol: ${what}. Check which program wrote them.`, {
    cause,
  });
}

/** The error for a number that a varint of this implementation cannot hold: RaftError CODEC_INVALID. */
export function unwritable(value: number): RaftError {
  const message = `${value} cannot be written; terms, indexes, ids and lengths must be whole numbers from 0 to 2^53 - 1.`;
  return new RaftError("CODEC_INVALID", message);
}
