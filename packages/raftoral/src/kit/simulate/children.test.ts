// @module-tag slow
import { ChildFailedError, workflow } from "@raftoral/workflow";
import { describe, expect, test } from "vitest";
import { simulate } from "./simulate.ts";

const SEEDS = 50;

const part = workflow("part", { version: 1 }, async (ctx, { at, fails }: { at: number; fails: boolean }) => {
  await ctx.sleep(at % 2 === 0 ? "5ms" : "20ms");
  const value = await ctx.step("work", () => at * 10);
  if (fails) throw new RangeError(`part ${at} is broken`);
  return value;
});

describe("children", () => {
  test("give their ends once, in an order that a replay repeats, whatever happens to anybody's owner", async () => {
    const whole = workflow("whole", { version: 1 }, async (ctx, count: number) => {
      const order: string[] = [];
      const results = await ctx.map(
        Array.from({ length: count }, (_, at) => at),
        async (own, at) => {
          const said = await own.run(part, { at, fails: at === 2 }).catch((error: unknown) => {
            if (!(error instanceof ChildFailedError)) throw error;
            return error.failure.message;
          });
          order.push(`part ${at}`);
          return said;
        },
      );
      // What the body saw of the order is recorded, and a replay must see the same.
      const recorded = await ctx.step("order", () => order.join());
      if (recorded !== order.join()) throw new Error(`the order was ${recorded}, and is ${order.join()} now`);
      return results;
    });
    await simulate(whole, {
      input: 4,
      seeds: SEEDS,
      workflows: [part],
      check: ({ status, result, wasCancelled }) => {
        if (!wasCancelled) expect([status, result]).toEqual(["completed", [0, 10, "part 2 is broken", 30]]);
      },
    });
  });
});

describe("a run that continues as new", () => {
  test("counts each generation once, whatever happens to its owner", async () => {
    const counting = workflow(
      "counting",
      { version: 1 },
      async (ctx, [left, sum]: readonly [number, number]): Promise<number> => {
        const child = await ctx.run(part, { at: left, fails: false });
        const next = await ctx.step("add", () => sum + child);
        return left === 0 ? next : await ctx.continueAsNew([left - 1, next]);
      },
    );
    await simulate(counting, {
      input: [3, 0],
      seeds: SEEDS,
      workflows: [part],
      check: ({ status, result, wasCancelled }) => {
        if (!wasCancelled) expect([status, result]).toEqual(["completed", 60]);
      },
    });
  });
});
