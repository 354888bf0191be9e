// `node tools/run.mjs PROGRAM [ARGUMENT...]`: sets up, then runs a TypeScript program of this repository with the pinned Node.
//
// Every root script that a clean clone may start with goes through here, so each does its own set-up. PROGRAM is relative to
// the repository; imports of workspace packages lead to their sources. The working folder stays the caller's.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { pinnedNode, root, setUpOrExit } from "./setup.mjs";

const PARENT_CHECK_MS = 250;

const [program, ...args] = process.argv.slice(2);
if (program === undefined) {
  process.stderr.write("usage: node tools/run.mjs PROGRAM [ARGUMENT...]\n");
  process.exit(2);
}
setUpOrExit();

// Programs that this one starts, and scripts of packages, find the pinned Node first.
const path = [dirname(pinnedNode), join(root, "node_modules", ".bin"), process.env.PATH ?? ""].join(delimiter);
const child = spawn(pinnedNode, ["--conditions=@raftoral/source", join(root, program), ...args], {
  stdio: "inherit",
  env: { ...process.env, PATH: path },
});
// A terminal sends Ctrl-C to both: the program cleans up and this one waits for it. Others signal only this one.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
// npm passes a signal on to the shell between it and this process, which dies and passes nothing on: its absence is the signal.
const parent = process.ppid;
if (process.env.npm_lifecycle_event !== undefined) {
  setInterval(() => process.ppid !== parent && child.kill("SIGTERM"), PARENT_CHECK_MS).unref();
}
child.on("exit", (code, signal) => {
  process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
});
