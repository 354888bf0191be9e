import { expect, test } from "vitest";
import type { InjectedFault, RunOptions, RunResult } from "../run-seed.ts";
import { shrink } from "./shrinker.ts";

const ALL = Array.from({ length: 40 }, (_, at) => at);

function resultOf(faults: readonly number[], invariant: string | undefined): RunResult {
  const injected: InjectedFault[] = faults.map((number) => ({ number, atMs: number, text: "" }));
  return {
    seed: 1,
    finding: invariant === undefined ? undefined : { invariant, message: "", stack: "" },
    hash: "",
    events: 1,
    virtualMs: 1,
    checks: 0,
    faults: new Map(),
    rare: new Map(),
    injected,
    calls: 0,
    registers: { linearizable: 0, "not-linearizable": 0, unknown: 0 },
    ending: invariant === undefined ? "progress" : "finding",
  };
}

/** A run that breaks an invariant when all `needed` faults are in it. */
function breaking(needed: readonly number[]) {
  return async ({ only = ALL }: RunOptions): Promise<RunResult> =>
    resultOf(only, needed.every((number) => only.includes(number)) ? "broken" : undefined);
}

test("comes down to the faults that are needed", async () => {
  const run = breaking([3, 17, 18]);
  const shrunk = await shrink(await run({ seed: 1, steps: 1 }), 1, run, 1_000);
  expect(shrunk.only).toEqual([3, 17, 18]);
  expect(shrunk.result.finding?.invariant).toBe("broken");
});

test("comes down to none when none is needed", async () => {
  const run = breaking([]);
  expect((await shrink(await run({ seed: 1, steps: 1 }), 1, run, 1_000)).only).toEqual([]);
});

test("stays within its runs, and what it has still breaks", async () => {
  const run = breaking([3, 17, 18]);
  const shrunk = await shrink(await run({ seed: 1, steps: 1 }), 1, run, 5);
  expect(shrunk.runs).toBeLessThanOrEqual(5);
  expect(shrunk.only).toEqual(expect.arrayContaining([3, 17, 18]));
});

test("another finding is not taken for this one", async () => {
  const run = async ({ only = ALL }: RunOptions): Promise<RunResult> =>
    resultOf(only, only.length === ALL.length ? "broken" : "another");
  expect((await shrink(await run({ seed: 1, steps: 1 }), 1, run, 1_000)).only).toEqual(ALL);
});
