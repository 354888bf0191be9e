/**
 * Values of workflows as bytes: JSON in UTF-8, and nothing at all for a top-level undefined.
 *
 * J1. What JSON would change or drop in silence (functions, bigint, NaN, undefined in arrays, Map, Set, cycles, ...) is
 *     refused, naming where it is. An object's undefined properties are left out, and what has `toJSON` (a Date) is its
 *     result: the decoded form is all that anybody ever sees, on the first run too.
 */
import { WorkflowError } from "../errors.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const NOTHING: Uint8Array = new Uint8Array(0);
/** Deeper values are refused; so are cycles, which are deeper than anything. */
const MAX_DEPTH = 200;
/** Of such a value, what the message shows of the way to it: enough to recognize it by. */
const SHOWN_PATH_LENGTH = 60;

/**
 * Bytes of a value. `what` says whose it is, in messages. Throws VALUE_NOT_SERIALIZABLE, or PAYLOAD_TOO_LARGE beyond
 * `maxBytes`.
 */
export function encodeValue(value: unknown, what: string, maxBytes: number): Uint8Array {
  if (value === undefined) return NOTHING;
  check(value, what, "", 0);
  const bytes = encoder.encode(JSON.stringify(value));
  if (bytes.length > maxBytes) {
    throw new WorkflowError(
      "PAYLOAD_TOO_LARGE",
      `The value of ${what} takes ${bytes.length} bytes as JSON, at most ${maxBytes} are taken; store it elsewhere and ` +
        "return where it is",
      { details: { bytes: bytes.length, maxBytes } },
    );
  }
  return bytes;
}

/** The value of bytes that {@link encodeValue}, or another JSON encoder, wrote. Throws VALUE_UNREADABLE. */
export function decodeValue(bytes: Uint8Array, what: string): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new WorkflowError("VALUE_UNREADABLE", `The recorded value of ${what} is not JSON in UTF-8`, { cause });
  }
}

function check(value: unknown, what: string, path: string, depth: number): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (!Number.isFinite(value)) throw refused(String(value), what, path);
      return;
    case "object":
      if (value !== null) checkObject(value, what, path, depth);
      return;
    default:
      throw refused(value === undefined ? "undefined" : `a ${typeof value}`, what, path);
  }
}

function checkObject(value: object, what: string, path: string, depth: number): void {
  if (depth > MAX_DEPTH)
    throw refused("a cycle, or more than 200 levels", what, `${path.slice(0, SHOWN_PATH_LENGTH)}...`);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) check(value[i], what, `${path}[${i}]`, depth + 1);
    return;
  }
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") {
    const replaced: unknown = toJSON.call(value, "");
    if (replaced === value) throw refused("a toJSON that returns itself", what, path);
    check(replaced, what, path, depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (value instanceof Map || value instanceof Set || value instanceof Error || ArrayBuffer.isView(value)) {
    throw refused((prototype as { constructor: { name: string } }).constructor.name, what, path);
  }
  if (value instanceof Promise) throw refused("a promise (an await is missing)", what, path);
  for (const key of Object.keys(value)) {
    const property = (value as Record<string, unknown>)[key];
    if (property !== undefined) check(property, what, path === "" ? key : `${path}.${key}`, depth + 1);
  }
}

function refused(found: string, what: string, path: string): WorkflowError {
  return new WorkflowError(
    "VALUE_NOT_SERIALIZABLE",
    `The value of ${what} cannot be recorded as JSON: ${path === "" ? "it is" : `at ${path} there is`} ${found}`,
    { details: { of: what, path } },
  );
}
