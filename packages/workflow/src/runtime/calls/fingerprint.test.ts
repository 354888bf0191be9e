import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type FingerprintForm, fingerprintOf, isCarried } from "./fingerprint.ts";

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

const FORMS: readonly FingerprintForm[] = ["first", "full"];

describe.each(FORMS)("a fingerprint of the %s form", (form) => {
  const fingerprint = (value: unknown): string => fingerprintOf(value, form);

  test("is the same for the same content, in whatever order properties were set", () => {
    expect(fingerprint({ a: 1, b: new Date(5) })).toBe(fingerprint({ b: new Date(5), a: 1, c: undefined }));
    expect(fingerprint(new Map([["a", new Set([1n])]]))).toBe(fingerprint(new Map([["a", new Set([1n])]])));
    // Written down: nodes of other versions must come to the same.
    expect(fingerprint({ at: new Date(0), by: new Map([["a", 1n]]), of: new Money(5), raw: Buffer.from("x") })).toBe(
      form === "first"
        ? "5d0e175dc9c01297dbd38d9de97fa3df05242e666fd6d869d03456c7f4307409"
        : "8518d53b933abb91de3c89f8d2e1ad82ff0956d1b38f68990356e87bc505c840",
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
    expect(new Set(values.map(fingerprint)).size).toBe(values.length);
  });

  test("is made of any value, also one without end", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(fingerprint(cycle)).toMatch(/^[0-9a-f]{64}$/);
    fc.assert(
      fc.property(fc.anything({ withDate: true, withMap: true, withSet: true, withBigInt: true }), (value) => {
        expect(fingerprint(value)).toBe(fingerprint(structuredClone(value)));
      }),
    );
  });
});

test("the full form tells apart what the first one takes for alike (FP3)", () => {
  const alike: readonly (readonly unknown[])[] = [
    [/a/u, /b/u, /a/, {}],
    [new Error("a"), new Error("b"), new Error("a", { cause: "c" }), {}],
    [Uint8Array.of(1, 0).buffer, Uint8Array.of(2, 0).buffer, {}],
    [Uint8Array.of(1, 0), Uint16Array.of(1), new DataView(Uint8Array.of(1, 0).buffer)],
    [Object(1), Object(2), Object(1n), Object(true), {}],
    [0, -0],
  ];
  for (const values of alike) {
    expect(new Set(values.map((value) => fingerprintOf(value, "first"))).size).toBe(1);
    expect(new Set(values.map((value) => fingerprintOf(value, "full"))).size).toBe(values.length);
  }
  const failed = (names: readonly string[]) =>
    Object.assign(new Error("a"), Object.fromEntries(names.map((n) => [n, 1])));
  expect(fingerprintOf(failed(["x", "y"]), "full")).toBe(fingerprintOf(failed(["y", "x"]), "full"));
  const told = Object.assign(new Error("a"), { toJSON: () => "told" });
  expect(fingerprintOf(told, "full")).toBe(fingerprintOf(told, "first"));
});
