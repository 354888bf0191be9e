/** Finds a small set of faults that still lead to the same finding. */
import type { RunOptions, RunResult } from "../run-seed.ts";
import { smallest } from "./smallest.ts";

export interface Shrunk {
  readonly result: RunResult;
  /** The faults that were left. */
  readonly only: readonly number[];
  readonly runs: number;
}

/** Leaves out faults of `failed` as long as the same finding comes up. Resolves with the smallest run that was found. */
export async function shrink(
  failed: RunResult,
  steps: number,
  run: (options: RunOptions) => Promise<RunResult>,
  maxRuns: number,
): Promise<Shrunk> {
  const invariant = failed.finding?.invariant;
  let best = failed;
  const attempt = async (only: readonly number[]): Promise<readonly number[] | undefined> => {
    const result = await run({ seed: failed.seed, steps, only });
    if (result.finding?.invariant !== invariant) return undefined;
    best = result;
    // What the run did not come to is left out for good.
    const injected = new Set(result.injected.map(({ number }) => number));
    return only.filter((number) => injected.has(number));
  };
  const all = failed.injected.map(({ number }) => number);
  const { items: only, runs } = await smallest(all, attempt, maxRuns);
  return { result: best, only, runs };
}
