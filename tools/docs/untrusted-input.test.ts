import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../process.ts";
import { filesIn, workspacePackages } from "../workspace.ts";

// docs/untrusted-input.md says what throws anything at each parser. It is worth something only as long as it is complete and true.

const document = await readFile(join(root, "docs/untrusted-input.md"), "utf8");
const rows = document
  .split("\n")
  .filter((line) => line.startsWith("| ") && line.includes(".test.ts`"))
  .map((line) => {
    const files = [...line.matchAll(/`(packages\/[^`]+\.ts)`/g)].map((match) => String(match[1]));
    return {
      name: String(line.split("|")[1]).trim(),
      sources: files.filter((file) => !file.endsWith(".test.ts")),
      tests: files.filter((file) => file.endsWith(".test.ts")),
    };
  });

describe("docs/untrusted-input.md", () => {
  test.each(rows)("names files that are there: $name", async ({ sources, tests }) => {
    for (const file of [...sources, ...tests]) expect(existsSync(join(root, file)), file).toBe(true);
    expect(tests.length).toBeGreaterThan(0);
    for (const file of tests) {
      // Random input, from a library or from a seed.
      expect(await readFile(join(root, file), "utf8"), file).toMatch(/fast-check|seededRng|for \(let/);
    }
  });

  test("lists every file that decodes", async () => {
    const listed = new Set(rows.flatMap(({ sources }) => sources));
    const missing: string[] = [];
    for (const { folder } of await workspacePackages()) {
      for (const file of await filesIn(folder, ["src/**/*-codec.ts", "src/**/decode-*.ts"])) {
        const path = join(folder, file).slice(root.length + 1);
        if (!listed.has(path)) missing.push(path);
      }
    }
    expect(missing).toEqual([]);
  });
});
