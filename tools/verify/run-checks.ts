// Runs the checks one after another and prints a line for each.

import { type Counts, NO_TESTS } from "../task/counts.ts";
import { CHECKS } from "./checks.ts";

/** Runs every check; what is wrong is printed below the line of the check that found it. */
export async function runChecks(): Promise<Counts> {
  let counts = NO_TESTS;
  for (const check of CHECKS) {
    const started = performance.now();
    const problem = await check.problem();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${problem === undefined ? "ok    " : "FAILED"} ${check.name} (${seconds} s)`);
    if (problem !== undefined) console.log(problem.trimEnd().replaceAll(/^/gm, "  "));
    counts =
      problem === undefined ? { ...counts, passed: counts.passed + 1 } : { ...counts, failed: counts.failed + 1 };
  }
  return counts;
}
