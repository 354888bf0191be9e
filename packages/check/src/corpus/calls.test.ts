// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are sources.
// Calls of contexts: awaited or not, in steps, in scopes, and in parallel branches.
import { describe, test } from "vitest";
import { expectMarked, moduleWith } from "../testing/marked-source.ts";

/** Name, body, further lines of the module. */
type Case = readonly [name: string, body: string, before?: string];

const UNAWAITED: readonly Case[] = [
  ["a statement", 'ctx.step("a", () => 1); //! unawaited-call'],
  [
    "every kind of call",
    'ctx.sleep(1); //! unawaited-call\nctx.waitFor("s"); //! unawaited-call\nctx.now(); //! unawaited-call\nctx.variable("v", 0); //! unawaited-call\nctx.scope("s", () => 1); //! unawaited-call\nctx.race({}); //! unawaited-call\nctx.shield(() => 1); //! unawaited-call\nctx.sleepUntil(1); //! unawaited-call\nctx.condition(() => true); //! unawaited-call',
  ],
  ["random and uuid, which are no promises", "ctx.random(); ctx.uuid();"],
  [
    "a statement in a handler of an update or a signal",
    'ctx.onUpdate(add, async (own) => { own.step("a", () => 1); }); ctx.on("go", (own) => { own.sleep(1); }); //! unawaited-call, unawaited-call',
    'const add = update("add");',
  ],
  [
    "a call of an object",
    'ctx.object("account", "a").call("add", 1); const b = ctx.object("account", "b"); b.call("add", 2); //! unawaited-call, unawaited-call',
  ],
  [
    "a call of an object that is awaited",
    'await ctx.object("account", "a").call("add", 1); const b = ctx.object("account", "b"); return await Promise.all([b.call("add", 2), b.call("add", 3)]);',
  ],
  [
    "a call of an object in a step",
    'await ctx.step("a", () => ctx.object("account", "a").call("add", 1)); //! call-in-step',
  ],
  ["void", 'void ctx.step("a", () => 1); //! unawaited-call'],
  ["a chain that is not awaited", 'ctx.step("a", () => 1).then((a) => a).catch(() => {}); //! unawaited-call'],
  ["a chain that is awaited", 'await ctx.step("a", () => 1).then((a) => a).catch(() => {}).finally(() => {});'],
  ["a call in a then", 'await ctx.step("a", () => 1).then(() => ctx.step("b", () => 2));'],
  [
    "a dropped call in a then",
    'await ctx.step("a", () => 1).then(() => { ctx.step("b", () => 2); }); //! unawaited-call',
  ],
  ["returned", 'return ctx.step("a", () => 1);'],
  ["returned by a condition", 'return input ? ctx.step("a", () => 1) : ctx.step("b", () => 2);'],
  ["awaited by a condition", 'const a = await (input ? ctx.step("a", () => 1) : null); return a ?? (await ctx.now());'],
  ["a condition as a statement", 'input && ctx.step("a", () => 1); //! unawaited-call'],
  ["an awaited condition", 'await (input && ctx.step("a", () => 1)); (await ctx.now()) || (await ctx.now());'],
  ["stored and awaited", 'const a = ctx.step("a", () => 1); await ctx.sleep(1); return await a;'],
  ["stored and never used", 'const a = ctx.step("a", () => 1); //! unawaited-call'],
  ["stored and only caught", 'const a = ctx.step("a", () => 1); a.catch(() => {}); //! unawaited-call'],
  [
    "stored under a name that is also a member's",
    "const a = ctx.now(); //! unawaited-call\ninput.a(); a: for (;;) break a; return { a: 1, b: input.a };",
  ],
  ["stored by assignment", 'let a; a = ctx.step("a", () => 1); await a;'],
  ["stored by assignment and never awaited", 'let a; a = ctx.step("a", () => 1); if (a) return 1; //! unawaited-call'],
  ["assigned and awaited at once", 'let a; await (a = ctx.step("a", () => 1));'],
  ["awaited in a closure", 'const a = ctx.step("a", () => 1); const get = async () => await a; return await get();'],
  ["stored in a property", 'const jobs = {}; jobs.a = ctx.step("a", () => 1); await jobs.a;'],
  ["an object of promises", 'const jobs = { a: ctx.step("a", () => 1) }; await jobs.a;'],
  ["in the result", 'return { a: ctx.step("a", () => 1) }; //! unawaited-call'],
  ["in an array of the result", 'return [ctx.step("a", () => 1)]; //! unawaited-call'],
  ["awaited in the result", 'return { a: await ctx.step("a", () => 1), b: [await ctx.now()] };'],
  [
    "a chain of promises",
    "let last = Promise.resolve(); for (const i of input) last = last.then(() => ctx.step(i, () => 1)); await last;",
  ],
  ["Promise.all", 'await Promise.all([ctx.step("a", () => 1), ctx.step("b", () => 2)]);'],
  ["Promise.all that is not awaited", 'Promise.all([ctx.step("a", () => 1)]); //! unawaited-call'],
  ["a race that is returned", 'return Promise.race([ctx.waitFor("a"), ctx.sleep("1s")]);'],
  ["allSettled and any", "await Promise.allSettled([ctx.now()]); return await Promise.any([ctx.now()]);"],
  ["map and Promise.all", "return await Promise.all(input.map((i) => ctx.step(`s-${i}`, () => i)));"],
  ["map that is awaited by itself", "await input.map((i) => ctx.step(`s-${i}`, () => i)); //! unawaited-call"],
  ["map stored, then all", "const jobs = input.map((i) => ctx.step(`s-${i}`, () => i)); await Promise.all(jobs);"],
  [
    "map spread into all",
    'await Promise.all([...input.map((i) => ctx.step(`s-${i}`, () => i)), ctx.step("z", () => 1)]);',
  ],
  ["map with a body", "await Promise.all(input.map((i) => { const n = i + 1; return ctx.step(`s-${n}`, () => n); }));"],
  [
    "map that returns nothing",
    "await Promise.all(input.map((i) => { ctx.step(`s-${i}`, () => i); })); //! unawaited-call",
  ],
  ["Array.from", "await Promise.all(Array.from({ length: 3 }, (_, i) => ctx.step(`s-${i}`, () => i)));"],
  [
    "flatMap and flat",
    "await Promise.all(input.flatMap((i) => [ctx.step(`s-${i}`, () => i)])); await Promise.all(input.map((i) => [ctx.step(`t-${i}`, () => i)]).flat());",
  ],
  ["forEach", "input.forEach((i) => ctx.step(`s-${i}`, () => i)); //! unawaited-call"],
  [
    "forEach with an async function",
    "input.forEach(async (i) => { await ctx.step(`s-${i}`, () => i); }); //! unawaited-call",
  ],
  [
    "filter with an async function",
    "return input.filter(async (i) => await ctx.step(`s-${i}`, () => true)); //! unawaited-call",
  ],
  [
    "reduce",
    "await input.reduce(async (before, i) => { await before; await ctx.step(`s-${i}`, () => i); }, Promise.resolve());",
  ],
  [
    "pushed and awaited",
    "const jobs = []; for (const i of input) jobs.push(ctx.step(`s-${i}`, () => i)); await Promise.all(jobs);",
  ],
  [
    "pushed and never awaited",
    "const jobs = []; for (const i of input) jobs.push(ctx.step(`s-${i}`, () => i)); return jobs.length; //! unawaited-call",
  ],
  [
    "pushed and awaited one by one",
    "const jobs = []; for (const i of input) jobs.push(ctx.step(`s-${i}`, () => i)); for (const job of jobs) await job;",
  ],
  [
    "set by index",
    "const jobs = []; for (let i = 0; i < 3; i++) jobs[i] = ctx.step(`s-${i}`, () => i); await Promise.all(jobs);",
  ],
  ["kept in a map", "const jobs = new Map(); jobs.set(1, ctx.now()); await Promise.all(jobs.values());"],
  ["handed to a function of others", "await track(ctx.now());", 'import { track } from "./track.ts";'],
  ["compared", 'if (ctx.waitFor("a") === true) return 1; //! unawaited-call'],
  ["calculated with", "return (await ctx.now()) - ctx.now(); //! unawaited-call"],
  ["in a text", "return `${ctx.now()}`; //! unawaited-call"],
  ["logged", "console.log(ctx.now()); //! unawaited-call"],
  ["destructured without await", 'const { value } = ctx.variable("v", 0); //! unawaited-call'],
  ["a member without await", 'return ctx.variable("v", 0).value; //! unawaited-call'],
  [
    "a variable's changes",
    'const v = await ctx.variable("v", 0);\nv.set(1); //! unawaited-call\nawait v.set(2); await v.update((n) => n + 1);\nv.update((n) => n); //! unawaited-call\nreturn v.value + v.get();',
  ],
  [
    "variables made in parallel",
    'const [a, b] = await Promise.all([ctx.variable("a", 0), ctx.variable("b", 0)]);\na.set(1); //! unawaited-call\nawait b.set(2);',
  ],
  ["an async helper", "go(); //! unawaited-call\nawait go();\nasync function go() { await ctx.now(); }"],
  [
    "a helper that returns the promise",
    'const go = (n) => ctx.step(n, () => 1);\ngo("a"); //! unawaited-call\nawait go("b");\nreturn go("c");',
  ],
  [
    "a helper of the module",
    "charge(ctx); //! unawaited-call\nawait charge(ctx);",
    'async function charge(c) { return await c.step("charge", () => 1); }',
  ],
  ["a helper that calls nothing", "note(ctx); await note(ctx);", "async function note(c) { return c.runId; }"],
  [
    "a method reference to map",
    "await Promise.all(input.map(go)); input.forEach(go); //! unawaited-call\nasync function go(i) { await ctx.step(i, () => 1); }",
  ],
  [
    "an async function called at once",
    "(async () => { await ctx.now(); })(); //! unawaited-call\nawait (async () => { await ctx.now(); })();",
  ],
  [
    "for await and for of",
    "for await (const a of [ctx.now(), ctx.now()]) input.add(a); for (const a of [ctx.now()]) await a;",
  ],
  ["an iteration over a promise", "for (const a of ctx.now()) input.add(a); //! unawaited-call"],
  ["a sequence", "ctx.now(), 1; //! unawaited-call\nawait (1, ctx.now());"],
  [
    "try, finally and switch",
    'try { await ctx.now(); } finally { await ctx.sleep(1); } switch (await ctx.waitFor("a")) { default: await ctx.now(); }',
  ],
];

