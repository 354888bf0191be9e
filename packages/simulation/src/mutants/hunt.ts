/** Looks for every known bug with the same seeds, in order, and tells how many it took: the tables of the README. */
import { type ManySums, seedsPerTask } from "../command/many.ts";
import { corePool, forgedPool, type ManyPool, programPool } from "../command/many-pool.ts";
import type { SimulateOptions } from "../command/options.ts";
import { seedPool } from "../command/seed-pool.ts";
import type { SeedKind } from "../command/worker-pool.ts";
import type { Mutant } from "./mutant.ts";
import { isSoughtBy, MUTANTS, mutantNamed } from "./mutants.ts";

/** Prints a row for each. Resolves to whether all were found. */
export async function hunt(options: SimulateOptions, print: (line: string) => void): Promise<boolean> {
  const all = MUTANTS.filter((mutant) => isSoughtBy(options.kind, mutant));
  const mutants = options.mutant === undefined ? all : [mutantNamed(options.mutant)];
  let isComplete = true;
  print("| bug | switch | found by | at seed |");
  print("|---|---|---|---|");
  for (const mutant of mutants) {
    const ignored = [options.ignore];
    if (mutant.seenDirectlyBy !== undefined) ignored.push([...options.ignore, ...mutant.seenDirectlyBy]);
    for (const ignore of ignored) {
      const found = await findFirst(mutant, { ...options, ignore });
      isComplete &&= found !== undefined;
      const where = found === undefined ? `not within ${options.seeds}` : String(found.seed);
      const without = ignore.length === 0 ? "" : ` --ignore ${ignore}`;
      print(`| ${mutant.bug} | \`${mutant.name}${without}\` | ${found?.invariant ?? ""} | ${where} |`);
    }
  }
  return isComplete;
}

/** What is looked through for a bug. */
type Search = Pick<SimulateOptions, "kind" | "start" | "seeds" | "steps" | "threads" | "ignore">;

interface Found {
  readonly seed: number;
  readonly invariant: string;
}

/** Looks through `count` seeds from `start` on; the first finding. */
type Look = (start: number, count: number) => Promise<Found | undefined>;

/** The first seed, in order, that finds the bug. */
export async function findFirst({ name }: Mutant, search: Search): Promise<Found | undefined> {
  const { kind, steps, threads, ignore } = search;
  if (kind !== "clusters") {
    const pool = poolOf(kind, threads, name);
    const look: Look = async (start, count) => (await pool.run({ start, count, ignore, isToTell: false })).findings[0];
    return await firstOf(look, seedsPerTask(kind), search).finally(() => pool.close());
  }
  const pool = seedPool(threads, name);
  const look: Look = async (seed) => {
    const { finding } = await pool.run({ seed, steps, ignore });
    return finding === undefined ? undefined : { seed, invariant: finding.invariant };
  };
  return await firstOf(look, 1, search).finally(() => pool.close());
}

function poolOf(kind: Exclude<SeedKind, "clusters">, threads: number, mutant: string): ManyPool<ManySums> {
  if (kind === "cores") return corePool(threads, mutant);
  return kind === "forged" ? forgedPool(threads, mutant) : programPool(threads, mutant);
}

/** Looks through the seeds in pieces, some of them side by side, until no earlier one can find anything. */
async function firstOf(look: Look, piece: number, { start, seeds, threads }: Search): Promise<Found | undefined> {
  let next = start;
  let first: Found | undefined;
  const work = async (): Promise<void> => {
    while (next < start + seeds && (first === undefined || next < first.seed)) {
      const count = Math.min(piece, start + seeds - next);
      const from = next;
      next += count;
      const found = await look(from, count);
      if (found !== undefined && (first === undefined || found.seed < first.seed)) first = found;
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  return first;
}
