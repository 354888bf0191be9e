import { expect, test } from "vitest";
import { exportedOf } from "./docstrings.ts";
import { readSource } from "./source.ts";

function undocumented(text: string): readonly string[] {
  return exportedOf(readSource("a.ts", text)).flatMap(({ name, isDocumented }) => (isDocumented ? [] : [name]));
}

test.each([
  ["a class", "export class A {}", "/** A. */ export class A {}"],
  ["an abstract class", "export abstract class A {}", "/** A. */\nexport abstract class A {}"],
  ["a function", "export function A() {}", "/** A. */\nexport function A() {}"],
  ["an arrow function", "export const A = () => 1;", "/** A. */\nexport const A = () => 1;"],
  ["an interface", "export interface A {}", "/** A. */\nexport interface A {}"],
  ["a type", "export type A = 1;", "/** A. */\nexport type A = 1;"],
  [
    "what a rule of the linter is turned off for",
    "// biome-ignore lint: why\nexport class A {}",
    "/** A. */\n// biome-ignore lint: why\nexport class A {}",
  ],
  ["an exported name", "class A {}\nexport { A };", "/** A. */\nclass A {}\nexport { A };"],
  ["a comment of another kind", "// A.\nexport class A {}", "/** A. */\nexport class A {}"],
  [
    "a docstring that is not the last comment",
    "/** A. */\n// B.\nexport class A {}",
    "// B.\n/** A. */\nexport class A {}",
  ],
  [
    "a docstring that points elsewhere",
    "/** See the file's head. */\nexport class A {}",
    "/** A. See the file's head. */\nexport class A {}",
  ],
  ["an empty docstring", "/** */\nexport class A {}", "/** A. */\nexport class A {}"],
])("%s needs one", (_what, without, documented) => {
  expect(undocumented(without)).toEqual(["A"]);
  expect(undocumented(documented)).toEqual([]);
});

test("each overload needs one, and the implementation none", () => {
  const text =
    "/** A. */\nexport function A(x: 1): 1;\nexport function A(x: 2): 2;\nexport function A(x: unknown) { return x; }";
  expect(exportedOf(readSource("a.ts", text))).toEqual([
    { name: "A", line: 2, isDocumented: true, isType: false },
    { name: "A", line: 3, isDocumented: false, isType: false },
  ]);
});

test("values and what is not exported need none", () => {
  expect(undocumented("type A = 1; interface B {}; export const c = 1; class D {} function e() {}")).toEqual([]);
});
