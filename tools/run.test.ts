// @module-tag slow

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { root } from "./process.ts";

test.skipIf(process.platform === "win32")(
  "a program that npm ran ends in order when npm is told to end",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "raftoral-run-"));
    const [program, report] = [join(folder, "program.ts"), join(folder, "report")];
    await writeFile(
      program,
      `import { writeFileSync } from "node:fs";
     process.once("SIGTERM", () => { writeFileSync(${JSON.stringify(report)}, "ended in order"); process.exit(); });
     setInterval(() => {}, 1_000);
     console.log("up");`,
    );
    // As npm does: a shell between, which is all that gets the signal.
    const command = `node ${join(root, "tools", "run.mjs")} ${relative(root, program)}; true`;
    const env = { ...process.env, npm_lifecycle_event: "test" };
    const shell = spawn("sh", ["-c", command], { stdio: ["ignore", "pipe", "inherit"], env });
    try {
      await once(shell.stdout, "data");
      shell.kill("SIGTERM");
      // The program holds the other end of the pipe.
      await once(shell.stdout.resume(), "end");
      expect(await readFile(report, "utf8")).toBe("ended in order");
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  20_000,
);
