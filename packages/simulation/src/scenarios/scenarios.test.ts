// @module-tag slow
import { describe, expect, test } from "vitest";
import { findFirst } from "../mutants/hunt.ts";
import { mutantNamed } from "../mutants/mutants.ts";
import { KINDS, runScenarioSeed, type ScenarioResult, scenarioOf } from "./run-scenarios.ts";

const FIRST = 2;
const EVERY = 8;
/** The first seed of each kind. */
const SEEDS = KINDS.map(({ name }, at) => [name, FIRST + EVERY * at] as const);

function carriedOut(seed: number): Promise<ScenarioResult> {
  const scenario = scenarioOf(seed);
  if (scenario === undefined) throw new Error(`seed ${seed} has no scenario`);
  return runScenarioSeed(seed, scenario, {});
}

test("one seed of eight is a scenario, of each kind in turn", () => {
  const names = Array.from({ length: EVERY * KINDS.length }, (_, seed) => scenarioOf(seed)?.kind.name);
  expect(names.filter((name) => name !== undefined)).toEqual(KINDS.map(({ name }) => name));
  for (const [name, seed] of SEEDS) expect(scenarioOf(seed)?.kind.name).toBe(name);
});

test.each(SEEDS)(
  "%s: the first seed finds nothing, is disturbed, and does the same again",
  { timeout: 60_000 },
  async (_, seed) => {
    const [one, other] = [await carriedOut(seed), await carriedOut(seed)];
    expect(one.found).toBeUndefined();
    expect(one.trials.reduce((sum, { trial }) => sum + trial.come, 0)).toBeGreaterThan(0);
    expect(other.trials.map(({ trial }) => trial.story)).toEqual(one.trials.map(({ trial }) => trial.story));
  },
);

describe("known bugs around several runs", () => {
  /** Those that the first seed of their kind finds. */
  test.concurrent.each([
    ["exclusive-at-once", "calls-once", 2],
    ["chunks-of-whole-batch", "chunks-in-order", 10],
    ["one-run-too-many", "within-limits", 18],
  ])("%s is found, by %s", { timeout: 120_000 }, async (name, invariant, start) => {
    const search = { start, seeds: 1, steps: 0, threads: 1, kind: "programs" as const, ignore: [] };
    expect((await findFirst(mutantNamed(name), search))?.invariant).toBe(invariant);
  });
});
