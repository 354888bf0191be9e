// Types and run time side by side: each case says what a type comes back as, and shows that its value comes back as that. The compiler checks the
// first half (`npm run verify`), the tests the second.
import { describe, expect, expectTypeOf, test } from "vitest";
import { decodeValue, encodeValue } from "./json-value.ts";
import type { Recordable, Recorded, Unchanged } from "./recorded.ts";

const LIMIT = 1_000_000;

interface Case {
  readonly value: unknown;
  readonly back: unknown;
}

type IsSame<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;

/** A value that comes back as another, and whose type says so. */
function converted<T extends Recordable<T>, Back>(
  value: T,
  back: Back,
  ..._: IsSame<Recorded<T>, Back> extends true ? [] : [is: Recorded<T>, andNot: Back]
): Case {
  return { value, back };
}

/** A value that comes back as it is, with the same type. */
function unchanged<T extends Unchanged<T>>(
  value: T,
  ..._: IsSame<Recorded<T>, T> extends true ? [] : [is: Recorded<T>, andNot: T]
): Case {
  return { value, back: value };
}

function given<T extends Recordable<T>>(value: T): unknown {
  return value;
}

function recorded(value: unknown): unknown {
  return decodeValue(encodeValue(value, "x", LIMIT), "x");
}

const AT = new Date(0);
const TEXT: string = AT.toISOString();

