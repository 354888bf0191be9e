import { describe, expect, test } from "vitest";
import { checkSource } from "./check-files.ts";

function found(body: string, head = ""): readonly string[] {
  const source = `${head}import { workflow } from "raftoral";\nworkflow("w", {}, async (ctx) => {\n${body}\n});\n`;
  return checkSource(source).findings.map(({ line, rule }) => `${line} ${rule}`);
}

describe("raftoral-check-disable-next-line", () => {
  test.each([
    ["a line comment", "// raftoral-check-disable-next-line clock -- only for a log line\nDate.now();"],
    ["a block comment", "/* raftoral-check-disable-next-line clock -- only for a log line */\nDate.now();"],
    [
      "several rules",
      "// raftoral-check-disable-next-line clock, random -- a log line\nlog(Date.now(), Math.random());",
    ],
    [
      "several comments",
      "// raftoral-check-disable-next-line clock -- a\n// raftoral-check-disable-next-line random -- b\nlog(Date.now(), Math.random());",
    ],
    ["a reason with dashes", "// raftoral-check-disable-next-line clock -- seen -- twice\nDate.now();"],
  ])("takes findings back: %s", (_, body) => expect(found(body)).toEqual([]));

  test("is for one line and the rules that it names", () => {
    const body =
      "// raftoral-check-disable-next-line clock -- a log line\nlog(Date.now(), Math.random());\nDate.now();";
    expect(found(body)).toEqual(["4 random", "5 clock"]);
  });

  test.each([
    ["no reason", "// raftoral-check-disable-next-line clock"],
    ["an empty reason", "// raftoral-check-disable-next-line clock -- "],
    ["no rule", "// raftoral-check-disable-next-line -- because"],
    ["an unknown rule", "// raftoral-check-disable-next-line clocks -- because"],
    ["a rule that cannot be disabled", "// raftoral-check-disable-next-line disable-comment -- because"],
    ["an unknown form", "// raftoral-check-disable-this clock -- because"],
  ])("disables nothing with %s, and is reported", (_, comment) => {
    expect(found(`${comment}\nDate.now();`)).toEqual(["3 disable-comment", "4 clock"]);
  });

  test("is reported when nothing is found on its line", () => {
    expect(found("// raftoral-check-disable-next-line clock, random -- because\nDate.now();")).toEqual([
      "3 disable-comment",
    ]);
    expect(
      found(
        'await ctx.step("a", () => {\n// raftoral-check-disable-next-line clock -- because\nreturn Date.now();\n});',
      ),
    ).toEqual(["4 disable-comment"]);
  });

  test("is not reported in code that may be reached from another file", () => {
    const source =
      "export function charge() {\n// raftoral-check-disable-next-line clock -- because\nreturn Date.now();\n}";
    expect(checkSource(source).findings).toEqual([]);
  });

  test("in a text is no comment", () => {
    expect(found('const a = "// raftoral-check-disable-next-line clock";')).toEqual([]);
  });
});

describe("raftoral-check-disable-file", () => {
  test("is for all lines of the file, before and after it", () => {
    const head = "/* raftoral-check-disable-file clock -- generated */\n";
    expect(found("Date.now();\nMath.random();\nDate.now();", head)).toEqual(["5 random"]);
    expect(found("Date.now();\n// raftoral-check-disable-file clock -- generated")).toEqual([]);
  });

  test("needs a reason", () => {
    expect(found("Date.now();", "// raftoral-check-disable-file clock\n")).toEqual(["1 disable-comment", "4 clock"]);
  });
});
