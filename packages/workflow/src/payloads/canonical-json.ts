/**
 * The identity of a value: two values that are equal have the same canonical bytes, however their JSON is written.
 */
import { createHash } from "node:crypto";

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/**
 * The canonical JSON of a value: without spaces, keys of objects in the order of their UTF-16 units. Undefined for bytes that are not JSON, or hold a number
 * beyond what JavaScript has; such values are compared byte by byte.
 */
export function canonicalJson(value: Uint8Array): Uint8Array | undefined {
  const text = canonicalText(value);
  return text === undefined ? undefined : encoder.encode(text);
}

/** SHA-256 over the canonical JSON of a value; undefined where there is none. */
export function valueDigest(value: Uint8Array): Uint8Array | undefined {
  const text = canonicalText(value);
  return text === undefined ? undefined : sha256(text);
}

/** SHA-256 of bytes, or of a text in UTF-8. */
export function sha256(content: Uint8Array | string): Uint8Array {
  return createHash("sha256").update(content).digest();
}

function canonicalText(value: Uint8Array): string | undefined {
  if (value.length === 0) return "";
  try {
    return JSON.stringify(JSON.parse(decoder.decode(value)), canonical);
  } catch {
    return undefined;
  }
}

/** Replaces an object by one whose keys are sorted. Throws for an infinite number, which JSON would turn into null. */
function canonical(_key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("beyond the numbers of JavaScript");
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const keys = Object.keys(value);
  if (keys.every((key, at) => at === 0 || (keys[at - 1] as string) < key)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}
