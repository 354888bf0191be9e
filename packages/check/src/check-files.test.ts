// @module-tag slow

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkFiles, checkSource } from "./check-files.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "raftoral-check-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes files and returns the path of the first. */
function write(files: Readonly<Record<string, string | Uint8Array>>): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return join(folder, Object.keys(files)[0] ?? "");
}

function shortened(paths: readonly string[]) {
  const { findings, failures } = checkFiles(paths);
  return {
    findings: findings.map(
      ({ path, line, column, rule }) => `${path.slice(folder.length + 1)}:${line}:${column} ${rule}`,
    ),
    failures: failures.map(({ code, path }) => `${path.slice(folder.length + 1)} ${code}`),
  };
}

const FLOW = 'import { workflow } from "raftoral";\n';

describe("functions of other files", () => {
  test.each([
    ["by the name of the source", "./charge.ts", "charge.ts"],
    ["by the name of the output", "./charge.js", "charge.ts"],
    ["without an ending", "./charge", "charge.mts"],
    ["of a folder", "./charge", "charge/index.ts"],
    ["in a folder above", "../charge.mjs", "../charge.mts"],
  ])("are followed: %s", (_, specifier, file) => {
    const flow = `${FLOW}import { charge } from "${specifier}";\nworkflow("w", {}, async (ctx) => { await charge(ctx); });`;
    const path = write({
      "flows/w.ts": flow,
      [join("flows", file)]: "export const charge = async (ctx) => Date.now();",
    });
    expect(shortened([path])).toEqual({ findings: [`${join("flows", file)}:1:38 clock`], failures: [] });
  });

  test.each([
    ["a default export", 'import charge from "./b.ts";', "export default async function (ctx) { Date.now(); }"],
    [
      "a namespace",
      'import * as b from "./b.ts";\nconst charge = b.charge;',
      "export async function charge(ctx) { Date.now(); }",
    ],
    [
      "a renamed export",
      'import { pay as charge } from "./b.ts";',
      "const charge = (ctx) => Date.now();\nexport { charge as pay };",
    ],
    ["CommonJS", 'const { charge } = require("./b.ts");', "module.exports = { charge: (ctx) => Date.now() };"],
    ["CommonJS by name", 'const { charge } = require("./b.ts");', "exports.charge = (ctx) => Date.now();"],
  ])("are followed through %s", (_, line, module) => {
    const path = write({ "a.ts": `${FLOW}${line}\nworkflow("w", {}, charge);`, "b.ts": module });
    expect(shortened([path]).findings).toHaveLength(1);
    expect(shortened([path]).findings[0]).toMatch(/^b\.ts:.* clock$/);
  });

  test("are followed through files that export what they import", () => {
    const path = write({
      "a.ts": `${FLOW}import { charge, draw } from "./index.ts";\nworkflow("w", {}, async (ctx) => { charge(); draw(); });`,
      "index.ts": 'export { pay as charge } from "./b.ts";\nexport * from "./c.ts";\nexport * from "./index.ts";',
      "b.ts": "export const pay = () => Date.now();",
      "c.ts": "export const draw = () => Math.random();",
    });
    expect(shortened([path]).findings).toEqual(["b.ts:1:26 clock", "c.ts:1:27 random"]);
  });

  test("may define what is imported as `workflow`", () => {
    const path = write({
      "a.ts": 'import { define } from "./b.ts";\ndefine("w", {}, async (ctx) => { Date.now(); });',
      "b.ts": 'export { workflow as define } from "raftoral";',
    });
    expect(shortened([path]).findings).toEqual(["a.ts:2:34 clock"]);
  });

  test("say which call of the body leads to them", () => {
    const path = write({
      "a.ts": `${FLOW}import { charge } from "./b.ts";\nworkflow("w", {}, async (ctx) => {\n  charge();\n});`,
      "b.ts": "export const charge = () => now();\nconst now = () => Date.now();",
    });
    expect(checkFiles([path]).findings).toMatchObject([
      { line: 2, workflow: "w", calledFrom: { path, line: 4, column: 3 } },
    ]);
  });

  test("are known in a file that is asked for as well, and reported once", () => {
    const files = {
      "a.ts": `${FLOW}import { charge } from "./b.ts";\nworkflow("w", {}, charge);\nworkflow("v", {}, charge);`,
      "b.ts":
        'import type { WorkflowContext } from "raftoral";\nexport async function charge(ctx: WorkflowContext) { await ctx.now(); Date.now(); }',
    };
    write(files);
    const paths = Object.keys(files).map((file) => join(folder, file));
    expect(shortened([...paths, ...paths]).findings).toEqual(["b.ts:2:71 clock"]);
  });

  test("that are missing, of packages or data are left alone; one that cannot be parsed is a failure", () => {
    const path = write({
      "a.ts": `${FLOW}import a from "./missing.ts";\nimport b from "package";\nimport c from "./data.json";\nimport { d } from "./broken.ts";\nworkflow("w", {}, async (ctx) => { a(); b(); c(); d(); });`,
      "data.json": "{}",
      "broken.ts": "export const d = (;",
    });
    expect(shortened([path])).toEqual({ findings: [], failures: ["broken.ts CHECK_FILE_UNPARSABLE"] });
  });
});

