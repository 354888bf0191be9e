import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeValue, encodeValue } from "./json-value.ts";

const LIMIT = 1_000_000;

describe("values", () => {
  test("come back as JSON would give them", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(decodeValue(encodeValue(value, "x", LIMIT), "x")).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("may be undefined as a whole and in properties, and have toJSON", () => {
    expect(encodeValue(undefined, "x", LIMIT)).toHaveLength(0);
    expect(decodeValue(new Uint8Array(0), "x")).toBeUndefined();
    const value = { gone: undefined, at: new Date(0), nothing: null };
    expect(decodeValue(encodeValue(value, "x", LIMIT), "x")).toEqual({ at: "1970-01-01T00:00:00.000Z", nothing: null });
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  test.each<[unknown, string]>([
    [() => 1, "it is a function"],
    [1n, "it is a bigint"],
    [Symbol("s"), "it is a symbol"],
    [Number.POSITIVE_INFINITY, "it is Infinity"],
    [{ a: [{ b: undefined }, undefined] }, "at a[1] there is undefined"],
    [{ a: { "b c": new Set() } }, "at a.b c there is Set"],
    [new Uint8Array(1), "it is Uint8Array"],
    [{ e: new TypeError("x") }, "at e there is TypeError"],
    [{ p: Promise.resolve(1) }, "at p there is a promise (an await is missing)"],
    [cycle, "self.... there is a cycle"],
  ])("%# that JSON cannot carry are refused, saying where: %s", (value, where) => {
    expect(() => encodeValue(value, "step pay#0", LIMIT)).toThrow(
      expect.objectContaining({ code: "VALUE_NOT_SERIALIZABLE", message: expect.stringContaining(where) }),
    );
    expect(() => encodeValue(value, "step pay#0", LIMIT)).toThrow("step pay#0");
  });

  test("over the limit are refused, in bytes", () => {
    expect(encodeValue("é".repeat(4), "x", 10)).toHaveLength(10);
    expect(() => encodeValue("é".repeat(5), "x", 10)).toThrow(expect.objectContaining({ code: "PAYLOAD_TOO_LARGE" }));
  });

  test("that are not JSON are unreadable", () => {
    for (const bytes of [Buffer.from("{"), Uint8Array.of(0xc3, 0x28)]) {
      expect(() => decodeValue(bytes, "x")).toThrow(expect.objectContaining({ code: "VALUE_UNREADABLE" }));
    }
  });
});
