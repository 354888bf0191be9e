import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { documents, INDEX, linksOf, withDecisions } from "./doc-index.ts";

const index = await readFile(INDEX, "utf8");
const { pages, decisions } = await documents();
const links = linksOf(index);

describe("docs/README.md", () => {
  test.each(pages)("lists $path under its title", ({ path, title }) => {
    expect(links.filter((link) => link.path === path)).toEqual([{ path, title }]);
  });

  test("lists every decision under its title; npm run fix writes the list", () => {
    expect(index).toBe(withDecisions(index, decisions));
  });

  test.each(links)("leads to a file that is there: $path", ({ path }) => {
    expect(existsSync(join(dirname(INDEX), path))).toBe(true);
  });
});

describe("decisions", () => {
  test.each(decisions)("$path has the number of its name in its title", ({ path, title }) => {
    const number = Number(/^adr\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1]);
    expect(title).toMatch(new RegExp(`^${number}\\. \\S`));
  });

  test("have each a number of their own, in order", () => {
    const numbers = decisions.map(({ path }) => Number(path.slice("adr/".length, "adr/0000".length)));
    // Decisions that are made at the same time have their numbers beforehand, so one may come before those below it.
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });
});

describe("withDecisions", () => {
  const place = "<!-- decisions: npm run fix writes this list -->\nold\n<!-- end of the list -->\nrest";

  test("replaces the list and nothing else", () => {
    const written = withDecisions(`top\n${place}`, [{ path: "adr/0001-a.md", title: "1. A" }]);
    expect(written).toBe(
      "top\n<!-- decisions: npm run fix writes this list -->\n- [1. A](adr/0001-a.md)\n<!-- end of the list -->\nrest",
    );
  });

  test("refuses an index without a place for it", () => {
    expect(() => withDecisions("top", [])).toThrow(/no place/);
  });
});
