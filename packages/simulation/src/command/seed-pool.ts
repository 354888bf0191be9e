/** Threads that run seeds of whole clusters. */
import type { RunOptions, RunResult } from "../run-seed.ts";
import { type Hang, WorkerPool } from "./worker-pool.ts";

export type SeedPool = WorkerPool<RunOptions, RunResult>;

/** `mutant`: name of the bug that the threads run with. */
export function seedPool(size: number, mutant?: string): SeedPool {
  return new WorkerPool(size, { kind: "clusters", mutant }, hanging);
}

function hanging({ seed }: RunOptions, { ms }: Hang): RunResult {
  const message = `the run did not end within ${ms / 1_000} s of real time`;
  return {
    seed,
    finding: { invariant: "hangs", message, stack: "" },
    hash: "",
    events: 0,
    virtualMs: 0,
    checks: 0,
    faults: new Map(),
    rare: new Map(),
    injected: [],
    calls: 0,
    registers: { linearizable: 0, "not-linearizable": 0, unknown: 0 },
    ending: "finding",
  };
}
