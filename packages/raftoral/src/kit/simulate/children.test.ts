// @module-tag slow
import { ChildFailedError, type WorkflowContext, workflow } from "@raftoral/workflow";
import { describe, expect, test } from "vitest";
import { simulate } from "./simulate.ts";

const SEEDS = 50;

const part = workflow("part", { version: 1 }, async (ctx, { at, fails }: { at: number; fails: boolean }) => {
  await ctx.sleep(at % 2 === 0 ? "5ms" : "20ms");
  const value = await ctx.step("work", () => at * 10);
  if (fails) throw new RangeError(`part ${at} is broken`);
  return value;
});

/** What the body saw of an order is recorded, and a replay must see the same. */
async function sameOrder(ctx: WorkflowContext, order: readonly string[]): Promise<void> {
  const seen = order.join();
  const recorded = await ctx.step("order", () => seen);
  // The record is committed before the run ends, so that owners may die in between.
  await ctx.sleep("10ms");
  await ctx.step("check", () => "checked");
  if (recorded !== seen) throw new Error(`the order was ${recorded}, and is ${seen} now`);
}

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
      await sameOrder(ctx, order);
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

test("children that end before anybody waits for them, among steps: a replay gives all answers in their order", async () => {
  const mixed = workflow("mixed", { version: 1 }, async (ctx, count: number) => {
    const order: string[] = [];
    const branches = Array.from({ length: count }, (_, at) => at);
    await ctx.map(branches, async (own, at) => {
      const child = await own.start(part, { at, fails: false });
      for (let step = 0; step < at; step++) {
        await own.step("work", () => step);
        order.push(`step ${step} of ${at}`);
        await own.sleep("6ms");
      }
      order.push(`child ${await child.result()}`);
    });
    await sameOrder(ctx, order);
    return order.length;
  });
  await simulate(mixed, {
    input: 5,
    seeds: SEEDS,
    workflows: [part],
    check: ({ status, result, wasCancelled }) => {
      if (!wasCancelled) expect([status, result]).toEqual(["completed", 15]);
    },
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
