import { TerminalError } from "@raftoral/workflow";
import fc from "fast-check";
import { expect, test } from "vitest";
import { packed, shown, unpacked } from "./packed-value.ts";

const leaf = fc.oneof(
  fc.string(),
  fc.constantFrom("date", "bytes", "undefined", "object"),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.bigInt(),
  fc.date({ noInvalidDate: false }),
  fc.uint8Array(),
  fc.webUrl().map((href) => new URL(href)),
);
const key = fc.oneof(fc.string(), fc.constantFrom("~", "value", "__proto__", "toString"));
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.array(fc.tuple(key, tie("value")), { maxLength: 5 }).map((fields) => Object.fromEntries(fields)),
  ),
}));

/** Without properties that are undefined, and with 0 for -0, as JSON has it. */
function asRecorded(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(asRecorded);
  if (typeof given === "number") return given === 0 ? 0 : given;
  if (typeof given !== "object" || given === null || Object.getPrototypeOf(given) !== Object.prototype) return given;
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, field]) => (field === undefined ? [] : [[name, asRecorded(field)]])),
  );
}

test("every value comes back from its JSON as it was", () => {
  fc.assert(
    fc.property(value, (given) => {
      const back = unpacked(JSON.parse(JSON.stringify(packed(given, "a value"))));
      expect(back).toStrictEqual(asRecorded(given));
    }),
    { numRuns: 1000 },
  );
});

test("every value can be shown, whatever is in it", () => {
  fc.assert(
    fc.property(value, (given) => {
      expect(JSON.stringify(shown(packed(given, "a value")))).toBeTypeOf("string");
    }),
  );
  expect(
    shown(packed({ at: new Date(0), bytes: new Uint8Array([1]), count: 3n, none: [undefined] }, "a value")),
  ).toEqual({
    at: "1970-01-01T00:00:00.000Z",
    bytes: "AQ==",
    count: "3",
    none: [null],
  });
  expect(shown(packed(undefined, "a value"))).toBeNull();
});

test("what is plain JSON is packed as itself", () => {
  const given = { text: "tea", list: [1, true, null], deep: { a: {} } };
  expect(packed(given, "a value")).toEqual(given);
});

test("an instance comes back as its public fields", () => {
  class Point {
    readonly x = 1;
    readonly #y = 2;
    get y(): number {
      return this.#y;
    }
  }
  expect(unpacked(packed(new Point(), "a value"))).toEqual({ x: 1 });
});

const cycle: { self?: unknown } = {};
cycle.self = cycle;

test.each([
  ["a function", { tools: [{ run: () => 1 }] }, "at tools[0].run there is a function"],
  ["a symbol", Symbol("x"), "it is a symbol"],
  ["a Map", { headers: new Map() }, "at headers there is an object of the kind Map"],
  ["a promise", { body: Promise.resolve(1) }, "at body there is an object of the kind Promise"],
  ["a cycle", cycle, "a cycle, or more than 100 levels"],
])("%s is refused for good, with its place", (_, given, text) => {
  expect(() => packed(given, "the answer")).toThrow(TerminalError);
  expect(() => packed(given, "the answer")).toThrow(text);
});
