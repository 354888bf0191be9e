import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { testBuiltPackages } from "./tools/task/built-packages.ts";

// One configuration for every package: `vitest run --root .` in a package folder, or the whole tree from here.
// The sources are tested unless RAFTORAL_TEST_DIST=1, which puts the built `dist` in their place, as a user's install does.
const built = process.env.RAFTORAL_TEST_DIST === "1";
const conditions = built ? ["node"] : ["@raftoral/source", "node"];
// The same for the processes that tests start: they inherit it, so no test passes the condition itself.
const nodeOptions = `${process.env.NODE_OPTIONS ?? ""} ${built ? "" : "--conditions=@raftoral/source"}`.trim();
// Node keeps what it compiled of each module there, types stripped: a process that a test starts is up in half the time.
const compileCache = process.env.NODE_COMPILE_CACHE ?? join(import.meta.dirname, "tmp", "compile-cache");

export default defineConfig({
  plugins: built ? [testBuiltPackages(import.meta.dirname)] : [],
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    env: { NODE_OPTIONS: nodeOptions, NODE_COMPILE_CACHE: compileCache },
    include: ["{,packages/*/,benchmarks/}src/**/*.test.ts", "tools/**/*.test.ts"],
    // Left out by `npm run test:quick`: what starts processes, builds, simulates whole clusters, or takes more than about two seconds.
    tags: [{ name: "slow", description: "Not in npm run test:quick." }],
    // Bounds for what hangs, with room for a busy machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A worker for many files: starting one, and loading the modules, takes as long as most files' tests. So modules are shared between files; a test that
    // changes what is in one puts it back, and a file that needs its own calls vi.resetModules (workflow's message-channel.test.ts).
    isolate: false,
    // One more than the cores that CI has: many tests wait for processes, disks and timeouts.
    maxWorkers: 3,
    // Tests that say they may run beside others of their file.
    maxConcurrency: 2,
    reporters: ["default"],
  },
});