describe("a file that cannot be checked", () => {
  test("is a failure of its own, and others are checked all the same", () => {
    const good = write({
      "good.ts": `${FLOW}workflow("w", {}, async (ctx) => { Date.now(); });`,
      "bad.ts": "let = = 1",
    });
    const bad = join(folder, "bad.ts");
    expect(shortened([bad, good])).toEqual({
      findings: ["good.ts:2:36 clock"],
      failures: ["bad.ts CHECK_FILE_UNPARSABLE"],
    });
  });

  test.each<readonly [string, string, string | Uint8Array, string, RegExp]>([
    [
      "a syntax error",
      "a.ts",
      "const a = {\n  b: ]\n};",
      "CHECK_FILE_UNPARSABLE",
      /a\.ts:2:6 cannot be parsed: Unexpected token/,
    ],
    [
      "an error that the parser recovers from",
      "a.ts",
      "let a; let a;",
      "CHECK_FILE_UNPARSABLE",
      /a\.ts:1:12 cannot be parsed/,
    ],
    ["a binary file", "a.ts", new Uint8Array([0, 1, 2, 3]), "CHECK_FILE_UNPARSABLE", /binary file/],
    [
      "text that is not UTF-8",
      "a.ts",
      new Uint8Array([0x2f, 0x2f, 0xff, 0xfe]),
      "CHECK_FILE_UNPARSABLE",
      /no UTF-8 text/,
    ],
    ["a name that is no script's", "a.json", "{}", "CHECK_FILE_UNPARSABLE", /no JavaScript or TypeScript file/],
    ["ten megabytes", "a.ts", "a;\n".repeat(3_500_000), "CHECK_FILE_TOO_LARGE", /has 10500000 bytes/],
    [
      "nested parentheses",
      "a.ts",
      `${"(".repeat(50_000)}1${")".repeat(50_000)}`,
      "CHECK_FILE_TOO_COMPLEX",
      /nested too deeply/,
    ],
    ["nested arrays that never end", "a.ts", "[".repeat(100_000), "CHECK_FILE_TOO_COMPLEX", /nested too deeply/],
    ["nested blocks", "a.js", "{".repeat(50_000) + "}".repeat(50_000), "CHECK_FILE_TOO_COMPLEX", /nested too deeply/],
    [
      "nested types",
      "a.ts",
      `type A = ${"Array<".repeat(50_000)}1${">".repeat(50_000)}`,
      "CHECK_FILE_TOO_COMPLEX",
      /nested too deeply/,
    ],
    ["a long chain of members", "a.ts", `a${".b".repeat(200_000)};`, "CHECK_FILE_TOO_COMPLEX", /nested too deeply/],
  ])("%s", (_, name, content, code, message) => {
    const { failures } = checkFiles([write({ [name]: content })]);
    expect(failures).toMatchObject([{ code, message: expect.stringMatching(message) }]);
  });

  test("a missing file, a folder, and a pipe or device", () => {
    symlinkSync("/dev/zero", join(folder, "zero.ts"));
    mkdirSync(join(folder, "folder.ts"));
    const paths = ["missing.ts", "folder.ts", "zero.ts", "nul\0.ts"].map((name) => join(folder, name));
    expect(checkFiles(paths).failures.map(({ code }) => code)).toEqual(Array(4).fill("CHECK_FILE_UNREADABLE"));
  });

  test("a body that calls more functions than can be followed", () => {
    const helpers = Array.from({ length: 60 }, (_, n) => `const f${n} = () => f${n + 1}();`).join("\n");
    const { failures } = checkSource(
      `${FLOW}${helpers}\nconst f60 = () => 1;\nworkflow("w", {}, async (ctx) => f0());`,
    );
    expect(failures).toMatchObject([
      { code: "CHECK_FILE_TOO_COMPLEX", message: expect.stringMatching(/too many functions/) },
    ]);
  });

  test("a body whose ways multiply is followed in bounded time", () => {
    const helpers = Array.from(
      { length: 30 },
      (_, n) => `const f${n} = (g) => { f${n + 1}(() => g()); f${n + 1}(g); };`,
    );
    const source = `${FLOW}${helpers.join("\n")}\nconst f30 = (g) => g();\nworkflow("w", {}, async (ctx) => { f0(() => 1); });`;
    expect(checkSource(source).failures).toMatchObject([{ code: "CHECK_FILE_TOO_COMPLEX" }]);
    const values = Array.from({ length: 60 }, (_, n) => `const v${n} = () => v${n + 1}() ?? v${n + 1}();`).join("\n");
    expect(checkSource(`${FLOW}${values}\nv0()("w", {}, async (ctx) => {});`).failures).toEqual([]);
  });
});

