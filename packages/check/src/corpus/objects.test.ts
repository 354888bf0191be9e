// Handlers of objects: they are bodies, and their state is a variable.
import { describe, expect, test } from "vitest";
import { checkSource } from "../check-files.ts";
import { expectMarked } from "../testing/marked-source.ts";

const IMPORT = 'import { exclusive, object, shared } from "raftoral";\n';

const CASES: readonly (readonly [name: string, source: string])[] = [
  [
    "a clock in an exclusive handler",
    'object("a", { version: 1, state: 0 }, { add: exclusive(async (ctx) => { Date.now(); }) }); //! clock',
  ],
  [
    "a clock in a shared handler",
    'object("a", { version: 1, state: 0 }, { add: shared(() => Date.now()) }); //! clock',
  ],
  [
    "a handler with a schema",
    'object("a", {}, { add: exclusive(async (ctx, n) => { Math.random(); }, { input: schema }) }); //! random\nconst schema = {};',
  ],
  [
    "a handler beside its object",
    'const add = exclusive(async (ctx) => { Date.now(); }); //! clock\nexport const a = object("a", {}, { add });',
  ],
  [
    "a handler by name",
    'async function add(ctx) { Date.now(); } //! clock\nexport const a = object("a", {}, { add: exclusive(add) });',
  ],
  [
    "a step that is not awaited",
    'object("a", {}, { add: exclusive(async (ctx) => { ctx.step("a", () => 1); }) }); //! unawaited-call',
  ],
  [
    "changes of the state that are not awaited",
    'object("a", {}, { add: exclusive(async (ctx) => { ctx.state.set(1); ctx.state.update((n) => n + 1); }) }); //! unawaited-call, unawaited-call',
  ],
  [
    "changes of the state that are awaited, and reads",
    'object("a", {}, { add: exclusive(async (ctx, n) => { await ctx.state.set(ctx.state.value + n); return await ctx.state.update((m) => m + 1); }) });',
  ],
  [
    "a clock in a change of the state",
    'object("a", {}, { add: exclusive(async (ctx) => { await ctx.state.update(() => Date.now()); }) }); //! clock',
  ],
  [
    "a change of the state in a step",
    'object("a", {}, { add: exclusive(async (ctx) => { await ctx.step("s", () => ctx.state.set(1)); }) }); //! call-in-step',
  ],
  [
    "a call of another object that is not awaited",
    'object("a", {}, { add: exclusive(async (ctx) => { ctx.object("b", "k").call("add"); }) }); //! unawaited-call',
  ],
  [
    "a helper that takes the context of a handler",
    'import type { ExclusiveContext } from "raftoral";\nexport async function helper(ctx: ExclusiveContext<number>) { await ctx.now(); Date.now(); } //! clock',
  ],
  [
    "a function of the same name from elsewhere",
    'import { shared as other } from "elsewhere";\nother(() => Date.now());',
  ],
];

describe("handlers of objects", () => {
  test.each(CASES)("%s", (_, source) => expectMarked(`${IMPORT}object("base", {}, {});\n${source}`, "w.ts"));
});

test("an object is reported among the workflows, and its handlers are not", () => {
  const { workflows } = checkSource(
    `${IMPORT}export const a = object("account", {}, { get: shared(() => 1), add: exclusive(async () => 2) });`,
    "a.ts",
  );
  expect(workflows).toMatchObject([{ type: "account", checked: true }]);
});
