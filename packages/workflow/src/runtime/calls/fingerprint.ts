/**
 * Whether JSON carries a value, and a fingerprint for values that it does not carry.
 *
 * FP1. Two values of one shape and content have one fingerprint, on every node, version of Node and build. Neither the platform's own rendering nor
 *      names of classes are used.
 * FP2. Private fields and closures are not seen: a fingerprint finds a schema that gives something else, and not every one that does.
 */
import { createHash } from "node:crypto";

/** Deeper values, and cycles, are cut. */
const MAX_DEPTH = 100;

/** Whether `back`, which JSON gave for `value`, is all that `value` was. A property that is undefined is like one that is missing. */
export function isCarried(value: unknown, back: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === back;
  if (typeof back !== "object" || back === null) return false;
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

/** SHA-256, in hex, of a value's content. */
export function fingerprintOf(value: unknown): string {
  const hash = createHash("sha256");
  render(value, (text) => hash.update(text), 0);
  return hash.digest("hex");
}

function render(value: unknown, write: (text: string) => void, depth: number): void {
  if (depth > MAX_DEPTH) write("...");
  else if (typeof value === "object" && value !== null) renderObject(value, write, depth + 1);
  else write(textOf(value));
}

function textOf(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "function" ? "function" : String(value);
}

function renderObject(value: object, write: (text: string) => void, depth: number): void {
  const [kind, parts] = contentOf(value);
  write(`${kind}[`);
  for (const part of parts) {
    render(part, write, depth);
    write(",");
  }
  write("]");
}

/** What an object is and consists of, in an order of its own. Names of classes are left out: builds give them other ones. */
function contentOf(value: object): readonly [kind: string, parts: Iterable<unknown>] {
  if (Array.isArray(value)) return ["list", value];
  if (value instanceof Map) return ["map", value];
  if (value instanceof Set) return ["set", value];
  if (value instanceof Date) return ["date", [value.getTime()]];
  if (ArrayBuffer.isView(value)) {
    return ["bytes", [Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")]];
  }
  if ("toJSON" in value && typeof value.toJSON === "function") return ["json", [value.toJSON("")]];
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return ["object", fields.sort(([a], [b]) => (a < b ? -1 : 1))];
}
