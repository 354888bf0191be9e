/**
 * Values that are bytes, where JSON has to carry them: plain HTTP, `--json`, printed values.
 *
 * BJ1. An object with exactly these two fields stands for bytes, wherever a whole value is given or shown in JSON. No other object does.
 */
import { BINARY_CONTENT_TYPE } from "@raftoral/workflow";

/** Bytes in JSON. */
export interface BytesAsJson {
  readonly base64: string;
  readonly contentType: typeof BINARY_CONTENT_TYPE;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** A value as JSON carries it: bytes as an object, every other value as it is. */
export function shownInJson(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  const base64 = Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64");
  return { base64, contentType: BINARY_CONTENT_TYPE } satisfies BytesAsJson;
}

/** JSON of what is shown, with decoded values in it. */
export function jsonText(shown: unknown, indent?: number): string {
  return JSON.stringify(shown, (_name, value: unknown) => shownInJson(value), indent);
}

/** The value that JSON carries (BJ1). */
export function givenInJson(json: unknown): unknown {
  return isBytes(json) ? new Uint8Array(Buffer.from(json.base64, "base64")) : json;
}

function isBytes(json: unknown): json is BytesAsJson {
  if (typeof json !== "object" || json === null) return false;
  const { base64, contentType, ...rest } = json as Partial<BytesAsJson>;
  if (contentType !== BINARY_CONTENT_TYPE || typeof base64 !== "string") return false;
  return Object.keys(rest).length === 0 && BASE64.test(base64);
}
