/** Threads that run many seeds of bare cores with each task. */
import type { CoreSums, CoreTask } from "../core/core-task.ts";
import { WorkerPool } from "./worker-pool.ts";

export type CorePool = WorkerPool<CoreTask, CoreSums>;

/** `mutant`: name of the bug that the threads run with. */
export function corePool(size: number, mutant?: string): CorePool {
  return new WorkerPool(size, { kind: "cores", mutant }, hanging);
}

function hanging({ start, count }: CoreTask, hangMs: number): CoreSums {
  const message = `hangs: one of the ${count} seeds from ${start} on did not end within ${hangMs / 1_000} s of real time`;
  const finding = { seed: start, invariant: "hangs", message, story: [] };
  return { runs: 0, actions: 0, messages: 0, committed: 0, checks: 0, rare: new Map(), findings: [finding] };
}
