import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

// DESIGN.md says which test holds which invariant. It is worth something only as long as it is complete and true.

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
        tests: [...String(match[2]).matchAll(/`([^`]+)` _([^_]+)_/g)].map((each) => ({
          file: String(each[1]),
          words: String(each[2]),
        })),
      }));
      return [file, rows];
    }),
  );
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
});
