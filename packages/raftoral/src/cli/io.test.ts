// @module-tag slow

import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

const PROGRAM = `
  import { processIo } from ${JSON.stringify(new URL("./io.ts", import.meta.url).href)};
  const io = processIo();
  io.out("first\\n");
  io.err("first\\n");
  process.stdin.on("data", () => {
    io.out("a line without a reader\\n");
    io.err("a line without a reader\\n");
    // The failure of a write is told in a later turn.
    setTimeout(() => process.exit(7), 50);
  });
`;

test("the reader of the output may go, as head does: what runs goes on", async () => {
  const args = ["--conditions=@raftoral/source", "--input-type=module-typescript", "--eval", PROGRAM];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"] });
  const ended = once(child, "exit");
  await Promise.all([once(child.stdout, "data"), once(child.stderr, "data")]);
  child.stdout.destroy();
  child.stderr.destroy();
  child.stdin.write("go");
  expect(await ended).toEqual([7, null]);
});
