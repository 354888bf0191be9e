/** Runs many seeds, of bare cores, with forged messages, or of workflow programs, and tells what they found. */
import { CoreTotals } from "./core-totals.ts";
import { ForgedTotals } from "./forged-totals.ts";
import { type ManyFinding, type ManySums, type ManyTotals, seedsPerTask } from "./many.ts";
import { corePool, forgedPool, type ManyPool, programPool } from "./many-pool.ts";
import type { SimulateOptions } from "./options.ts";
import { ProgramTotals } from "./program-totals.ts";
import { flagsOf } from "./report.ts";

/** Findings that are made small and told; the rest is only counted. */
const MAX_REPORTED = 5;
/** Seeds that are named when there are more findings. */
const MAX_NAMED = 100;
const PROGRESS_EVERY_MS = 10_000;
/** Characters of a finding that is told in a line. */
const MAX_LINE = 120;

/** Runs seeds of bare cores. Resolves with whether none has a finding. */
export function simulateCores(options: SimulateOptions, print: (line: string) => void): Promise<boolean> {
  return simulateMany("--core", corePool(options.threads, options.mutant), new CoreTotals(), options, print);
}

/** Runs seeds with forged messages. Resolves with whether none has a finding. */
export function simulateForged(options: SimulateOptions, print: (line: string) => void): Promise<boolean> {
  return simulateMany("--forged", forgedPool(options.threads, options.mutant), new ForgedTotals(), options, print);
}

/** Runs seeds of workflow programs. Resolves with whether none has a finding. */
export function simulatePrograms(options: SimulateOptions, print: (line: string) => void): Promise<boolean> {
  const pool = programPool(options.threads, options.mutant);
  return simulateMany("--workflows", pool, new ProgramTotals(), options, print);
}

/** Prints as it goes, and ends the pool. Resolves to whether nothing was found. `flag` is the one that asks for seeds of this kind. */
async function simulateMany<Sums extends ManySums>(
  flag: string,
  pool: ManyPool<Sums>,
  totals: ManyTotals<Sums>,
  options: SimulateOptions,
  print: (line: string) => void,
): Promise<boolean> {
  const { start, seeds, mutant, ignore, threads } = options;
  const found: ManyFinding[] = [];
  const began = performance.now();
  let told = began;
  let next = start;
  // Told at once, in a line: what leads to it is worked out when all seeds have run, which may take a while.
  const note = (findings: readonly ManyFinding[]): void => {
    found.push(...findings);
    for (const { seed, message } of findings) print(`found       seed ${seed}: ${message.slice(0, MAX_LINE)}`);
  };
  const work = async (): Promise<void> => {
    while (next < start + seeds && performance.now() - began < options.budgetMs) {
      const count = Math.min(seedsPerTask(options.kind), start + seeds - next);
      const task = { start: next, count, ignore, isToTell: false };
      next += count;
      const sums = await pool.run(task);
      totals.add(sums);
      note(sums.findings);
      if (performance.now() - told < PROGRESS_EVERY_MS) continue;
      told = performance.now();
      print(`            ${totals.runs} of ${seeds} seeds, ${found.length} findings`);
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, work));
    const realMs = performance.now() - began;
    found.sort((a, b) => a.seed - b.seed);
    for (const { seed, message } of found.slice(0, MAX_REPORTED)) {
      const { findings } = await pool.run({ start: seed, count: 1, ignore, isToTell: true });
      print("");
      print(`FINDING     seed ${seed}: ${message}`);
      for (const line of findings[0]?.story ?? []) print(`            ${line}`);
      print(`again       npm run simulate -- ${flag} --seeds 1 --start ${seed}${flagsOf({ mutant, ignore })}`);
      print("            and with --trace for the whole run");
      print("");
    }
    if (found.length > MAX_REPORTED)
      print(`findings    ${found.length}, of seeds ${found.slice(0, MAX_NAMED).map(({ seed }) => seed)}`);
    for (const line of totals.lines(realMs)) print(line);
    if (totals.runs < seeds) print(`stopped     after ${totals.runs} of ${seeds} seeds`);
    print(found.length === 0 ? "nothing was found" : `${found.length} findings`);
    return found.length === 0;
  } finally {
    await pool.close();
  }
}
