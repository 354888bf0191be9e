/**
 * Values of workflows as bytes: JSON in UTF-8, no bytes for a top-level undefined, and an envelope of bytes for a top-level Uint8Array.
 *
 * J1. What JSON would change or drop in silence is refused, and the error names its place: functions, bigint, NaN, undefined in arrays, symbol
 *     keys, invalid dates, boxed values, Map, Set, Error, RegExp, Response and every other built-in object, instances that have no public fields.
 *     An object's undefined properties are left out. What has a `toJSON` counts as what that gives, so a Date is its ISO text.
 *     The types of recorded.ts say the same to the compiler.
 * J4. A Uint8Array (also a Buffer) is recorded as bytes when it is the whole value, and comes back as a Uint8Array of its own. Within another value it is refused, also a Buffer, whose
 *     toJSON would make a list of numbers of it.
 * J2. Encoding stops at `maxBytes`, however often a value contains the same object: the walk counts at least one byte for every value.
 * J3. Code of the value itself (getters, toJSON, proxies) that throws makes the value unserializable; nothing else is thrown.
 */
import { WorkflowError } from "../../errors.ts";
import { BINARY_OVERHEAD_BYTES, isBinary, isEncoded, readEnvelope, writeBinary } from "../../model/payload-envelope.ts";
import { payloadUnreadable } from "../../payloads/payload-errors.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const NOTHING: Uint8Array = new Uint8Array(0);
/** Deeper values are refused; so are cycles, which are deeper than anything. */
const MAX_DEPTH = 200;
/** Of such a value, what the message shows of the way to it: enough to recognize it by. */
const SHOWN_PATH_LENGTH = 60;
/** No value is longer, whatever its taker allows: it would be one string in memory. */
const LONGEST_BYTES = 64 * 1024 * 1024;

/**
 * Bytes of a value. `what` says whose it is, in messages. Throws VALUE_NOT_SERIALIZABLE, or PAYLOAD_TOO_LARGE beyond `maxBytes` (64 MiB at
 * most).
 */
export function encodeValue(value: unknown, what: string, maxBytes: number): Uint8Array {
  if (value === undefined) return NOTHING;
  const limit = Math.min(maxBytes, LONGEST_BYTES);
  if (isBytes(value)) {
    if (value.length + BINARY_OVERHEAD_BYTES > limit) throw tooLarge(what, value.length, limit);
    return writeBinary(value);
  }
  let text: string | undefined;
  try {
    new Walk(what, limit).value(value, "", "", 0);
    text = JSON.stringify(value);
  } catch (error) {
    if (error instanceof WorkflowError) throw error;
    throw new WorkflowError(
      "VALUE_NOT_SERIALIZABLE",
      `The value of ${what} cannot be recorded as JSON, because reading it failed: ${messageOf(error)}. Give a plain copy of what is to be kept.`,
      { cause: error, details: { of: what, path: "" } },
    );
  }
  if (text === undefined) return NOTHING;
  const bytes = encoder.encode(text);
  if (bytes.length > limit) throw tooLarge(what, bytes.length, limit);
  return bytes;
}

/**
 * The value of bytes that {@link encodeValue}, or another JSON encoder, wrote. Throws VALUE_UNREADABLE, and PAYLOAD_UNREADABLE for a value that a payload codec has
 * encoded.
 */
export function decodeValue(bytes: Uint8Array, what: string): unknown {
  if (bytes.length === 0) return undefined;
  if (isBinary(bytes)) return readEnvelope(bytes).content.slice();
  if (isEncoded(bytes)) throw payloadUnreadable(bytes, what);
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new WorkflowError(
      "VALUE_UNREADABLE",
      `The recorded value of ${what} is not JSON in UTF-8. Read its bytes, or record JSON.`,
      { cause },
    );
  }
}

/** Throws PAYLOAD_TOO_LARGE for bytes of a value that are more than `maxBytes`. */
export function assertPayloadSize(bytes: Uint8Array, what: string, maxBytes: number): void {
  if (bytes.length > maxBytes) throw tooLarge(what, bytes.length, maxBytes);
}

const PLAIN_DATA = "Give text, numbers, booleans, null, lists and plain objects, or something with a toJSON.";
const NESTED_BYTES =
  "Bytes are recorded when they are the whole value: give the Uint8Array alone, or text: Buffer.from(bytes).toString('base64').";
const OTHER_BUFFER = "Of buffers a Uint8Array alone is recorded, as the whole value: give new Uint8Array(buffer).";

/** One walk over a value, before it is turned into text. */
class Walk {
  readonly #what: string;
  readonly #limit: number;
  /** A lower bound of the bytes so far. */
  #bytes = 0;

  constructor(what: string, limit: number) {
    this.#what = what;
    this.#limit = limit;
  }

