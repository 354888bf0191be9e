/** Tasks of several seeds, of bare cores, with forged messages, or of workflow programs: what a thread is asked, and what it finds. */
import type { SeedKind } from "./worker-pool.ts";

export interface ManyTask {
  readonly start: number;
  readonly count: number;
  /** Names of invariants that are not held. */
  readonly ignore: readonly string[];
  /** Makes the finding of `start` small and tells it. */
  readonly isToTell: boolean;
}

export interface ManyFinding {
  readonly seed: number;
  readonly invariant: string;
  readonly message: string;
  /** With `isToTell` only: what leads to it, a line for each step. */
  readonly story: readonly string[];
}

/** What a task comes to, at least. */
export interface ManySums {
  readonly runs: number;
  readonly findings: readonly ManyFinding[];
}

/** What many tasks add up to. */
export interface ManyTotals<Sums extends ManySums> {
  readonly runs: number;
  add(sums: Sums): void;
  /** Lines for people. `realMs` is what it took. */
  lines(realMs: number): readonly string[];
}

/** Seeds of a task: those of workflow programs take seconds, the others a fraction of one together. */
export function seedsPerTask(kind: SeedKind): number {
  return kind === "programs" ? 2 : 200;
}
