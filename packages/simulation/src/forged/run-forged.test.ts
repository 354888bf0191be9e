// @module-tag slow

import { describe, expect, test } from "vitest";
import { ForgedTotals } from "../command/forged-totals.ts";
import { carryOutForgedTask } from "./forged-task.ts";
import { runForged } from "./run-forged.ts";

const SEEDS = 2_000;

describe("forged messages", () => {
  test("nothing is found, every type is taken and refused, and nodes in every state are met", {
    timeout: 120_000,
  }, async () => {
    const sums = await carryOutForgedTask({ start: 1, count: SEEDS, ignore: [], isToTell: false });
    const totals = new ForgedTotals();
    totals.add(sums);
    expect(sums.findings).toEqual([]);
    expect(totals.runs).toBe(SEEDS);
    expect(totals.missed).toEqual([]);
  });

  test("the actions of a run and its message lead to the same again", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const chosen = runForged({ seed });
      const { actions, forgery } = chosen;
      if (forgery === undefined || [...chosen.fates.values()].reduce((sum, times) => sum + times) > 1) continue;
      expect(runForged({ seed, actions, forgery }), `seed ${seed}`).toEqual(chosen);
    }
  });

  test("a run is told line by line, and telling it changes nothing", () => {
    const lines: string[] = [];
    const told = runForged({ seed: 1, tell: (line) => lines.push(line) });
    expect(told).toEqual(runForged({ seed: 1 }));
    expect(lines.length).toBeGreaterThan(told.actions.length);
    expect(lines.join("\n")).toContain("forged: ");
  });
});