  value(value: unknown, key: string, path: string, depth: number): void {
    this.#count(1);
    switch (typeof value) {
      case "string":
        this.#count(value.length + 1);
        return;
      case "boolean":
        return;
      case "number":
        if (!Number.isFinite(value)) throw this.#refused(String(value), path);
        return;
      case "object":
        if (value !== null) this.#object(value, key, path, depth);
        return;
      default:
        throw this.#refused(value === undefined ? "undefined" : `a ${typeof value}`, path);
    }
  }

  #object(value: object, key: string, path: string, depth: number): void {
    if (depth > MAX_DEPTH) {
      throw this.#refused("a cycle, or more than 200 levels", `${path.slice(0, SHOWN_PATH_LENGTH)}...`);
    }
    if (isBytes(value)) throw this.#refused("a Uint8Array", path, NESTED_BYTES);
    if (hasToJson(value)) {
      if (isInvalidDate(value)) throw this.#refused("an invalid date", path);
      const replaced: unknown = value.toJSON(key);
      if (replaced === value) throw this.#refused("a toJSON that returns itself", path);
      // JSON.stringify does not call it: a Date would become {}.
      if (hasToJson(replaced)) throw this.#refused("a toJSON that gives something with a toJSON of its own", path);
      this.value(replaced, key, path, depth + 1);
      return;
    }
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) this.value(value[i], String(i), `${path}[${i}]`, depth + 1);
      return;
    }
    const keys = this.#keysOf(value, path);
    for (const name of keys) {
      const property = (value as Record<string, unknown>)[name];
      if (property === undefined) continue;
      this.#count(name.length + 3);
      this.value(property, name, path === "" ? name : `${path}.${name}`, depth + 1);
    }
  }

  /** The keys that JSON keeps of an object. Throws unless they are all that the object consists of. */
  #keysOf(value: object, path: string): readonly string[] {
    // A tag and not `instanceof`: objects of another realm (a vm context, a worker's) have classes of their own.
    const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
    if (tag === "Promise") throw this.#refused("a promise (an await is missing)", path);
    const keys = Object.keys(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
    if (tag !== "Object")
      throw this.#refused(`${article(tag)} ${tag}`, path, isBuffer(value) ? OTHER_BUFFER : PLAIN_DATA);
    if (!isPlain && keys.length === 0) {
      throw this.#refused(
        `an instance of ${classOf(prototype)} without public fields, of which JSON keeps nothing`,
        path,
      );
    }
    for (const symbol of Object.getOwnPropertySymbols(value)) {
      if (Object.prototype.propertyIsEnumerable.call(value, symbol)) {
        throw this.#refused(`a property with the key ${String(symbol)}, which JSON drops`, path);
      }
    }
    return keys;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limit) throw tooLarge(this.#what, undefined, this.#limit);
  }

  #refused(found: string, path: string, advice: string = PLAIN_DATA): WorkflowError {
    const what = this.#what;
    return new WorkflowError(
      "VALUE_NOT_SERIALIZABLE",
      `The value of ${what} cannot be recorded as JSON: ${path === "" ? "it is" : `at ${path} there is`} ${found}. ${advice}`,
      { details: { of: what, path } },
    );
  }
}

/** A Uint8Array or Buffer, of whatever realm (J4). */
function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]";
}

function isBuffer(value: object): boolean {
  const tag = Object.prototype.toString.call(value);
  return ArrayBuffer.isView(value) || tag === "[object ArrayBuffer]" || tag === "[object SharedArrayBuffer]";
}

function hasToJson(value: unknown): value is { toJSON(key: string): unknown } {
  return typeof value === "object" && value !== null && typeof (value as { toJSON?: unknown }).toJSON === "function";
}

function tooLarge(what: string, bytes: number | undefined, maxBytes: number): WorkflowError {
  return new WorkflowError(
    "PAYLOAD_TOO_LARGE",
    `The value of ${what} takes ${bytes === undefined ? "more than the" : `${bytes}`} bytes${bytes === undefined ? " that are taken" : ""}, at most ${maxBytes}. Store it elsewhere and return where it is.`,
    { details: { ...(bytes === undefined ? {} : { bytes }), maxBytes } },
  );
}

function isInvalidDate(value: object): boolean {
  if (Object.prototype.toString.call(value) !== "[object Date]") return false;
  try {
    return Number.isNaN(Date.prototype.getTime.call(value));
  } catch {
    // Something that only calls itself a Date.
    return false;
  }
}

function classOf(prototype: unknown): string {
  const name = (prototype as { constructor?: { name?: unknown } } | null)?.constructor?.name;
  return typeof name === "string" && name !== "" ? name : "a class";
}

function article(noun: string): string {
  return /^[AEIOU]/.test(noun) ? "an" : "a";
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "something that cannot be shown as text was thrown";
  }
}
