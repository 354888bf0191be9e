import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../process.ts";
import { filesIn } from "../workspace.ts";
import { slowFiles } from "./slow-files.ts";

/** How a test starts a cluster of processes. */
const PROCESSES = /\b(?:useCluster|TestCluster\.start|NodeProcess\.start|CliProcess)\b/;

test("every test file that starts a cluster of processes is left out by test:quick", async () => {
  const starting: string[] = [];
  for (const file of await filesIn(root, ["packages/e2e/src/**/*.test.ts"])) {
    if (PROCESSES.test(await readFile(join(root, file), "utf8"))) starting.push(file);
  }
  expect(starting.length).toBeGreaterThan(10);
  const slow = new Set(await slowFiles());
  expect(starting.filter((file) => !slow.has(file))).toEqual([]);
});