interface Order {
  readonly id: string;
  readonly lines: readonly { readonly item: string; readonly count: number }[];
  note?: string;
}
interface Tree {
  readonly name: string;
  readonly children: readonly Tree[];
}
interface DatedTree {
  readonly at: Date;
  readonly next?: DatedTree;
  readonly children: DatedTree[];
}
type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
interface JsonList extends Array<JsonOfLists> {}
type JsonOfLists = string | number | null | JsonList | { [Key in string]?: JsonOfLists };
type Expression = number | ["add", Expression, Expression];
type Happened = { readonly kind: "paid"; readonly at: Date } | { readonly kind: "lost"; readonly times: number };
interface Overridden {
  [key: string]: unknown;
  id: string;
}
declare enum Size {
  Small = 1,
}
declare const brand: unique symbol;
type OrderId = string & { readonly [brand]: "OrderId" };
type Checked<T> = T & { readonly [brand]: "Checked" };
class Money {
  readonly #cents = 5;
  toJSON(): { readonly cents: number } {
    return { cents: this.#cents };
  }
  plus(): Money {
    return this;
  }
}
class Point {
  readonly x = 1;
  readonly at = AT;
}
class WithSecret {
  readonly x = 1;
  protected readonly secret = 2;
  static secretOf(of: WithSecret): number {
    return of.secret;
  }
}
class Counter {
  count = 1;
  add(): void {
    this.count += 1;
  }
}

const cases: Readonly<Record<string, Case>> = {
  text: unchanged<string>("x"),
  "a number": unchanged<number>(1.5),
  "a boolean": unchanged<boolean>(true),
  null: unchanged(null),
  nothing: unchanged<void>(undefined),
  undefined: unchanged(undefined),
  "text or nothing": unchanged<string | undefined>(undefined),
  "a literal": unchanged<"a" | "b">("a"),
  "a template": unchanged<`order-${number}`>("order-1"),
  "a branded text": unchanged("x" as OrderId),
  "a branded object": unchanged({ id: "x" } as Checked<{ readonly id: string }>),
  "an interface": unchanged<Order>({ id: "A17", lines: [{ item: "tea", count: 1 }] }),
  "a recursive interface": unchanged<Tree>({ name: "a", children: [{ name: "b", children: [] }] }),
  JSON: unchanged<Json>({ a: [1, "b", null, { c: true }] }),
  "JSON with lists of its own": unchanged<JsonOfLists>(["a", { b: [1] }]),
  "recursive tuples": unchanged<Expression>(["add", 1, ["add", 2, 3]]),
  "a tuple": unchanged<readonly [id: string, count: number]>(["a", 1]),
  "a tuple with a place that may be missing": unchanged<[id: string, count?: number]>(["a"]),
  "a tuple with a rest": unchanged<[id: string, ...counts: number[]]>(["a", 1, 2]),
  "an index of anything": unchanged<Record<string, unknown>>({ a: 1 }),
  "an index beside a property": unchanged<Overridden>({ id: "a", other: 1 }),
  "an index of what may be missing": unchanged<{ [key: string]: string | undefined }>({ a: "b" }),
  "a property of anything": unchanged<{ readonly data: unknown }>({ data: { a: 1 } }),
  "an object of any kind": unchanged<object>({ a: 1 }),
  anything: unchanged<unknown>({ a: 1 }),
  bytes: unchanged<Uint8Array>(Uint8Array.of(0, 255, 128)),
  "no bytes": unchanged<Uint8Array>(new Uint8Array(0)),
  "bytes of a buffer of their own": unchanged<Uint8Array<ArrayBuffer>>(Uint8Array.of(1)),
  "bytes or null": unchanged<Uint8Array | null>(null),
  "bytes or text": unchanged<Uint8Array | string>(Uint8Array.of(1)),
  "what was an error": unchanged<{ readonly name: string; readonly message: string; readonly stack?: string }>({
    name: "Error",
    message: "x",
  }),

  "a Date": converted(AT, TEXT),
  "a Date or null": converted<Date | null, string | null>(AT, TEXT),
  "a Date in an object": converted({ at: AT, count: 1 }, { at: TEXT, count: 1 }),
  "a list of Dates": converted([AT], [TEXT]),
  "a read-only list of Dates": converted<readonly Date[], readonly string[]>([AT], [TEXT]),
  "a tuple of Dates": converted<[Date, 1], [string, 1]>([AT, 1], [TEXT, 1]),
  "a tuple with a Date that may be missing": converted<[id: string, at?: Date], [id: string, at?: string]>(
    ["a", AT],
    ["a", TEXT],
  ),
  "a tuple with a rest of Dates": converted<[id: string, ...at: Date[]], [id: string, ...at: string[]]>(
    ["a", AT],
    ["a", TEXT],
  ),
  "an index of Dates": converted<Record<string, Date>, Record<string, string>>({ a: AT }, { a: TEXT }),
  "a union of objects": converted<
    Happened,
    { readonly kind: "paid"; readonly at: string } | { readonly kind: "lost"; readonly times: number }
  >({ kind: "paid", at: AT }, { kind: "paid", at: TEXT }),
  "a property that may be undefined": converted<
    { a: string | undefined; readonly b: number },
    { a?: string; readonly b: number }
  >({ a: undefined, b: 1 }, { b: 1 }),
  "an optional Date": converted<{ at?: Date }, { at?: string }>({ at: AT }, { at: TEXT }),
  "an optional property that may be undefined": converted<{ a?: string | undefined }, { a?: string }>(
    { a: undefined },
    {},
  ),
  "something with a toJSON": converted(new Money(), { cents: 5 } as { readonly cents: number }),
  "a URL": converted<URL, string>(new URL("http://x/"), "http://x/"),
  "a Buffer": converted<Buffer, Uint8Array>(Buffer.from("a"), Uint8Array.of(97)),
  "a Buffer, a Date or nothing": converted<Buffer | Date | undefined, Uint8Array | string | undefined>(AT, TEXT),
  "a toJSON that gives a Date inside": converted({ toJSON: () => ({ at: AT }) }, { at: TEXT }),
  "a class without methods": converted<Point, { readonly x: 1; readonly at: string }>(new Point(), { x: 1, at: TEXT }),
  "the match of a pattern": converted<RegExpMatchArray, string[]>("ab".match(/b/) as RegExpMatchArray, ["b"]),
};

describe("what is recorded", () => {
  test.each(Object.entries(cases))("%s comes back as its type says", (_, { value, back }) => {
    expect(recorded(value)).toEqual(back);
  });

  test("is followed through recursive types", () => {
    const tree: DatedTree = { at: AT, children: [{ at: AT, children: [] }] };
    const back = recorded(given(tree)) as Recorded<DatedTree>;
    const at: string | undefined = back.children[0]?.next?.children[0]?.at ?? back.children[0]?.at;
    expect(at).toBe(TEXT);
  });

  test("is what it was when it is recorded again", () => {
    type Again<T> = IsSame<Recorded<Recorded<T>>, Recorded<T>>;
    expectTypeOf<Again<DatedTree>>().toEqualTypeOf<true>();
    expectTypeOf<Again<{ a: string | undefined; b?: Date; [brand]: "x" }>>().toEqualTypeOf<true>();
    expectTypeOf<Again<Happened | RegExpMatchArray | Money>>().toEqualTypeOf<true>();
    expect(recorded(recorded({ at: AT }))).toEqual(recorded({ at: AT }));
  });

  test("keeps any, unknown and never, and enums with their names", () => {
    expectTypeOf<Recorded<Size>>().toEqualTypeOf<Size>();
    // biome-ignore lint/suspicious/noExplicitAny: the type under test
    expectTypeOf<Recorded<any>>().toBeAny();
    // biome-ignore lint/suspicious/noExplicitAny: the type under test
    expectTypeOf<Recorded<{ a: any; at: Date }>>().toEqualTypeOf<{ a: any; at: string }>();
    expectTypeOf<Recorded<unknown>>().toBeUnknown();
    expectTypeOf<Recorded<never>>().toBeNever();
    expect(recorded(1 as Size)).toBe(1);
  });

  test("may be of a type parameter that is held to it", () => {
    const list = <T extends Recordable<T>>(item: T): unknown => given(item);
    expect(recorded(list({ at: AT }))).toEqual({ at: TEXT });
    // @ts-expect-error Nothing is known of T: it could be a Map.
    const any = <T>(item: T): unknown => given(item);
    expect(recorded(any(1))).toBe(1);
  });
});

/** What is refused by both: a value with the place that the run time names. */
type Refused = readonly [value: unknown, found: string];

const refusals: Readonly<Record<string, Refused>> = {
  // @ts-expect-error A bigint cannot be recorded.
  "a bigint": [given(1n), "it is a bigint"],
  // @ts-expect-error A bigint cannot be recorded.
  "text or a bigint": [given(1n as string | bigint), "it is a bigint"],
  // @ts-expect-error A bigint cannot be recorded.
  "an optional bigint": [given({ a: 1n } as { a?: bigint }), "at a there is a bigint"],
  // @ts-expect-error A symbol cannot be recorded.
  "a symbol": [given(Symbol("s")), "it is a symbol"],
  // @ts-expect-error A function cannot be recorded.
  "a function": [given(() => 1), "it is a function"],
  // @ts-expect-error A function cannot be recorded.
  "a class": [given(Money), "it is a function"],
  // @ts-expect-error A function cannot be recorded.
  "a property with a function": [given({ a: { log: () => 1 } }), "at a.log there is a function"],
  // @ts-expect-error A Map cannot be recorded.
  "a Map": [given(new Map<string, number>()), "it is a Map"],
  // @ts-expect-error A Map cannot be recorded.
  "an index of Maps": [given({ a: new Map() } as Record<string, Map<string, string>>), "at a there is a Map"],
  // @ts-expect-error A Set cannot be recorded.
  "a list with a Set inside": [given([{ tags: new Set(["a"]) }]), "at [0].tags there is a Set"],
  // @ts-expect-error A WeakMap has methods.
  "a WeakMap": [given(new WeakMap()), "it is a WeakMap"],
  // @ts-expect-error Bytes are recorded as the whole value alone.
  "bytes in an object": [given({ a: { data: new Uint8Array(1) } }), "at a.data there is a Uint8Array"],
  // @ts-expect-error Bytes are recorded as the whole value alone.
  "a Buffer in a list": [given([Buffer.from("a")]), "at [0] there is a Uint8Array"],
  // @ts-expect-error Bytes are recorded as the whole value alone.
  "a toJSON that gives bytes": [given({ toJSON: () => new Uint8Array(1) }), "it is a Uint8Array"],
  // @ts-expect-error Of buffers a Uint8Array alone is recorded.
  "other numbers": [given(new Float64Array(1)), "it is a Float64Array"],
  // @ts-expect-error Of buffers a Uint8Array alone is recorded.
  "an ArrayBuffer": [given(new ArrayBuffer(1)), "it is an ArrayBuffer"],
  // @ts-expect-error An Error cannot be recorded.
  "an Error": [given(new Error("x")), "it is an Error"],
  // @ts-expect-error An Error cannot be recorded.
  "an Error of another class": [given({ e: new AggregateError([]) }), "at e there is an Error"],
  // @ts-expect-error A promise cannot be recorded.
  "a promise inside": [given({ p: Promise.resolve(1) }), "at p there is a promise"],
  // @ts-expect-error A Response cannot be recorded.
  "a Response": [given(new Response("x")), "it is a Response"],
  // @ts-expect-error Headers have methods.
  Headers: [given(new Headers({ a: "b" })), "it is a Headers"],
  // @ts-expect-error A RegExp has methods.
  "a RegExp": [given(/x/), "it is a RegExp"],
  // @ts-expect-error An iterator has methods.
  "an iterator": [given([1].values()), "it is an Array Iterator"],
  // @ts-expect-error undefined cannot be recorded in a list.
  "a list with undefined": [given(["a", undefined]), "at [1] there is undefined"],
  // @ts-expect-error undefined cannot be recorded in a list.
  "a tuple with undefined": [given(["a", undefined] as [string, undefined]), "at [1] there is undefined"],
  // @ts-expect-error A toJSON that gives what cannot be recorded.
  "a toJSON that gives a bigint": [given({ toJSON: () => 1n }), "it is a bigint"],
  // @ts-expect-error A toJSON that gives something with a toJSON.
  "a toJSON that gives a Date": [given({ toJSON: () => AT }), "it is a toJSON that gives something with a toJSON"],
  // @ts-expect-error A toJSON that gives undefined.
  "a toJSON that gives undefined": [given({ a: { toJSON: () => undefined } }), "at a there is undefined"],
};

describe("what cannot be recorded", () => {
  test.each(Object.entries(refusals))("%s does not compile, and is refused", (_, [value, found]) => {
    expect(() => recorded(value)).toThrow(
      expect.objectContaining({ code: "VALUE_NOT_SERIALIZABLE", message: expect.stringContaining(found) }),
    );
  });

  test("and is not seen by the compiler is refused at run time", () => {
    const unseen: readonly unknown[] = [
      given(Number.NaN),
      given(new Date(Number.NaN)),
      given<unknown>(new Map()),
      given<object>(new Set()),
      given<{ readonly size: number }>(new Map()),
      given({ [Symbol("s")]: 1 }),
    ];
    for (const value of unseen) {
      expect(() => recorded(value)).toThrow(expect.objectContaining({ code: "VALUE_NOT_SERIALIZABLE" }));
    }
  });

  test("by its type may be by its value: methods of a class are dropped (RE4)", () => {
    // @ts-expect-error A method cannot be recorded.
    expect(recorded(given(new Counter()))).toEqual({ count: 1 });
  });
});

describe("what arrives", () => {
  test("as something else may not be expected as it was", () => {
    const arrives = <T extends Unchanged<T>>(value: T): unknown => value;
    // @ts-expect-error A Date arrives as text.
    expect(recorded(arrives({ at: AT }))).toEqual({ at: TEXT });
    // @ts-expect-error So do those in lists.
    expect(recorded(arrives([AT]))).toEqual([TEXT]);
    // @ts-expect-error It arrives as what its toJSON gives.
    expect(recorded(arrives(new Money()))).toEqual({ cents: 5 });
    // A property that may be undefined reads the same where it is missing.
    expect(recorded(arrives<{ a: string | undefined }>({ a: undefined }))).toEqual({});
  });

  test("of a class with private members is not of the class any more", () => {
    expectTypeOf<Recorded<WithSecret>>().toEqualTypeOf<{ readonly x: 1 }>();
    expect(() => WithSecret.secretOf(new WithSecret())).not.toThrow();
  });
});
