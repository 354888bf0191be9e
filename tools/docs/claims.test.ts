// docs/architecture.md says what leaves the workflow layer, what it claims, and which tests hold it. This test checks that the tests named there exist.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../process.ts";

const document = await readFile(join(root, "docs/architecture.md"), "utf8");
const section = document.split(/^## /m).find((each) => each.startsWith("What leaves the workflow layer")) ?? "";
const rows = [...section.matchAll(/^\| ([^|]+) \|.*\| ([^|]*) \|$/gm)].slice(1);

test("the table has rows", () => {
  expect(rows.length).toBeGreaterThan(5);
});

test.each(rows.map(([, what = "", held = ""]) => [what.trim(), held] as const))(
  "%s: its tests exist",
  async (_, held) => {
    const named = [...held.matchAll(/`([^`]+)` _([^_]+)_/g)];
    expect(named.length).toBeGreaterThan(0);
    for (const [, file = "", words = ""] of named) {
      expect(await readFile(join(root, "packages", file), "utf8"), file).toContain(words);
    }
  },
);
