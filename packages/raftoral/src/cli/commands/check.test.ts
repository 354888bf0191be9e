// @module-tag slow

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { raftoral } from "../../testing/run-cli.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "raftoral-cli-check-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

const HEAD = 'import { workflow } from "raftoral";\n';

describe("check", () => {
  test("has nothing to say about a good file", async () => {
    const path = await write("good.ts", `${HEAD}workflow("w", {}, async (ctx) => await ctx.now());\n`);
    expect(await raftoral(["check", path])).toMatchObject({
      code: 0,
      out: "1 file, 1 workflow, 0 findings\n",
      err: "",
    });
  });

  test("names place, rule, what is wrong and what to do, one line each, and exits with 1", async () => {
    const path = await write(
      "bad.ts",
      `${HEAD}workflow("w", {}, async (ctx) => {\n  go(ctx);\n});\nconst go = (c) => Date.now();\n`,
    );
    const { code, out } = await raftoral(["check", path]);
    expect(code).toBe(1);
    expect(out).toBe(
      `${path}:5:19  clock  Date.now() reads the clock in the body of workflow "w"; a replay reads another time. ` +
        `Use await ctx.now(), or read the clock inside a step. (Called from ${path}:3.)\n1 file, 1 workflow, 1 finding\n`,
    );
  });

  test("prints JSON for programs", async () => {
    const bad = await write("bad.ts", `${HEAD}workflow("w", {}, async (ctx) => Date.now());\n`);
    const broken = await write("broken.ts", "let a = = 1;\n");
    const { code, out, err } = await raftoral(["check", bad, broken, "--json"]);
    expect({ code, err }).toEqual({ code: 2, err: "" });
    expect(JSON.parse(out)).toEqual({
      files: [bad, broken],
      workflows: [{ path: bad, line: 2, column: 1, type: "w", checked: true }],
      findings: [
        {
          path: bad,
          line: 2,
          column: 34,
          rule: "clock",
          message: 'Date.now() reads the clock in the body of workflow "w"; a replay reads another time.',
          advice: "Use await ctx.now(), or read the clock inside a step.",
          workflow: "w",
        },
      ],
      failures: [
        {
          code: "CHECK_FILE_UNPARSABLE",
          path: broken,
          message: expect.stringMatching(/:1:9 cannot be parsed: /),
          line: 1,
          column: 9,
        },
      ],
    });
  });

  test("exits with 2 when a file cannot be checked, whatever is found in the others", async () => {
    const bad = await write("bad.ts", `${HEAD}workflow("w", {}, async (ctx) => Date.now());\n`);
    const { code, out, err } = await raftoral(["check", bad, join(folder, "missing.ts")]);
    expect(code).toBe(2);
    expect(out).toContain("2 files, 1 workflow, 1 finding\n");
    expect(err).toMatch(/^Error CHECK_FILE_UNREADABLE: There is no file .*missing\.ts\. .*\n$/);
    expect((await raftoral(["check"])).code).toBe(2);
  });

  test("says which bodies it cannot follow", async () => {
    const path = await write("w.ts", `${HEAD}import { body } from "bodies";\nworkflow("w", {}, body);\n`);
    const { code, out } = await raftoral(["check", path]);
    expect(code).toBe(0);
    expect(out).toContain(
      `${path}:3:1  note  The body of workflow "w" is in no file that can be followed; it is not checked.\n`,
    );
  });

  test("prints no control character of a file or its name", async () => {
    const sequence = "\u001b[2J\u009b1m\u202e";
    const path = await write(
      "a\u001b]0;x\u0007.ts",
      `${HEAD}workflow("${sequence}", {}, async (ctx) => { ctx.step("${sequence}", () => 1); Date.now(); });\n`,
    );
    const broken = await write("b\u001b[2J.ts", "let a = '\u001b[2J' 1;");
    const { out, err } = await raftoral(["check", path, broken]);
    expect(out).toContain("unawaited-call");
    expect(err).toContain("CHECK_FILE_UNPARSABLE");
    expect(`${out}${err}`.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});

test("the parser is loaded by this command alone", async () => {
  const program = new URL("../program.ts", import.meta.url).href;
  const source = `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    await import("raftoral");
    await import(${JSON.stringify(program)});
    console.log(JSON.stringify(loaded.filter((url) => /@babel|packages\\/check/.test(url))), loaded.length > 50);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", source]);
  expect(stdout).toBe("[] true\n");
});
