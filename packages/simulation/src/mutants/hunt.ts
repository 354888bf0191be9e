/** Looks for every known bug with the same seeds, in order, and tells how many it took: the table of the README. */
import type { SimulateOptions } from "../command/options.ts";
import { SeedPool } from "../command/seed-pool.ts";
import type { RunResult } from "../run-seed.ts";
import { MUTANTS, type Mutant, mutantNamed } from "./mutants.ts";

/** Prints a row for each. Resolves to whether all were found. */
export async function hunt(options: SimulateOptions, print: (line: string) => void): Promise<boolean> {
  const mutants = options.mutant === undefined ? MUTANTS : [mutantNamed(options.mutant)];
  let isComplete = true;
  print("| bug | switch | found by | at seed |");
  print("|---|---|---|---|");
  for (const mutant of mutants) {
    const ignored = [options.ignore];
    if (mutant.seenDirectlyBy !== undefined) ignored.push([...options.ignore, ...mutant.seenDirectlyBy]);
    for (const ignore of ignored) {
      const found = await findFirst(mutant, { ...options, ignore });
      isComplete &&= found !== undefined;
      const where = found === undefined ? `not within ${options.seeds}` : String(found.seed - options.start + 1);
      const without = ignore.length === 0 ? "" : ` --ignore ${ignore}`;
      print(`| ${mutant.bug} | \`${mutant.name}${without}\` | ${found?.finding?.invariant ?? ""} | ${where} |`);
    }
  }
  return isComplete;
}

/** The first seed, in order, that finds the bug. */
export async function findFirst(
  mutant: Mutant,
  { start, seeds, steps, threads, ignore }: Pick<SimulateOptions, "start" | "seeds" | "steps" | "threads" | "ignore">,
): Promise<RunResult | undefined> {
  const pool = new SeedPool(threads, mutant.name);
  let next = start;
  let first: RunResult | undefined;
  const work = async (): Promise<void> => {
    while (next < start + seeds && (first === undefined || next < first.seed)) {
      const result = await pool.run({ seed: next++, steps, ignore });
      if (result.finding !== undefined && (first === undefined || result.seed < first.seed)) first = result;
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, work));
    return first;
  } finally {
    await pool.close();
  }
}
