import { describe, expect, test } from "vitest";
import { errorFamily, errorTexts, shown, textProblem } from "./error-texts.ts";
import { readSource } from "./source.ts";

const ERRORS = readSource(
  "errors.ts",
  `export class DiskError extends RaftoralError<"FULL"> {}
   export class FullError extends DiskError {}
   class Other extends Error {}
   export function fail(code: string, text: string) { throw new DiskError(code, text); }`,
);

function texts(code: string): readonly string[] {
  const source = readSource("a.ts", code);
  return errorTexts([ERRORS, source], errorFamily([ERRORS, source])).map(({ text }) => shown(text));
}

test("the family are the classes that descend from RaftoralError", () => {
  expect(errorFamily([ERRORS])).toEqual(new Set(["RaftoralError", "DiskError", "FullError"]));
});

describe("errorTexts", () => {
  test.each([
    ["literals", 'new DiskError("FULL", "The disk is full.")', ["The disk is full."]],
    ["templates", `new DiskError("FULL", \`Disk \${name} is full.\`)`, ["Disk {} is full."]],
    ["joined texts", 'new FullError("FULL", "The disk " + name + " is full.")', ["The disk {} is full."]],
    ["each of two texts", 'new DiskError("FULL", full ? "A." : "B.")', ["A.", "B."]],
    ["texts that a function makes errors of", 'fail("FULL", "The disk is full.")', ["The disk is full."]],
    [
      "texts given to super",
      'class Full extends DiskError { constructor() { super("FULL", "The disk is full."); } }',
      ["The disk is full."],
    ],
    ["nothing given to super of other classes", 'class A extends Error { constructor() { super("x"); } }', []],
    ["nothing of other classes", 'new Error("x"); new Other("y");', []],
    ["nothing of another function of that name", 'function fail(a: string, b: string) {} fail("FULL", "x");', []],
  ])("reads %s", (_what, code, expected) => {
    expect(texts(code)).toEqual(expected);
  });
});

describe("textProblem", () => {
  test.each([
    ["The disk is full. Delete something.", undefined],
    ["timeoutMs is 0; give a number from 1.", undefined],
    ["`a` is missing. Add it.", undefined],
    ["\u{FFFC} is full. Delete something.", undefined],
    ["The disk failed: \u{FFFC}", undefined],
    ["the disk is full. Delete something.", "begins with a small letter"],
    ["The disk is full. Delete something", "does not end with a full stop"],
    ["The disk is full.", "does not say what to do"],
  ])("%s", (text, problem) => {
    expect(textProblem(text)).toBe(problem);
  });
});
