/** Runs many seeds and tells what they found. */
import type { RunResult } from "../run-seed.ts";
import type { SimulateOptions } from "./options.ts";
import { reportFinding } from "./report.ts";
import { seedPool } from "./seed-pool.ts";
import { shrink } from "./shrinker.ts";
import { Totals } from "./totals.ts";

/** Findings that are shrunk and reported; the rest is only counted. */
const MAX_REPORTED = 5;
const MAX_SHRINK_RUNS = 400;
const PROGRESS_EVERY_MS = 10_000;
/** Characters of a finding that is told in a line. */
const MAX_LINE = 120;

/** Prints as it goes. Resolves to whether nothing was found. */
export async function simulate(options: SimulateOptions, print: (line: string) => void): Promise<boolean> {
  const { start, seeds, steps, only, mutant, ignore, threads } = options;
  const pool = seedPool(threads, mutant);
  const totals = new Totals();
  const failed: RunResult[] = [];
  const began = performance.now();
  let told = began;
  let next = start;
  // Told at once, in a line: what leads to it is worked out when all seeds have run, which may take a while.
  const found = (result: RunResult): void => {
    failed.push(result);
    print(`found       seed ${result.seed}: ${result.finding?.message.slice(0, MAX_LINE) ?? ""}`);
  };
  const work = async (): Promise<void> => {
    while (next < start + seeds && performance.now() - began < options.budgetMs) {
      const seed = next++;
      const run = { seed, steps, ignore, ...(only === undefined ? {} : { only }) };
      const result = await pool.run(run);
      totals.add(result);
      if (result.finding !== undefined) found(result);
      else if (seed % options.repeatEvery === 0) {
        const again = await pool.run(run);
        totals.repeated++;
        if (again.hash !== result.hash) found(differing(result, again));
      }
      if (performance.now() - told < PROGRESS_EVERY_MS) continue;
      told = performance.now();
      print(`            ${totals.seeds} of ${seeds} seeds, ${failed.length} findings`);
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, work));
    const realMs = performance.now() - began;
    failed.sort((a, b) => a.seed - b.seed);
    for (const result of failed.slice(0, MAX_REPORTED)) {
      const mayShrink = only === undefined && result.finding?.invariant !== "same-trace" && result.injected.length > 0;
      const shrunk = mayShrink
        ? await shrink(result, steps, (run) => pool.run({ ...run, ignore }), MAX_SHRINK_RUNS)
        : undefined;
      for (const line of reportFinding(result, shrunk, { steps, mutant, ignore })) print(line);
    }
    if (failed.length > MAX_REPORTED) print(`findings    ${failed.length}, of seeds ${failed.map(({ seed }) => seed)}`);
    for (const line of totals.lines(realMs, threads)) print(line);
    if (totals.seeds < seeds) print(`stopped     after ${totals.seeds} of ${seeds} seeds: the time was up`);
    print(failed.length === 0 ? "nothing was found" : `${failed.length} findings`);
    return failed.length === 0;
  } finally {
    await pool.close();
  }
}

function differing(result: RunResult, again: RunResult): RunResult {
  const message = `same-trace: run twice, the trace hashes are ${result.hash} and ${again.hash}`;
  return { ...result, finding: { invariant: "same-trace", message, stack: "" } };
}
