import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TermRuns } from "./term-runs.ts";

type Step = { kind: "append"; terms: number } | { kind: "truncate" | "drop"; at: number };

describe("TermRuns", () => {
  test("answers as a plain list of terms does", () => {
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({ kind: fc.constant("append" as const), terms: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ kind: fc.constantFrom("truncate" as const, "drop" as const), at: fc.nat(30) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const runs = new TermRuns();
        runs.reset(0, 0);
        const terms = [0];
        let first = 0;
        for (const current of steps) {
          if (current.kind === "append") {
            const term = (terms.at(-1) as number) + current.terms;
            runs.append(terms.length, term);
            terms.push(term);
          } else if (current.kind === "truncate") {
            // Never at or before what was compacted.
            const at = Math.max(first + 1, current.at);
            runs.truncateFrom(at);
            terms.length = Math.min(terms.length, at);
          } else {
            first = Math.max(first, Math.min(current.at, terms.length - 1));
            runs.dropBefore(first);
          }
          for (let index = first; index < terms.length; index++) expect(runs.at(index)).toBe(terms[index]);
        }
      }),
    );
  });
});
