// Runs the simulator's fixed set of seeds, which prints seeds, events, faults by kind and checks.

import { run } from "../process.ts";
import { type Counts, NO_TESTS } from "./counts.ts";

/** Twice what the set may take on two cores; a run that is not over by then hangs. */
const TIMEOUT_MS = 10 * 60_000;

/** The whole set counts as one: a finding ends in a message that says how to repeat it. */
export async function runSimulation(): Promise<Counts> {
  const { ok } = await run(
    process.execPath,
    ["--conditions=@raftoral/source", "packages/simulation/src/command/main.ts", "--profile", "ci"],
    { live: true, timeoutMs: TIMEOUT_MS },
  );
  return { ...NO_TESTS, [ok ? "passed" : "failed"]: 1 };
}
