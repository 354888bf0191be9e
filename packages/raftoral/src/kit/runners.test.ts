// @module-tag slow

/** The kit in another runner than vitest, with no right to open ports or to write files. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SUITE = fileURLToPath(new URL("../testing/runners/node-test-suite.ts", import.meta.url));

test("the kit works in node:test, needs no ports and no disk", async () => {
  // Without --allow-net and --allow-fs-write. The native storage is loaded with the package, and not used.
  const rights = ["--permission", "--allow-fs-read=*", "--allow-addons"];
  const child = spawn(process.execPath, [...rights, SUITE], {
    env: { ...process.env, VITEST: undefined, NODE_TEST_CONTEXT: undefined },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  expect(out, err).toMatch(/pass 3\b/);
  expect(out).toMatch(/fail 0\b/);
  expect(code).toBe(0);
});
