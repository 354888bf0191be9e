/**
 * Whether JSON carries a value, and a fingerprint for values that it does not carry.
 *
 * FP1. Two values of one shape and content have one fingerprint, on every node, version of Node and build. Neither the platform's own rendering nor
 *      names of classes are used.
 * FP2. Private fields and closures are not seen: a fingerprint finds a schema that gives something else, and not every one that does.
 * FP3. There are two forms. The first one takes regular expressions, errors, array buffers, kinds of typed arrays, boxed values and negative zero for alike; the full one tells
 *      them apart. A record says nothing of its form: that is a behaviour of its run (behaviours.ts).
 */
import { createHash } from "node:crypto";
import { sameBytes } from "../../records/same-bytes.ts";

/** Deeper values, and cycles, are cut. */
const MAX_DEPTH = 100;

/** Whether `back`, which the record gave for `value`, is all that `value` was. A property that is undefined is like one that is missing. */
export function isCarried(value: unknown, back: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === back;
  if (typeof back !== "object" || back === null) return false;
  if (value instanceof Uint8Array) {
    return value.constructor === Uint8Array && back instanceof Uint8Array && sameBytes(value, back);
  }
  if (Array.isArray(value)) {
    return Array.isArray(back) && value.length === back.length && value.every((item, at) => isCarried(item, back[at]));
  }
  if (Array.isArray(back)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  const [own, other] = [value as Fields, back as Fields];
  return (
    namesOf(own).length === namesOf(other).length && namesOf(own).every((name) => isCarried(own[name], other[name]))
  );
}

type Fields = Readonly<Record<string, unknown>>;

function namesOf(fields: Fields): readonly string[] {
  return Object.keys(fields).filter((name) => fields[name] !== undefined);
}

/** What fingerprints tell apart (FP3). */
export type FingerprintForm = "first" | "full";

/** What an object is, and what it consists of in an order of its own. */
type Content = readonly [kind: string, parts: Iterable<unknown>];

/** SHA-256, in hex, of a value's content. */
export function fingerprintOf(value: unknown, form: FingerprintForm): string {
  const hash = createHash("sha256");
  new Rendering(form, (text) => hash.update(text)).of(value, 0);
  return hash.digest("hex");
}

/** A value as text, which goes to `write` in pieces. */
class Rendering {
  readonly #isFull: boolean;
  readonly #write: (text: string) => void;

  constructor(form: FingerprintForm, write: (text: string) => void) {
    this.#isFull = form === "full";
    this.#write = write;
  }

  of(value: unknown, depth: number): void {
    if (depth > MAX_DEPTH) this.#write("...");
    else if (typeof value === "object" && value !== null) this.#object(value, depth + 1);
    else if (this.#isFull && Object.is(value, -0)) this.#write("-0");
    else this.#write(textOf(value));
  }

  #object(value: object, depth: number): void {
    const [kind, parts] = (this.#isFull ? fullContentOf(value) : undefined) ?? contentOf(value);
    this.#write(`${kind}[`);
    for (const part of parts) {
      this.of(part, depth);
      this.#write(",");
    }
    this.#write("]");
  }
}

function textOf(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "function" ? "function" : String(value);
}

/** What the full form tells apart beyond the first one; undefined for what both see alike. */
function fullContentOf(value: object): Content | undefined {
  if (ArrayBuffer.isView(value)) {
    // Of the platform's own classes: builds do not rename these.
    return [Object.prototype.toString.call(value), [hexOf(value.buffer, value.byteOffset, value.byteLength)]];
  }
  if (hasToJson(value)) return undefined;
  if (value instanceof RegExp) return ["pattern", [value.source, value.flags]];
  if (value instanceof Error) return ["error", [value.message, value.cause, ...fieldsOf(value)]];
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return ["buffer", [hexOf(value)]];
  if (value instanceof Number || value instanceof String || value instanceof Boolean || value instanceof BigInt)
    return ["boxed", [value.valueOf()]];
  return undefined;
}

function hexOf(buffer: ArrayBufferLike, offset?: number, length?: number): string {
  return Buffer.from(buffer, offset, length).toString("hex");
}

/** What an object is and consists of in the first form. Names of classes are left out: builds give them other ones. */
function contentOf(value: object): Content {
  if (Array.isArray(value)) return ["list", value];
  if (value instanceof Map) return ["map", value];
  if (value instanceof Set) return ["set", value];
  if (value instanceof Date) return ["date", [value.getTime()]];
  if (ArrayBuffer.isView(value)) {
    return ["bytes", [hexOf(value.buffer, value.byteOffset, value.byteLength)]];
  }
  return hasToJson(value) ? ["json", [value.toJSON("")]] : ["object", fieldsOf(value)];
}

function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  return "toJSON" in value && typeof value.toJSON === "function";
}

function fieldsOf(value: object): readonly (readonly [name: string, field: unknown])[] {
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return fields.sort(([a], [b]) => (a < b ? -1 : 1));
}
