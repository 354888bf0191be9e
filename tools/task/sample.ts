// The simulator's fixed set of seeds as a task of nx (packages/simulation/package.json). It prints seeds, events, faults by kind and checks.

import { run } from "../process.ts";
import { add, NO_TESTS } from "./counts.ts";
import { endTask } from "./record.ts";

/** Twice what the set may take on two cores; a run that is not over by then hangs. */
const TIMEOUT_MS = 10 * 60_000;

// Whole clusters, bare cores, forged messages, and workflow programs. Each set counts as one: a finding ends in a message that says how to repeat it.
let counts = NO_TESTS;
for (const flags of [[], ["--core"], ["--forged"], ["--workflows"]]) {
  const { ok } = await run(
    process.execPath,
    ["--conditions=@raftoral/source", "packages/simulation/src/command/main.ts", "--profile", "ci", ...flags],
    { live: true, timeoutMs: TIMEOUT_MS },
  );
  counts = add(counts, { ...NO_TESTS, [ok ? "passed" : "failed"]: 1 });
}
await endTask({ folder: "packages/simulation", target: "sample" }, counts);