const IN_STEP: readonly Case[] = [
  ["a step in a step", 'await ctx.step("a", async () => { await ctx.step("b", () => 1); }); //! call-in-step'],
  ["random in a step", 'await ctx.step("a", () => ctx.random()); //! call-in-step'],
  [
    "through a helper of the body",
    'const draw = () => ctx.uuid(); //! call-in-step\nawait ctx.step("a", () => draw());',
  ],
  [
    "through a helper of the module",
    'await ctx.step("a", () => charge(ctx));',
    'const charge = (c) => c.step("b", () => 1); //! call-in-step',
  ],
  ["in the initial function of a variable", 'await ctx.variable("v", () => ctx.random()); //! call-in-step'],
  [
    "in a change of a variable",
    'const v = await ctx.variable("v", 0); await v.update((n) => n + ctx.random()); //! call-in-step',
  ],
  ["in the handler of a query", "ctx.onQuery(seen, () => ctx.uuid()); //! call-in-step"],
  [
    "in a callback in a change of a variable",
    'const v = await ctx.variable("v", 0); await v.update((n) => input.map((i) => ctx.uuid()).length + n); //! call-in-step',
  ],
  [
    "what code elsewhere does in a change of a variable",
    'const v = await ctx.variable("v", 0); await v.update((n) => n + elsewhere(() => Date.now()));',
  ],
  [
    "a variable set in a step",
    'const v = await ctx.variable("v", 0); await ctx.step("a", async () => { await v.set(1); }); //! call-in-step',
  ],
  ["in a callback in a step", 'await ctx.step("a", () => input.map((i) => ctx.uuid())); //! call-in-step'],
  ["a step function by name", 'const work = () => ctx.random(); //! call-in-step\nawait ctx.step("a", work);'],
  [
    "what may be read in a step",
    'const v = await ctx.variable("v", 0); await ctx.step("a", () => [ctx.runId, ctx.attempt, ctx.signal, ctx.fencingToken, ctx.nodeId, v.value, v.get()]);',
  ],
  ["the step's own context", 'await ctx.step("a", (step) => step.idempotencyKey + step.signal.aborted);'],
  ["a parameter of the step called ctx", 'await ctx.step("a", (ctx) => ctx.step);'],
  ["arguments of the step", "await ctx.step(`a-${await ctx.now()}`, () => 1, { timeout: ctx.random() });"],
];

