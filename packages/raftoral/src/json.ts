/**
 * JSON where it enters and leaves: inputs, payloads, results and checkpoint values travel as JSON in UTF-8.
 * No value at all (`undefined`) is no bytes at all, which differs from the value `null`.
 */
import { EMPTY_BYTES } from "@raftoral/raft-core";
import { encodeValue } from "@raftoral/workflow";
import { NodeError } from "./errors.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Bytes of a value. `what` names it in the error. Throws JSON_INVALID for a value that JSON cannot hold. */
export function encodeJson(value: unknown, what: string): Uint8Array {
  if (value === undefined) return EMPTY_BYTES;
  try {
    // As strict as what a node records: nothing is changed or dropped in silence.
    return encodeValue(value, what, Number.POSITIVE_INFINITY);
  } catch (error) {
    throw new NodeError("JSON_INVALID", `${(error as Error).message}.`, { cause: error });
  }
}

/** The value of bytes. Throws JSON_INVALID, saying where the text goes wrong. */
export function decodeJson(bytes: Uint8Array, what: string): unknown {
  if (bytes.length === 0) return undefined;
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (error) {
    throw new NodeError("JSON_INVALID", `${what} is not text in UTF-8.`, { cause: error });
  }
  return parseJson(text, what);
}

/** The value of a JSON text. Throws JSON_INVALID, saying where it goes wrong. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new NodeError("JSON_INVALID", `${what} is not JSON: ${(error as Error).message}.`, { cause: error });
  }
}
