// What each test of the packed packages came to, printed as it comes.

import type { Outcome } from "../process.ts";
import { type Counts, NO_TESTS } from "../task/counts.ts";

/** Collects outcomes and counts them. */
export class Results {
  counts: Counts = NO_TESTS;

  /** Prints a line, with the output below it if the test failed. Returns whether it passed. */
  add(name: string, outcome: Outcome): boolean {
    console.log(`${outcome.ok ? "ok    " : "FAILED"} ${name}`);
    if (!outcome.ok) console.log(outcome.output.trimEnd().replaceAll(/^/gm, "  "));
    const kind = outcome.ok ? "passed" : "failed";
    this.counts = { ...this.counts, [kind]: this.counts[kind] + 1 };
    return outcome.ok;
  }
}