const OUTER: readonly Case[] = [
  ["the outer context", 'await ctx.scope("s", async (branch) => { await ctx.step("a", () => 1); }); //! outer-context'],
  ["no context of its own", 'await ctx.scope("s", async () => { await ctx.step("a", () => 1); }); //! outer-context'],
  ["random of the outer context", 'await ctx.scope("s", (branch) => ctx.random()); //! outer-context'],
  [
    "the outer scope's context",
    'await ctx.scope("s", (a) => a.scope("t", (b) => a.step("x", () => b.runId))); //! outer-context',
  ],
  [
    "a helper that closes over the outer context",
    'const go = () => ctx.step("a", () => 1); //! outer-context\nawait ctx.scope("s", (branch) => go());',
  ],
  [
    "a helper that is given the outer context",
    'await ctx.scope("s", (branch) => charge(ctx)); //! outer-context',
    'const charge = (c) => c.step("a", () => 1);',
  ],
  ["a helper that only reads", 'await ctx.scope("s", async (branch) => note(ctx));', "const note = (c) => c.runId;"],
  ["the branch", 'await ctx.scope("s", async (branch) => { await branch.step("a", () => 1); });'],
  ["a branch called ctx", 'await ctx.scope("s", async (ctx) => { await ctx.step("a", () => 1); });'],
  [
    "a helper that is given the branch",
    'await ctx.scope("s", (branch) => charge(branch)); await charge(ctx);',
    'const charge = (c) => c.step("a", () => 1);',
  ],
  ["a helper as the scope's function", 'await ctx.scope("s", charge);', 'const charge = (c) => c.step("a", () => 1);'],
  [
    "the outer context after the scope",
    'await ctx.scope("s", async (branch) => { await branch.now(); }); await ctx.now();',
  ],
  [
    "its own context in a race",
    "await ctx.race({ a: (own) => own.now(), b: async (own) => { await own.sleep(1); } });",
  ],
  ["the outer context in a race", "await ctx.race({ a: (own) => ctx.now() }); //! outer-context"],
  ["its own context in a shield", 'await ctx.shield((safe) => safe.step("undo", () => 1));'],
  ["the outer context in a shield", 'await ctx.shield((safe) => ctx.step("undo", () => 1)); //! outer-context'],
  ["properties", 'await ctx.scope("s", async (branch) => [ctx.runId, ctx.signal, ctx.version]);'],
  ["in a step of the scope", 'await ctx.scope("s", (branch) => branch.step("a", () => ctx.runId));'],
];

