import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { valueKey } from "../records/index-keys.ts";
import {
  type Attribute,
  attributeNameProblem,
  attributeProblem,
  changedAttributes,
  decodeAttributes,
  decodeChanges,
  encodeAttributes,
  NO_ATTRIBUTES,
} from "./attributes.ts";

const text = fc.string({ maxLength: 20, unit: "grapheme" });
const single = fc.oneof(
  text,
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
  fc.boolean(),
  fc.integer({ min: -1e12, max: 1e12 }).map((dateMs) => ({ dateMs })),
);
const value: fc.Arbitrary<Attribute> = fc.oneof(single, fc.array(text, { maxLength: 3 }));
const name = fc.constantFrom("a", "b.c", "constructor", "X-1", "toString");

describe("attributes", () => {
  test("are written and read back, in one way whatever the order they were given in", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key }), (entries) => {
        const [one, other] = [new Map(entries), new Map(entries.toReversed())];
        const bytes = encodeAttributes(one);
        expect(encodeAttributes(other)).toEqual(bytes);
        expect(decodeAttributes(bytes)).toEqual(one);
        expect([...decodeAttributes(bytes).keys()]).toEqual([...one.keys()].sort());
      }),
    );
  });

  test.each(["", "1a", "a b", "__proto__", "ä", "x".repeat(65)])("have no such name: %j", (wrong) => {
    expect(attributeNameProblem(wrong)).toMatch(/is no name/);
  });

  test.each<[what: string, wrong: unknown, problem: RegExp]>([
    ["NaN", Number.NaN, /no finite number/],
    ["a text that is too long", "x".repeat(257), /257 characters/],
    ["a lone surrogate", "\ud800", /lone surrogate/],
    ["a list of other things", ["a", 1], /something but texts/],
    ["a list that is too long", Array.from({ length: 17 }, String), /17 texts/],
    ["an object", { a: 1 }, /neither/],
    ["a date that is none", { dateMs: Number.NaN }, /no date/],
    ["undefined", undefined, /neither/],
  ])("have no such value: %s", (_what, wrong, problem) => {
    expect(attributeProblem("a", wrong)).toMatch(problem);
  });

  test("are bounded in names, values and bytes", () => {
    const many = (count: number, each: (at: number) => Attribute): Map<string, Attribute> =>
      new Map(Array.from({ length: count }, (_, at) => [`a${at}`, each(at)]));
    expect(
      changedAttributes(
        NO_ATTRIBUTES,
        many(32, (at) => at),
      ),
    ).toBeInstanceOf(Map);
    expect(
      changedAttributes(
        NO_ATTRIBUTES,
        many(33, (at) => at),
      ),
    ).toMatch(/33 attributes/);
    expect(
      changedAttributes(
        NO_ATTRIBUTES,
        many(5, () => Array.from({ length: 13 }, String)),
      ),
    ).toMatch(/65 values/);
    expect(
      changedAttributes(
        NO_ATTRIBUTES,
        many(17, () => "x".repeat(250)),
      ),
    ).toMatch(/bytes/);
    const taken = new Map<string, null>([["a0", null]]);
    expect(
      changedAttributes(
        many(2, (at) => at),
        taken,
      ),
    ).toEqual(new Map([["a1", 1]]));
  });

  test.each(["nonsense", "[1]", "null", '{"a":{}}', '{"__proto__":1}', '{"a":[1]}'])("are not read of %s", (json) => {
    expect(typeof decodeChanges(new TextEncoder().encode(json))).toBe("string");
  });

  test("have keys that sort as their values do, within a type", () => {
    const ordered = <T>(arbitrary: fc.Arbitrary<T>, key: (value: T) => string, less: (a: T, b: T) => boolean): void =>
      fc.assert(
        fc.property(arbitrary, arbitrary, (a, b) => {
          expect(key(a) < key(b)).toBe(less(a, b));
        }),
      );
    ordered(fc.double({ noNaN: true, noDefaultInfinity: true }), valueKey, (a, b) => a < b);
    ordered(
      fc.integer().map((dateMs) => ({ dateMs })),
      valueKey,
      (a, b) => a.dateMs < b.dateMs,
    );
    ordered(fc.string({ unit: fc.constantFrom("\u0000", "a", "b", "ÿ", "😀") }), valueKey, (a, b) => {
      return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
    });
    expect(valueKey(-0)).toBe(valueKey(0));
  });
});
