// Tests the package of the working folder: its sources, or with `--dist` its build by a sample of its tests (dist-sample.ts). nx runs it once for each
// package (`npm run test`, `npm run test-dist`).

import { join, relative, sep } from "node:path";
import { root, run } from "../process.ts";
import { add, type Counts } from "./counts.ts";
import { distSample } from "./dist-sample.ts";
import { endTask } from "./record.ts";
import { runVitest } from "./vitest.ts";

/** Longest that loading all modules of a build may take. */
const LOAD_MS = 60_000;

const folder = process.cwd();
const dist = process.argv.includes("--dist");
const counts = dist ? await testBuild() : await runVitest({ folder });
await endTask({ folder: relative(root, folder).split(sep).join("/"), target: dist ? "test-dist" : "test" }, counts);

async function testBuild(): Promise<Counts> {
  const loaded = await run(process.execPath, [join(root, "tools", "task", "load-built.ts")], {
    cwd: folder,
    live: true,
    timeoutMs: LOAD_MS,
    env: { NODE_OPTIONS: "" },
  });
  const sampled = await runVitest({ folder, dist: true, args: await distSample(folder) });
  return add({ passed: loaded.ok ? 1 : 0, failed: loaded.ok ? 0 : 1, skipped: 0 }, sampled);
}
