import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { valueDigest } from "./canonical-json.ts";

const digest = (json: string) => hex(valueDigest(new TextEncoder().encode(json)));
const hex = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString("hex"));

/** The JSON of a value, with keys in reverse order and spaces. */
function otherwise(value: unknown): string {
  if (Array.isArray(value)) return `[ ${value.map(otherwise).join(" , ")} ]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).reverse();
  return `{ ${entries.map(([key, each]) => `${JSON.stringify(key)} : ${otherwise(each)}`).join(" , ")} }`;
}

describe("the digest of a value", () => {
  test("is the same however its JSON is written", () => {
    const property = fc.property(fc.jsonValue(), (value) => {
      expect(digest(otherwise(value))).toBe(digest(JSON.stringify(value)));
    });
    fc.assert(property, { numRuns: 500 });
  });

  test("differs for values that differ", () => {
    const property = fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const same = otherwise(sorted(a)) === otherwise(sorted(b));
      expect(digest(JSON.stringify(a)) === digest(JSON.stringify(b))).toBe(same);
    });
    fc.assert(property, { numRuns: 500 });
    const texts = ["", "null", "{}", "[]", "0", '""', '"a"', '["a"]', '{"a":1}', '{"a":"1"}', "[[],1]", "[[1]]"];
    expect(new Set(texts.map(digest)).size).toBe(texts.length);
  });

  test("is 32 bytes, also of no value at all", () => {
    for (const text of ["", "1"]) expect(valueDigest(new TextEncoder().encode(text))).toHaveLength(32);
  });

  test.each(["{", "\u0000", '{"a":1e999}', `${"[".repeat(100_000)}${"]".repeat(100_000)}`])(
    "is none for what is not JSON, or beyond JavaScript",
    (text) => expect(digest(text)).toBeUndefined(),
  );

  test("takes __proto__ for a key like any other", () => {
    expect(digest('{"__proto__":1}')).not.toBe(digest("{}"));
    expect(digest('{"__proto__":1}')).not.toBe(digest('{"__proto__":2}'));
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? 0 : value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  );
}
