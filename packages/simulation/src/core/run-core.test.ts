// @module-tag slow

import { describe, expect, test } from "vitest";
import { CoreTotals } from "../command/core-totals.ts";
import { carryOutCoreTask } from "./core-task.ts";
import { runCore } from "./run-core.ts";

const SEEDS = 2_000;

describe("bare cores", () => {
  test("nothing is found, and every rare state is reached", { timeout: 120_000 }, async () => {
    const sums = await carryOutCoreTask({ start: 1, count: SEEDS, ignore: [], isToTell: false });
    const totals = new CoreTotals();
    totals.add(sums);
    expect(sums.findings).toEqual([]);
    expect(totals.runs).toBe(SEEDS);
    expect(totals.missed).toEqual([]);
  });

  test("the actions of a run lead to the same again", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const chosen = runCore({ seed });
      expect(runCore({ seed, actions: chosen.actions }), `seed ${seed}`).toEqual(chosen);
    }
  });

  test("a run is told line by line, and telling it changes nothing", () => {
    const lines: string[] = [];
    const told = runCore({ seed: 1, tell: (line) => lines.push(line) });
    expect(told).toEqual(runCore({ seed: 1 }));
    expect(lines.length).toBeGreaterThan(told.actions.length);
    expect(lines.join("\n")).toContain("everything works from here on");
  });
});
