// The tests in tools/ as two tasks of nx (tools/project.json): `test`, and `test-cache` for the tests of the cache, which take long and depend on little.

import { endTask } from "./record.ts";
import { runVitest } from "./vitest.ts";

const ARGS: Readonly<Record<string, readonly string[]>> = {
  test: ["tools/", "--exclude=tools/cache/**"],
  "test-cache": ["tools/cache/"],
};

const target = process.argv[2] ?? "test";
await endTask({ folder: "tools", target }, await runVitest({ args: ARGS[target] ?? [] }));
