import { expect, test } from "vitest";
import { styleProblems } from "./code-style.ts";
import { readSource } from "./source.ts";

test.each([
  ["`it`", "a.test.ts", 'import { expect, it } from "vitest";', "imports `it`"],
  ["private members", "a.ts", "class A { private readonly b = 1; }", "has a private member"],
  ["more than 400 lines", "a.ts", "\n".repeat(401), "has 401 lines"],
  ["names that say nothing", "src/utils/a.ts", "", "has a name that says nothing"],
  ["names that say nothing, as a part", "src/string-helpers.ts", "", "has a name that says nothing"],
])("%s: a problem", (_what, path, text, problem) => {
  expect(styleProblems(readSource(path, text))).toEqual([expect.stringContaining(problem)]);
});

test.each([
  ["`test`", "a.test.ts", 'import { expect, test } from "vitest";'],
  ["# fields and private constructors", "a.ts", "class A { readonly #b = 1; private constructor() {} }"],
  ["400 lines", "a.ts", "\n".repeat(400)],
  ["names that contain such a word", "src/implementation.ts", ""],
])("%s: none", (_what, path, text) => {
  expect(styleProblems(readSource(path, text))).toEqual([]);
});
