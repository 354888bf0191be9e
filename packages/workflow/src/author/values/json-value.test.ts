import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BINARY_OVERHEAD_BYTES, isBinary } from "../../model/payload-envelope.ts";
import { decodeValue, encodeValue } from "./json-value.ts";

const LIMIT = 1_000_000;

class Private {
  readonly #secret = 1;
  get secret(): number {
    return this.#secret;
  }
}

class Public {
  readonly amount = 1;
}

function fail(message: string): never {
  throw new Error(message);
}

/** An object that lets itself be looked at once. */
function failsTheSecondTime(): object {
  let reads = 0;
  return Object.defineProperty({}, "x", { enumerable: true, get: () => (reads++ === 0 ? 1 : fail("second time")) });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

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

  test("bytes are recorded as they are, by any realm's class, and come back as a copy of their own", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (given) => {
        const encoded = encodeValue(given, "x", LIMIT);
        expect(isBinary(encoded)).toBe(true);
        expect(encoded.length).toBeLessThanOrEqual(given.length + BINARY_OVERHEAD_BYTES);
        const back = decodeValue(encoded, "x") as Uint8Array;
        expect(back).toEqual(given);
        expect(back.buffer.byteLength).toBe(given.length);
      }),
    );
    const foreign: unknown = runInNewContext("Uint8Array.of(1, 2)");
    expect(decodeValue(encodeValue(foreign, "x", LIMIT), "x")).toEqual(Uint8Array.of(1, 2));
    expect(() => encodeValue(new Uint8Array(LIMIT), "x", LIMIT)).toThrow(
      expect.objectContaining({ code: "PAYLOAD_TOO_LARGE" }),
    );
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  test.each<[unknown, string]>([
    [() => 1, "it is a function"],
    [1n, "it is a bigint"],
    [Symbol("s"), "it is a symbol"],
    [Number.POSITIVE_INFINITY, "it is Infinity"],
    [{ a: [{ b: undefined }, undefined] }, "at a[1] there is undefined"],
    [{ a: { "b c": new Set() } }, "at a.b c there is a Set"],
    [{ a: [Buffer.from("x")] }, "at a[0] there is a Uint8Array. Bytes are recorded when they are the whole value"],
    [{ v: new DataView(new ArrayBuffer(1)) }, "at v there is a DataView. Of buffers a Uint8Array alone"],
    [{ e: new TypeError("x") }, "at e there is an Error"],
    [{ p: Promise.resolve(1) }, "at p there is a promise (an await is missing)"],
    [cycle, "self.... there is a cycle"],
    [{ r: new Response("x") }, "at r there is a Response"],
    [{ h: new Headers({ a: "b" }) }, "at h there is a Headers"],
    [{ f: new FormData() }, "at f there is a FormData"],
    [{ b: new Blob(["x"]) }, "at b there is a Blob"],
    [{ r: /x/ }, "at r there is a RegExp"],
    [{ b: new ArrayBuffer(1) }, "at b there is an ArrayBuffer"],
    [{ i: [1].values() }, "at i there is an Array Iterator"],
    [{ g: (function* () {})() }, "at g there is a Generator"],
    [{ n: Object(Number.NaN) }, "at n there is a Number"],
    [{ n: Object("x") }, "at n there is a String"],
    [{ n: Object(true) }, "at n there is a Boolean"],
    [{ p: new Private() }, "at p there is an instance of Private without public fields"],
    [{ m: runInNewContext("new Map([[1, 2]])") }, "at m there is a Map"],
    [{ e: runInNewContext("new RangeError('x')") }, "at e there is an Error"],
    [{ d: new Date(Number.NaN) }, "at d there is an invalid date"],
    [{ d: runInNewContext("new Date(NaN)") }, "at d there is an invalid date"],
    [{ a: { [Symbol("s")]: 1 } }, "at a there is a property with the key Symbol(s)"],
    [{ w: new WeakMap() }, "at w there is a WeakMap"],
  ])("%# that JSON cannot carry are refused, saying where: %s", (value, where) => {
    expect(() => encodeValue(value, "step pay#0", LIMIT)).toThrow(
      expect.objectContaining({ code: "VALUE_NOT_SERIALIZABLE", message: expect.stringContaining(where) }),
    );
    expect(() => encodeValue(value, "step pay#0", LIMIT)).toThrow("step pay#0");
  });

  const hostile: readonly (readonly [string, () => unknown])[] = [
    ["no keys", () => new Proxy({}, { ownKeys: () => fail("no keys") })],
    ["revoked", revoked],
    ["no x", () => ({ list: [Object.defineProperty({}, "x", { enumerable: true, get: () => fail("no x") })] })],
    ["no form", () => ({ toJSON: () => fail("no form") })],
    ["second time", () => failsTheSecondTime()],
  ];
  test.each(hostile)("whose own code throws (%s) are refused and throw nothing else (J3)", (reason, make) => {
    expect(() => encodeValue(make(), "step pay#0", LIMIT)).toThrow(
      expect.objectContaining({ code: "VALUE_NOT_SERIALIZABLE", message: expect.stringContaining(reason) }),
    );
  });

  test("of a class with public fields, of another realm, or with a toJSON are taken", () => {
    const value = {
      own: new Public(),
      foreign: runInNewContext("({ a: [1, null] })"),
      bare: Object.create(null),
      url: new URL("http://x/"),
    };
    expect(decodeValue(encodeValue(value, "x", LIMIT), "x")).toEqual({
      own: { amount: 1 },
      foreign: { a: [1, null] },
      bare: {},
      url: "http://x/",
    });
  });

  test("that contain one object over and over are refused as soon as they are too large (J2)", () => {
    let reads = 0;
    let value: unknown = {
      get leaf() {
        reads += 1;
        return 1;
      },
    };
    for (let depth = 0; depth < 40; depth++) value = [value, value];
    expect(() => encodeValue(value, "x", 10_000)).toThrow(expect.objectContaining({ code: "PAYLOAD_TOO_LARGE" }));
    expect(reads).toBeLessThan(10_000);
    expect(() => encodeValue(value, "x", Number.POSITIVE_INFINITY)).toThrow(
      expect.objectContaining({ code: "PAYLOAD_TOO_LARGE" }),
    );
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
