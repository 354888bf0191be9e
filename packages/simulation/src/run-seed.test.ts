// @module-tag slow

import { describe, expect, test, vi } from "vitest";
import { runSeed } from "./run-seed.ts";

/** A small fixed set; `npm run simulate` runs more. */
const SEEDS = Array.from({ length: 60 }, (_, at) => at + 1);
const STEPS = 10_000;

describe("a simulated cluster", () => {
  test("keeps every invariant and makes progress once healed", { timeout: 600_000 }, async () => {
    const faults = new Set<string>();
    for (const seed of SEEDS) {
      const result = await runSeed({ seed, steps: STEPS });
      expect(result.finding, `npm run simulate -- --seeds 1 --start ${seed} --steps ${STEPS}`).toBeUndefined();
      expect(result.registers["not-linearizable"]).toBe(0);
      for (const kind of result.faults.keys()) faults.add(kind);
    }
    expect(faults.size, "kinds of faults that were injected").toBeGreaterThan(30);
  });

  test("is the same when run twice, and another with another seed", async () => {
    const [first, again, other] = [
      await runSeed({ seed: 5, steps: STEPS }),
      await runSeed({ seed: 5, steps: STEPS }),
      await runSeed({ seed: 6, steps: STEPS }),
    ];
    expect(again).toEqual(first);
    expect(other.hash).not.toBe(first.hash);
  });

  test("reads no real clock and no real randomness", async () => {
    const forbidden = (what: string) => () => {
      throw new Error(`${what} was reached`);
    };
    const spies = [
      vi.spyOn(Date, "now").mockImplementation(forbidden("Date.now")),
      vi.spyOn(performance, "now").mockImplementation(forbidden("performance.now")),
      vi.spyOn(Math, "random").mockImplementation(forbidden("Math.random")),
      vi.spyOn(crypto, "getRandomValues").mockImplementation(forbidden("crypto.getRandomValues")),
      vi.spyOn(globalThis, "setTimeout").mockImplementation(forbidden("setTimeout") as never),
      vi.spyOn(globalThis, "setInterval").mockImplementation(forbidden("setInterval") as never),
    ];
    try {
      for (const seed of [1, 2, 3]) expect((await runSeed({ seed, steps: 5_000 })).finding).toBeUndefined();
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  });

  test("its trace as text does not change what happens, and can be read", async () => {
    const lines: string[] = [];
    const silent = await runSeed({ seed: 3, steps: 2_000 });
    const told = await runSeed({ seed: 3, steps: 2_000, write: (line) => lines.push(line) });
    expect(told.hash).toBe(silent.hash);
    expect(lines.some((line) => /n\d+ +leader +n\d+ in term \d+, is StateLeader/.test(line))).toBe(true);
    expect(lines.some((line) => /world +FAULT/.test(line))).toBe(true);
  });

  test("a fault that is left out leaves the others as they were", async () => {
    const all = await runSeed({ seed: 4, steps: 5_000 });
    const some = all.injected.filter((_, at) => at % 2 === 0).map(({ number }) => number);
    const fewer = await runSeed({ seed: 4, steps: 5_000, only: some });
    const numbers = fewer.injected.map(({ number }) => number);
    expect(numbers.length).toBeGreaterThan(0);
    expect(some).toEqual(expect.arrayContaining(numbers));
  });
});
