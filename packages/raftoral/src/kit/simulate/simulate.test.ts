import { signal, workflow } from "@raftoral/workflow";
import { describe, expect, test } from "vitest";
import { parsePlan, planText } from "./disturbance.ts";
import { SimulationFailure, simulate } from "./simulate.ts";

describe("a simulation", () => {
  const approval = signal<boolean>("approval");
  const order = workflow("order", { version: 1 }, async (ctx, input: { readonly total: number }) => {
    const reserved = await ctx.step("reserve", () => input.total);
    const parts = await Promise.all([1, 2].map((part) => ctx.scope("part", (own) => own.step("pack", () => part))));
    const approved = await ctx.waitFor(approval);
    await ctx.sleep("1d");
    return { reserved, parts, approved };
  });

  test("of a workflow that keeps the rules finds nothing", async () => {
    const report = await simulate(order, {
      input: { total: 3 },
      seeds: 60,
      during: (run) => run.signal(approval, true),
    });
    expect(report.seeds).toBe(60);
    expect(report.disturbances).toBeGreaterThan(60);
    expect(report.bodies).toBeGreaterThan(60);
  });

  test("finds a result that depends on the process, and tells the seed, a short story and the line that repeats it", async () => {
    let bodies = 0;
    const counts = workflow("counts", { version: 1 }, async (ctx) => {
      bodies += 1;
      const mine = bodies;
      await ctx.step("one", () => 1);
      await ctx.sleep("1h");
      return mine === bodies ? "calm" : "disturbed";
    });
    // Judged by the step's attempts: a run whose owner was replaced has run its body twice.
    const failure = await simulate(counts, {
      input: undefined,
      seeds: 50,
      disturbances: ["kill-owner"],
      check: ({ bodies: ran }) => {
        if (ran > 1) throw new Error("the body ran twice");
      },
    }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(SimulationFailure);
    const { message, plan, story } = failure as SimulationFailure;
    expect(parsePlan(plan)).toHaveLength(1);
    expect(story.some((line) => line.includes("is killed"))).toBe(true);
    expect(message).toContain("the body ran twice");
    expect(message).toContain(`plan: ${JSON.stringify(plan)}`);
  });

  test("sends signals when it is told to, in every order, and tells the order that fails", async () => {
    const last = workflow("last", { version: 1 }, async (ctx) => {
      await ctx.step("begin", () => 1);
      const both = [await ctx.waitFor("bid"), await ctx.waitFor("bid")];
      return both.at(-1);
    });
    const signals = [
      { signal: "bid", payload: 1, when: "1h" },
      { signal: "bid", payload: 2, when: { step: "begin", when: "finishes" } },
    ] as const;
    const options = { input: undefined, seeds: 12, disturbances: ["kill-owner", "move"] as const, signals };
    // The moment comes before the hour is over, whatever is killed meanwhile.
    await simulate(last, { ...options, check: ({ result }) => expect(result).toBe(1) });
    const failure = await simulate(last, { ...options, signalOrder: "any" }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SimulationFailure);
    const { seed, plan, story } = failure as SimulationFailure;
    expect(story.filter((line) => line.includes("signal bid is sent"))).toHaveLength(2);
    await expect(simulate(last, { ...options, signalOrder: "any", seeds: [seed], plan })).rejects.toThrow(
      "undisturbed with",
    );
  });

  test.each([
    "kill-owner@commit:2:after",
    "cancel@call:1:begins; move@commit:3:proposed",
    "power-cut@end:1:after; transfer@signal:2:before",
    "",
  ])("reads plan %j as written", (text) => {
    expect(planText(parsePlan(text))).toBe(text);
  });

  test.each(["kill@commit:1:after", "kill-owner@commit:0:after", "kill-owner@call:1:after", "x"])(
    "refuses plan %j",
    (text) => {
      expect(() => parsePlan(text)).toThrow("is no disturbance");
    },
  );
});
