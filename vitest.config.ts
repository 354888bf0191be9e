import { defineConfig } from "vitest/config";

// One configuration for every package: `vitest run --root .` in a package folder, or the whole tree from here.
// The sources are tested unless RAFTORAL_TEST_DIST=1, which resolves packages to their built `dist`, as a user's install does.
const conditions = process.env.RAFTORAL_TEST_DIST === "1" ? ["node"] : ["@raftoral/source", "node"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["{,packages/*/,benchmarks/}src/**/*.test.ts", "tools/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Two cores: one file per core, and real processes inside some of them.
    maxWorkers: 2,
    reporters: ["default"],
  },
});
