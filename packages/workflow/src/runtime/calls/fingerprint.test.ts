import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fingerprintOf, isCarried } from "./fingerprint.ts";

class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}

describe("what JSON carries", () => {
  test("is every value that JSON gave, and no other content", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (value, other) => {
        const [own, back]: unknown[] = [JSON.parse(JSON.stringify(value)), JSON.parse(JSON.stringify(value))];
        expect(isCarried(own, back)).toBe(true);
        expect(isCarried(own, JSON.parse(JSON.stringify(other)))).toBe(
          JSON.stringify(sorted(own)) === JSON.stringify(sorted(JSON.parse(JSON.stringify(other)))),
        );
      }),
    );
  });

  test.each<[unknown, unknown]>([
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [new Map(), {}],
    [new Money(1), { cents: 1 }],
    [[new Date(0)], ["1970-01-01T00:00:00.000Z"]],
    [{ at: new Date(0) }, { at: "1970-01-01T00:00:00.000Z" }],
    [Number.NaN, null],
    [undefined, null],
    [{}, []],
    [[], {}],
    [{ a: [] }, { a: {} }],
  ])("%# is not what has lost its kind: %s", (value, back) => {
    expect(isCarried(value, back)).toBe(false);
  });

  test("leaves out what is undefined", () => {
    expect(isCarried({ a: undefined, b: 1 }, { b: 1 })).toBe(true);
    expect(isCarried({ b: 1 }, { a: 1, b: 1 })).toBe(false);
    expect(isCarried({ a: 1 }, { b: 1 })).toBe(false);
  });
});

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return { object: entries.map(([key, each]) => [key, sorted(each)]) };
}

describe("a fingerprint", () => {
  test("is the same for the same content, in whatever order properties were set", () => {
    expect(fingerprintOf({ a: 1, b: new Date(5) })).toBe(fingerprintOf({ b: new Date(5), a: 1, c: undefined }));
    expect(fingerprintOf(new Map([["a", new Set([1n])]]))).toBe(fingerprintOf(new Map([["a", new Set([1n])]])));
    // Written down: nodes of other versions must come to the same.
    expect(fingerprintOf({ at: new Date(0), by: new Map([["a", 1n]]), of: new Money(5), raw: Buffer.from("x") })).toBe(
      "5d0e175dc9c01297dbd38d9de97fa3df05242e666fd6d869d03456c7f4307409",
    );
  });

  test("differs where the content or its kind does", () => {
    const values: readonly unknown[] = [
      ...[0, 1, "1", 1n, true, null, undefined, Number.NaN, "", [], {}, [[]], [{}], [1, 2], [[1], 2], [1, [2]]],
      ...[new Date(0), new Date(1), new Date(Number.NaN), "1970-01-01T00:00:00.000Z", { at: new Date(0) }],
      ...[new Map(), new Map([["a", 1]]), new Map([["a", 2]]), new Set(), new Set(["a", 1]), ["a", 1], { a: 1 }],
      ...[new Money(1), new Money(2), new Uint8Array([1]), new Uint8Array([2]), new URL("http://x/")],
      ...[{ a: "b,c" }, { a: "b", c: "" }, ["a,b"], ["a", "b"]],
    ];
    expect(new Set(values.map(fingerprintOf)).size).toBe(values.length);
  });

  test("is made of any value, also one without end", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(fingerprintOf(cycle)).toMatch(/^[0-9a-f]{64}$/);
    fc.assert(
      fc.property(fc.anything({ withDate: true, withMap: true, withSet: true, withBigInt: true }), (value) => {
        expect(fingerprintOf(value)).toBe(fingerprintOf(structuredClone(value)));
      }),
    );
  });
});
