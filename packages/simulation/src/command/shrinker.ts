/**
 * Finds a small set of faults that still lead to the same finding: halves are left out, then quarters, and so on down to
 * single faults (Zeller's delta debugging, made simple), for as long as the runs that this costs are worth it.
 */
import type { RunOptions, RunResult } from "../run-seed.ts";

export interface Shrunk {
  readonly result: RunResult;
  /** The faults that were left. */
  readonly only: readonly number[];
  readonly runs: number;
}

export async function shrink(
  failed: RunResult,
  steps: number,
  run: (options: RunOptions) => Promise<RunResult>,
  maxRuns: number,
): Promise<Shrunk> {
  const invariant = failed.finding?.invariant;
  let best = failed;
  let only = failed.injected.map(({ number }) => number);
  let runs = 0;
  /** The run with just these faults, if it comes to the same finding. */
  const attempt = async (candidate: readonly number[]): Promise<RunResult | undefined> => {
    runs++;
    const result = await run({ seed: failed.seed, steps, only: candidate });
    return result.finding?.invariant === invariant ? result : undefined;
  };
  for (let size = Math.ceil(only.length / 2); size >= 1 && runs < maxRuns; ) {
    let removed = false;
    for (let at = 0; at < only.length && runs < maxRuns; ) {
      const candidate = only.toSpliced(at, size);
      const result = await attempt(candidate);
      if (result === undefined) {
        at += size;
        continue;
      }
      best = result;
      // What the run did not come to is left out for good.
      const injected = new Set(result.injected.map(({ number }) => number));
      only = candidate.filter((number) => injected.has(number));
      removed = true;
    }
    if (size === 1 && !removed) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return { result: best, only, runs };
}
