// @module-tag slow

/** A short loop; `npm run chaos` runs longer ones. RAFTORAL_CHAOS_SEED=<n> runs another. */
import { expect, test } from "vitest";
import { formatFigures } from "./figures.ts";
import { killLoop } from "./kill-loop.ts";

const SEED = Number(process.env.RAFTORAL_CHAOS_SEED ?? 1);
const RAGE_MS = 15_000;
const TEST_MS = 180_000;

test(
  "nodes that are killed, cut off, stopped and misled under load lose nothing that was acknowledged",
  async () => {
    const figures = await killLoop({ seed: SEED, nodes: 5, durationMs: RAGE_MS });
    console.log(formatFigures(figures));
    expect(figures.registers.unfinished, "histories that could not be decided").toEqual([]);
    expect(figures.registers.acknowledged).toBeGreaterThan(300);
    expect(figures.runs).toBeGreaterThan(20);
    expect(figures.faults.get("kill -9")).toBeGreaterThan(2);
  },
  TEST_MS,
);
