/** docs/operations.md tells operators of every behaviour of the engine. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BEHAVIOURS } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { root } from "../process.ts";

test("docs/operations.md lists every behaviour of the engine, with the release that brought it", async () => {
  const page = await readFile(join(root, "docs/operations.md"), "utf8");
  const rows = [...page.matchAll(/^\| (\d+) \| (\d+\.\d+\.\d+) \|/gm)].map(([, number, since]) => [
    Number(number),
    since,
  ]);
  expect(rows).toEqual(Object.values(BEHAVIOURS).map(({ number, since }) => [number, since]));
});