test.each([
  ["calls", "f(1, 2);\nctx.now().then(g);\n".repeat(10_000)],
  [
    "members of one object",
    `const o = {${Array.from({ length: 10_000 }, (_, n) => `p${n}: 1`).join()}};${Array.from({ length: 10_000 }, (_, n) => `o.p${n}();`).join("")}`,
  ],
  ["arguments", `f(${"a, ".repeat(100_000)}1);`],
  ["promises in one array", `const all = [];${"all.push(ctx.now());\n".repeat(20_000)}await Promise.all(all);`],
  [
    "calls of one helper",
    `${"await go();\n".repeat(10_000)}async function go() {${Array.from({ length: 200 }, (_, n) => `await ctx.step("s${n}", () => 1);`).join("")}}`,
  ],
  [
    "calls of a helper with names",
    `${Array.from({ length: 5_000 }, (_, n) => `await go("s${n}");`).join("\n")}\nasync function go(n) { await ctx.step(n, () => 1); }`,
  ],
  ["branches", `await Promise.all([${"(async () => { await ctx.now(); await ctx.sleep(1); })(),\n".repeat(10_000)}]);`],
  ["scopes in scopes", `${"{ const a = 1;".repeat(200)}${"a;\n".repeat(20_000)}${"}".repeat(200)}`],
  ["comments", `// raftoral-check-disable-next-line clock -- a\nDate.now();\n`.repeat(20_000)],
])("a body with tens of thousands of %s takes seconds", { timeout: 60_000 }, (_, body) => {
  const source = `${FLOW}workflow("w", {}, async (ctx) => {\n${body}\n});`;
  const started = performance.now();
  const { failures, workflows } = checkSource(source);
  expect({ failures, workflows: workflows.length }).toEqual({ failures: [], workflows: 1 });
  expect(performance.now() - started).toBeLessThan(30_000);
});

test("a byte order mark, a hash bang and Windows line ends are no difficulty", () => {
  const source = `\uFEFF#!/usr/bin/env node\r\n${FLOW}workflow("w", {}, async (ctx) => {\r\n  Date.now();\r\n});\r\n`;
  expect(shortened([write({ "a.ts": source })])).toEqual({ findings: ["a.ts:4:3 clock"], failures: [] });
});
