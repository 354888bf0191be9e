// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are sources.
// How bodies are recognised, in every way in which a file can define a workflow or help one.
import { describe, expect, test } from "vitest";
import { checkSource } from "../check-files.ts";
import { expectMarked } from "../testing/marked-source.ts";

const BODY = "async (ctx) => { Date.now(); }";

const DEFINITIONS: readonly (readonly [name: string, source: string, path?: string])[] = [
  ["from raftoral", `import { workflow } from "raftoral";\nworkflow("w", { version: 1 }, ${BODY}); //! clock`],
  ["from @raftoral/workflow", `import { workflow } from "@raftoral/workflow";\nworkflow("w", {}, ${BODY}); //! clock`],
  ["under another name", `import { workflow as define } from "raftoral";\ndefine("w", {}, ${BODY}); //! clock`],
  ["from a namespace", `import * as raftoral from "raftoral";\nraftoral.workflow("w", {}, ${BODY}); //! clock`],
  [
    "kept in a constant",
    `import * as raftoral from "raftoral";\nconst { workflow: define } = raftoral;\ndefine("w", {}, ${BODY}); //! clock`,
  ],
  [
    "with type arguments",
    `import { workflow } from "raftoral";\nworkflow<string, number>("w", {}, ${BODY}); //! clock`,
  ],
  [
    "CommonJS",
    `const { workflow } = require("raftoral");\nmodule.exports.w = workflow("w", {}, ${BODY}); //! clock`,
    "w.cjs",
  ],
  [
    "CommonJS as a whole",
    `const raftoral = require("raftoral");\nmodule.exports = raftoral.workflow("w", {}, ${BODY}); //! clock`,
    "w.js",
  ],
  [
    "CommonJS in TypeScript",
    `import raftoral = require("raftoral");\nexport = raftoral.workflow("w", {}, ${BODY}); //! clock`,
    "w.cts",
  ],
  ["import()", `const { workflow } = await import("raftoral");\nworkflow("w", {}, ${BODY}); //! clock`, "w.mjs"],
  [
    "a function by name",
    'import { workflow } from "raftoral";\nworkflow("w", {}, body);\nasync function body(ctx) { Date.now(); } //! clock',
  ],
  [
    "a constant by name",
    `import { workflow } from "raftoral";\nconst body = ${BODY}; //! clock\nworkflow("w", {}, body);`,
  ],
  [
    "a function expression",
    'import { workflow } from "raftoral";\nworkflow("w", {}, async function run(ctx) { Date.now(); }); //! clock',
  ],
  [
    "a method of an object",
    'import { workflow } from "raftoral";\nconst orders = {\nasync run(ctx) { Date.now(); }, //! clock\n};\nworkflow("w", {}, orders.run);',
  ],
  [
    "in a factory",
    'import { workflow } from "raftoral";\nexport function make(db) {\nconst load = async () => db.load();\nreturn workflow("w", {}, async (ctx) => { await ctx.step("a", load); Date.now(); }); //! clock\n}',
  ],
  [
    "in a list",
    `import { workflow } from "raftoral";\nexport const all = [workflow("a", {}, ${BODY}), workflow("b", {}, async () => 1)]; //! clock`,
  ],
  [
    "in a class",
    `import { workflow } from "raftoral";\nclass Orders {\nstatic flow = workflow("w", {}, ${BODY}); //! clock\n}`,
  ],
  ["a wrapped body", `import { workflow } from "raftoral";\nworkflow("w", {}, (${BODY}) as never); //! clock`],
  [
    "a body that is frozen",
    `import { workflow } from "raftoral";\nworkflow("w", {}, Object.freeze(${BODY})); //! clock`,
  ],
  ["a body without async", 'import { workflow } from "raftoral";\nworkflow("w", {}, (ctx) => Date.now()); //! clock'],
  [
    "destructured context",
    'import { workflow } from "raftoral";\nworkflow("w", {}, async ({ step, sleep: nap }) => {\nstep("a", () => Date.now()); //! unawaited-call\nawait nap(1);\n});',
  ],
  [
    "context under another name",
    'import { workflow } from "raftoral";\nworkflow("w", {}, async (c) => {\nconst again = c;\nagain.now(); //! unawaited-call\n});',
  ],
  [
    "context inside of an argument",
    'import { workflow } from "raftoral";\nconst go = ({ ctx, n }) => { ctx.step(n, () => 1); }; //! unawaited-call\nworkflow("w", {}, async (ctx) => { go({ ctx, n: "a" }); });',
  ],
  [
    "a default of a parameter",
    'import { workflow } from "raftoral";\nworkflow("w", {}, async (ctx, at = Date.now()) => at); //! clock',
  ],
  [
    "a curried helper",
    'import { workflow } from "raftoral";\nconst steps = (ctx) => ({ charge: (work) => ctx.step("charge", work) });\nworkflow("w", {}, async (ctx) => {\nawait steps(ctx).charge(() => Date.now());\nsteps(ctx).charge(() => Date.now()); //! unawaited-call\n});',
  ],
  [
    "a helper that takes the work of a step",
    'import { workflow } from "raftoral";\nconst logged = async (ctx, name, work) => await ctx.step(name, async () => await work());\nworkflow("w", {}, async (ctx) => { await logged(ctx, "a", async () => await fetch("https://example.com")); });',
  ],
  [
    "a helper that calls the work itself",
    'import { workflow } from "raftoral";\nconst twice = async (work) => [await work(), await work()];\nworkflow("w", {}, async (ctx) => { await twice(async () => Date.now()); }); //! clock',
  ],
  [
    "a recursive helper",
    'import { workflow } from "raftoral";\nasync function down(ctx, n) { if (n > 0) await down(ctx, n - 1); await ctx.now(); Date.now(); } //! clock\nworkflow("w", {}, async (ctx) => { await down(ctx, 3); });',
  ],
  [
    "functions that call each other",
    'import { workflow } from "raftoral";\nasync function a(ctx) { await b(ctx); }\nasync function b(ctx) { await a(ctx); Math.random(); } //! random\nworkflow("w", {}, a);',
  ],
  [
    "TSX",
    'import { workflow } from "raftoral";\nconst view = <p title="a">{Date.now()}</p>;\nworkflow("w", {}, async (ctx) => <p>{Date.now()}</p>); //! clock',
    "w.tsx",
  ],
  [
    "JSX",
    'import { workflow } from "raftoral";\nworkflow("w", {}, async (ctx) => <p a={Math.random()}>text</p>); //! random',
    "w.jsx",
  ],
  [
    "decorators, enums, namespaces and the like",
    'import { workflow } from "raftoral";\nenum Kind { A = Date.now() }\nnamespace Space { export const at = Date.now(); }\n@sealed class Service { constructor(private readonly at: number, @inject() other: string) {} declare x: number; accessor y = Date.now(); }\nabstract class Base { abstract a(): void; }\nfunction over(a: string): void;\nfunction over(a: unknown): void {}\nworkflow("w", {}, async (ctx) => { using a = input(); return Kind.A satisfies number; });',
  ],
  [
    "a module that uses everything outside of bodies",
    'import { workflow } from "raftoral";\nsetInterval(() => console.log(Date.now(), process.env.HOME), 10);\nawait fetch("https://example.com");\nworkflow("w", {}, async (ctx) => {});',
  ],
];

