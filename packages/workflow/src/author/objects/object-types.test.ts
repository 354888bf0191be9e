// What the compiler makes of definitions of objects. Nothing here runs but `object` itself.
import { expect, expectTypeOf, test } from "vitest";
import type { StandardSchemaV1 } from "../values/schema.ts";
import type { Variable } from "../workflow-context.ts";
import { exclusive, shared } from "./handlers.ts";
import { object } from "./object.ts";
import { objectKey, objectRunId } from "./object-id.ts";
import type { HandlerAnswer, HandlerGiven, HandlerName, StateOf } from "./typed-object.ts";

interface Balance {
  readonly balance: number;
}

const text: StandardSchemaV1<string, Date> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: new Date(String(value)) }) },
};

const account = object(
  "account",
  { version: 1, state: { balance: 0 } as Balance },
  {
    deposit: exclusive(async (ctx, amount: number) => {
      expectTypeOf(ctx.state).toEqualTypeOf<Variable<Balance>>();
      expectTypeOf(ctx.key).toEqualTypeOf<string>();
      const { balance } = await ctx.state.update((state) => ({ balance: state.balance + amount }));
      await ctx.step("note", () => amount);
      // @ts-expect-error A handler does not end the generation of its object.
      void ctx.continueAsNew;
      return balance;
    }),
    total: shared((ctx) => {
      // @ts-expect-error A shared handler does not change the state.
      void ctx.state.set;
      return ctx.state.value.balance;
    }),
    close: exclusive(async (ctx, at) => ({ at, balance: ctx.state.value.balance }), { input: text }),
  },
);
type Account = typeof account;

test("a definition gives callers the types of its handlers and its state", () => {
  expectTypeOf<HandlerName<Account>>().toEqualTypeOf<"deposit" | "total" | "close">();
  expectTypeOf<HandlerGiven<Account, "deposit">>().toEqualTypeOf<number>();
  expectTypeOf<HandlerAnswer<Account, "deposit">>().toEqualTypeOf<number>();
  expectTypeOf<HandlerGiven<Account, "total">>().toEqualTypeOf<undefined>();
  expectTypeOf<HandlerAnswer<Account, "total">>().toEqualTypeOf<number>();
  expectTypeOf<HandlerGiven<Account, "close">>().toEqualTypeOf<string>();
  expectTypeOf<HandlerAnswer<Account, "close">>().toEqualTypeOf<{ at: string; balance: number }>();
  expectTypeOf<StateOf<Account>>().toEqualTypeOf<Balance>();
  const wrong = () => {
    // @ts-expect-error A Map cannot be recorded.
    object("a", { version: 1, state: new Map<string, string>() }, {});
    // @ts-expect-error What a handler returns is recorded.
    object("a", { version: 1, state: 1 }, { f: shared(() => new Map<string, string>()) });
    // @ts-expect-error The record changes a Date.
    object("a", { version: 1, state: 1 }, { f: shared((_ctx, at: Date) => at.getTime()) });
  };
  expect(wrong).toBeInstanceOf(Function);
});

test.each<[name: string, define: () => unknown, code: string]>([
  [
    "a handler with a name of the engine's own",
    () => object("a", { version: 1, state: 1 }, { "object:x": shared(() => 1) }),
    "NAME_INVALID",
  ],
  ["a handler without a name", () => object("a", { version: 1, state: 1 }, { "": shared(() => 1) }), "NAME_INVALID"],
  ["a version that is none", () => object("a", { version: 0, state: 1 }, {}), "NAME_INVALID"],
  ["a type that is none", () => object("", { version: 1, state: 1 }, {}), "NAME_INVALID"],
  [
    "a state that JSON does not carry",
    () => object("a", { version: 1, state: 1n as never }, {}),
    "VALUE_NOT_SERIALIZABLE",
  ],
  [
    "a state that is undefined",
    () => object("a", { version: 1, state: undefined as never }, {}),
    "VALUE_NOT_SERIALIZABLE",
  ],
  ["a key without a character", () => objectRunId("a", ""), "NAME_INVALID"],
  ["a key that is too long", () => objectRunId("a", "k".repeat(201)), "NAME_INVALID"],
  ["a key that is too long once it is escaped", () => objectRunId("a", "%".repeat(200)), "NAME_INVALID"],
  ["a key with half a character", () => objectRunId("a", "\ud800"), "NAME_INVALID"],
])("%s is refused", (_name, define, code) => {
  expect(define).toThrow(expect.objectContaining({ code }));
});

test("an id says the type and the key of its object, whatever those are", () => {
  expect(objectRunId("account", "alice")).toBe("account/alice");
  const hostile = ["a", "a/b", "a#0", "%2F", "%", "%%25", "ä/ü", "b/c", " ", "~", "__proto__"];
  const ids = new Set<string>();
  for (const type of ["t", "t/a", "t%2F"]) {
    for (const key of hostile) {
      const id = objectRunId(type, key);
      expect([id, objectKey(type, id)]).toEqual([id, key]);
      expect(id).not.toContain("#");
      ids.add(id);
    }
  }
  expect(ids.size).toBe(3 * hostile.length);
  expect(objectKey("t", "t/a/b")).toBeUndefined();
  expect(objectKey("t", "t/")).toBeUndefined();
  expect(objectKey("t", "u/a")).toBeUndefined();
});
