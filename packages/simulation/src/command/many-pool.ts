/** Threads that run several seeds with each task: of bare cores, with forged messages, or of workflow programs. */
import type { CoreSums } from "../core/core-task.ts";
import type { ForgedSums } from "../forged/forged-task.ts";
import type { ProgramSums } from "../workflows/programs-task.ts";
import type { ManyFinding, ManySums, ManyTask } from "./many.ts";
import { type Hang, WorkerPool } from "./worker-pool.ts";

export type ManyPool<Sums extends ManySums> = WorkerPool<ManyTask, Sums>;

/** `mutant`: name of the bug that the threads run with. */
export function corePool(size: number, mutant?: string): ManyPool<CoreSums> {
  const nothing = { runs: 0, actions: 0, messages: 0, committed: 0, checks: 0, rare: new Map() };
  return new WorkerPool(size, { kind: "cores", mutant }, (task, hang) => ({
    ...nothing,
    findings: [hanging(task, hang)],
  }));
}

/** `mutant`: name of the bug that the threads run with. */
export function forgedPool(size: number, mutant?: string): ManyPool<ForgedSums> {
  const nothing = { runs: 0, actions: 0, fates: new Map(), states: new Map(), highWater: 0 };
  return new WorkerPool(size, { kind: "forged", mutant }, (task, hang) => ({
    ...nothing,
    findings: [hanging(task, hang)],
  }));
}

/** `mutant`: name of the bug that the threads run with. */
export function programPool(size: number, mutant?: string): ManyPool<ProgramSums> {
  const nothing = { runs: 0, exact: 0, trials: 0, bodies: 0, stepCalls: 0, virtualMs: 0, disturbances: new Map() };
  return new WorkerPool(size, { kind: "programs", mutant }, (task, hang) => ({
    ...nothing,
    findings: [hanging(task, hang)],
  }));
}

function hanging({ start, count }: ManyTask, { at, ms }: Hang): ManyFinding {
  const what = at ?? `one of the ${count} seeds from ${start} on`;
  const seed = Number(/^seed (\d+)/.exec(what)?.[1] ?? start);
  return {
    seed,
    invariant: "hangs",
    message: `hangs: ${what} did not end within ${ms / 1_000} s of real time`,
    story: [],
  };
}
