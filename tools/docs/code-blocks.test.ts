import { describe, expect, test } from "vitest";
import { codeBlocks } from "./code-blocks.ts";

describe("codeBlocks", () => {
  test("finds programs, modules and fragments, with their lines and the output they must have", () => {
    const markdown = [
      "# Title",
      "<!-- types: orders.ts -->",
      "```ts",
      "export const a = 1;",
      "```",
      "```sh",
      "npm test",
      "```",
      "<!-- test -->",
      "```ts",
      'import { a } from "./orders.ts";',
      "console.log(a);",
      "```",
      "prints",
      "<!-- output -->",
      "```text",
      "1",
      "```",
      "<!-- fragment: the rest is above -->",
      "```ts",
      "...",
      "```",
    ].join("\n");
    expect(codeBlocks(markdown)).toEqual([
      { kind: "types", file: "orders.ts", line: 4, code: "export const a = 1;" },
      {
        kind: "test",
        file: "block-2.ts",
        line: 11,
        code: 'import { a } from "./orders.ts";\nconsole.log(a);',
        output: "1",
      },
      { kind: "fragment", file: "block-3.ts", line: 20 + 1, code: "..." },
    ]);
  });

  test.each([
    ["is not marked", "```ts\n```", /line 1: mark the block/],
    ["is a fragment without a reason", "<!-- fragment -->\n```ts\n```", /line 1: say why/],
    ["has no end", "<!-- test -->\n```ts\n", /line 2: .* no end/],
    ["has a name outside of its folder", "<!-- test: ../a.ts -->\n```ts\n```", /not a .ts file name/],
    ["is not TypeScript", "<!-- test -->\n```sh\n```", /line 1: only/],
    ["is the output of nothing", "<!-- output -->\n```text\n```", /line 1: there is no program/],
  ])("refuses a block that %s", (_, markdown, message) => {
    expect(() => codeBlocks(markdown)).toThrow(message);
  });
});