const NAMES: readonly Case[] = [
  ["map, before any await", 'await Promise.all(input.map(async (i) => { await ctx.step("a", () => i); }));'],
  [
    "map, after an await",
    'await Promise.all(input.map(async (i) => {\nawait ctx.step("a", () => i);\nawait ctx.step("b", () => i); //! duplicate-name\n}));',
  ],
  ["map without async", 'await Promise.all(input.map((i) => ctx.step("x", () => i)));'],
  [
    "map with then",
    'await Promise.all(input.map((i) => ctx.step("a", () => i).then(() => ctx.step("b", () => i)))); //! duplicate-name',
  ],
  [
    "map with a scope",
    'await Promise.all(input.map((i) => ctx.scope("item", async (branch) => { await branch.step("a", () => i); await branch.step("b", () => i); })));',
  ],
  [
    "a scope after an await",
    'await Promise.all(input.map(async (i) => {\nawait ctx.step("a", () => i);\nawait ctx.scope("item", (branch) => branch.step("b", () => i)); //! duplicate-name\n}));',
  ],
  [
    "names of their own",
    "await Promise.all(input.map(async (i) => { await ctx.step(`a-${i}`, () => i); await ctx.step(`b-${i}`, () => i); }));",
  ],
  [
    "a name that is kept in a constant",
    "await Promise.all(input.map(async (i) => { await ctx.now(); await ctx.step(NAME, () => i); })); //! duplicate-name",
    'const NAME = "b";',
  ],
  [
    "two branches",
    'await Promise.all([\n(async () => { await ctx.step("a", () => 1); await ctx.step("x", () => 1); })(),\n(async () => { await ctx.step("b", () => 1); await ctx.step("x", () => 2); })(), //! duplicate-name\n]);',
  ],
  [
    "two branches, one of them before its await",
    'await Promise.all([\n(async () => { await ctx.step("x", () => 1); })(),\n(async () => { await ctx.step("b", () => 1); await ctx.step("x", () => 2); })(),\n]);',
  ],
  [
    "one branch twice",
    'await Promise.all([(async () => { await ctx.step("a", () => 1); await ctx.step("x", () => 1); await ctx.step("x", () => 2); })(), ctx.now()]);',
  ],
  ["calls side by side", 'await Promise.all([ctx.step("x", () => 1), ctx.step("x", () => 2)]);'],
  [
    "a helper called for each branch",
    'const go = async (n) => {\nawait ctx.step(n, () => 1);\nawait ctx.step("x", () => 1); //! duplicate-name\n};\nawait Promise.all([go("a"), go("b")]);',
  ],
  [
    "a helper with names of its own",
    'const go = async (n) => { await ctx.step(n, () => 1); await ctx.step(`${n}-x`, () => 1); };\nawait Promise.all([go("a"), go("b")]);',
  ],
  [
    "a helper whose names are given",
    'const go = async (n) => { await ctx.sleep(1); await ctx.step(n, () => 1); };\nawait Promise.all([go("a"), go("b")]);',
  ],
  [
    "a helper whose names are given twice",
    'const go = async (n) => { await ctx.sleep(1); await ctx.step(n, () => 1); }; //! duplicate-name\nawait Promise.all([go("a"), go("a")]);',
  ],
  [
    "pushed in a loop",
    'const jobs = [];\nfor (const i of input) jobs.push(go(i));\nawait Promise.all(jobs);\nasync function go(i) {\nawait ctx.step(`a-${i}`, () => i);\nawait ctx.step("b", () => i); //! duplicate-name\n}',
  ],
  [
    "stored branches",
    'const one = go("a"), two = go("b");\nawait Promise.all([one, two]);\nasync function go(i) {\nawait ctx.step(i, () => i);\nawait ctx.step("x", () => i); //! duplicate-name\n}',
  ],
  [
    "a loop in each branch",
    'await Promise.all(input.map(async (i) => {\nfor (const part of i) await ctx.step("part", () => part); //! duplicate-name\n}));',
  ],
  [
    "a loop without await in each branch",
    'await Promise.all(input.map((i) => Promise.all(i.map((part) => ctx.step("part", () => part)))));',
  ],
  [
    "a function of others that may run once",
    'await Promise.all([once(async () => { await ctx.now(); await ctx.step("x", () => 1); }), ctx.now()]);',
    'import { once } from "./once.ts";',
  ],
  ["one after the other", 'for (const i of input) { await ctx.step("a", () => i); await ctx.step("b", () => i); }'],
  [
    "either of two ways",
    'await Promise.all(input.map(async (i) => {\nif (i) await ctx.step("a", () => i);\nelse await ctx.step("b", () => i);\n}));',
  ],
  [
    "after an early return",
    'await Promise.all(input.map(async (i) => {\nif (i) { await ctx.now(); return; }\nawait ctx.step("b", () => i);\n}));',
  ],
  [
    "after a condition",
    'await Promise.all(input.map(async (i) => {\nif (i) await ctx.now();\nawait ctx.step("b", () => i); //! duplicate-name\n}));',
  ],
  [
    "sleeps and waits, which need no name",
    'await Promise.all(input.map(async (i) => { await ctx.now(); await ctx.sleep(1); await ctx.waitFor("s"); }));',
  ],
  [
    "named sleeps",
    'await Promise.all(input.map(async (i) => { await ctx.now(); await ctx.sleep(1, { name: "nap" }); })); //! duplicate-name',
  ],
  [
    "other branches in another scope",
    'await Promise.all(["a", "b"].map((n) => ctx.scope(n, async (branch) => { await branch.now(); await Promise.all([branch.step("x", () => 1), branch.step("y", () => 1)]); })));',
  ],
];

describe.each([
  ["unawaited-call", UNAWAITED],
  ["call-in-step", IN_STEP],
  ["outer-context", OUTER],
  ["duplicate-name", NAMES],
])("%s", (_, cases) => {
  const named = cases.map(([name, body, before = ""]) => ({ name, source: moduleWith(body, before) }));
  test.each(named)("$name", ({ source }) => expectMarked(source));
});
