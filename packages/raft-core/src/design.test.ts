import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

// DESIGN.md says which test holds which invariant. This test checks that the list is complete and true.

const source = import.meta.dirname;
const document = await readFile(join(source, "..", "DESIGN.md"), "utf8");

/** File (below src) to the ids of the invariants that its opening comment numbers. */
async function declared(): Promise<Map<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const file of await readdir(source, { recursive: true })) {
    if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
    const text = await readFile(join(source, file), "utf8");
    const ids = [...text.matchAll(/^ \* ([A-Z]{1,2}[0-9]+)\. /gm)].map((match) => String(match[1]));
    if (ids.length > 0) found.set(file.replaceAll("\\", "/"), ids);
  }
  return found;
}

interface Row {
  readonly id: string;
  readonly tests: readonly { readonly file: string; readonly words: string }[];
}

/** The tables of DESIGN.md, by the file of their heading. */
function listed(): Map<string, readonly Row[]> {
  const sections = document.split(/^### /m).slice(1);
  return new Map(
    sections.map((section) => {
      const file = section.split("\n", 1)[0]?.trim() ?? "";
      const rows = [...section.matchAll(/^\| ([A-Z]{1,2}[0-9]+) \|.*\| ([^|]*) \|$/gm)].map((match) => ({
        id: String(match[1]),
        tests: testsIn(String(match[2])),
      }));
      return [file, rows];
    }),
  );
}

/** For each row of the table "What leaves a node": its first cell, and the tests it names. */
function claims(): readonly { readonly what: string; readonly tests: Row["tests"] }[] {
  const section = document.split(/^## /m).find((each) => each.startsWith("What leaves a node")) ?? "";
  const rows = [...section.matchAll(/^\| ([^|]+) \|.*\| ([^|]*) \|$/gm)].slice(1);
  return rows.map((match) => ({ what: String(match[1]), tests: testsIn(String(match[2])) }));
}

function testsIn(cell: string): Row["tests"] {
  return [...cell.matchAll(/`([^`]+)` _([^_]+)_/g)].map((each) => ({ file: String(each[1]), words: String(each[2]) }));
}

describe("DESIGN.md", async () => {
  const invariants = await declared();
  const tables = listed();

  test("lists exactly the files that number invariants", () => {
    expect([...tables.keys()].sort()).toEqual([...invariants.keys()].sort());
  });

  test.each([...invariants])("lists exactly the invariants of %s, each with a test that exists", async (file, ids) => {
    const rows = tables.get(file) ?? [];
    expect(rows.map(({ id }) => id)).toEqual(ids);
    for (const { id, tests } of rows) {
      expect(tests.length, id).toBeGreaterThan(0);
      for (const { file: held, words } of tests) {
        expect(await readFile(join(source, held), "utf8"), `${id}: ${held}`).toContain(words);
      }
    }
  });

  test("says of each kind of message what it claims, with a test that exists", async () => {
    const rows = claims();
    const source = await readFile(join(import.meta.dirname, "message.ts"), "utf8");
    const peerTypes = source.slice(0, source.indexOf("LocalMessageType")).match(/"Msg[A-Za-z]+"/g) ?? [];
    for (const type of peerTypes) {
      const name = type.slice(1, -1);
      expect(
        rows.some(({ what }) => what.split(/[^A-Za-z]+/).includes(name)),
        name,
      ).toBe(true);
    }
    for (const { what, tests } of rows) {
      expect(tests.length, what).toBeGreaterThan(0);
      for (const { file, words } of tests) {
        expect(await readFile(join(import.meta.dirname, file), "utf8"), `${what}: ${file}`).toContain(words);
      }
    }
  });
});
