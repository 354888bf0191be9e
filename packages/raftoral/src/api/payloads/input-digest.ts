/**
 * The identity of an input: two inputs with the same value have the same digest, however their JSON is written.
 */
import { createHash } from "node:crypto";

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * SHA-256 over the canonical JSON of an input: without spaces, keys of objects in the order of their UTF-16 units. Undefined for bytes
 * that are not JSON, or hold a number beyond what JavaScript has; such inputs are compared byte by byte.
 */
export function inputDigest(input: Uint8Array): Uint8Array | undefined {
  if (input.length === 0) return sha256("");
  try {
    return sha256(JSON.stringify(JSON.parse(decoder.decode(input)), canonical));
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

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