describe("a workflow", () => {
  const named = DEFINITIONS.map(([name, source, path]) => ({ name, source, path }));
  test.each(named)("$name", ({ source, path }) => expectMarked(source, path));

  test("of another package is none", () => {
    const source = `import { workflow } from "elsewhere";\nworkflow("w", {}, ${BODY});\nfunction f(workflow) { workflow("w", {}, ${BODY}); }`;
    expect(checkSource(source)).toMatchObject({ workflows: [], findings: [], failures: [] });
  });

  test("is listed with its type, its place, and whether its body can be followed", () => {
    const source = `import { workflow } from "raftoral";
import { charge } from "charge";
workflow("a", {}, async () => 1);
  workflow(name(), {}, async () => 1);
workflow("c", {}, charge);`;
    expect(checkSource(source).workflows).toEqual([
      { path: "workflow.ts", line: 3, column: 1, type: "a", checked: true },
      { path: "workflow.ts", line: 4, column: 3, checked: true },
      { path: "workflow.ts", line: 5, column: 1, type: "c", checked: false },
    ]);
  });
});

describe("a function that takes a WorkflowContext", () => {
  const checked = (source: string): readonly string[] =>
    checkSource(source).findings.map(({ line, rule }) => `${line} ${rule}`);

  test.each([
    ["a function", "export async function charge(ctx: WorkflowContext) { await ctx.now(); Date.now(); }"],
    [
      "an arrow function",
      "export const charge = async (order: string, ctx: WorkflowContext) => { await ctx.now(); Date.now(); };",
    ],
    ["a method", "class Orders { async charge(ctx: WorkflowContext) { await ctx.now(); Date.now(); } }"],
  ])("is checked as a part of a body: %s", (_, code) => {
    expect(checked(`import type { WorkflowContext } from "raftoral";\n${code}`)).toEqual(["2 clock"]);
  });

  test("is known by the type of a namespace, too", () => {
    const code = "export const charge = async (ctx: raftoral.WorkflowContext) => { await ctx.now(); Date.now(); };";
    expect(checked(`import type * as raftoral from "raftoral";\n${code}`)).toEqual(["2 clock"]);
  });

  test("may be a part of a step when it calls nothing of the context", () => {
    const code = "export const note = async (ctx: WorkflowContext) => { await fetch(ctx.runId); };";
    expect(checked(`import type { WorkflowContext } from "raftoral";\n${code}`)).toEqual([]);
  });

  test("is not meant by another type of that name", () => {
    const code =
      "interface WorkflowContext { now(): void }\nexport const f = (ctx: WorkflowContext) => { ctx.now(); Date.now(); };";
    expect(checked(code)).toEqual([]);
  });
});
