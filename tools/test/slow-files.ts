// The test files that are slow as a whole, by the tag in their first line. vitest knows the tag, too, but starts a worker for each file to leave it out.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../process.ts";
import { filesIn } from "../workspace.ts";

const SLOW = "// @module-tag slow";

/** Paths from the repository's root. */
export async function slowFiles(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of await filesIn(root, [
    "packages/*/src/**/*.test.ts",
    "benchmarks/src/**/*.test.ts",
    "tools/**/*.test.ts",
  ])) {
    if ((await readFile(join(root, file), "utf8")).startsWith(`${SLOW}\n`)) found.push(file);
  }
  return found;
}
