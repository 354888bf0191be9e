import { describe, expect, test } from "vitest";
import { TerminalError } from "../author/errors/errors.ts";
import { workflow } from "../author/workflow.ts";
import { fast, Latch, world } from "../testing/workflow-world.ts";
import type { RuntimeProbe } from "./runtime-probe.ts";

class Recorder implements RuntimeProbe {
  readonly steps: (readonly [type: string, succeeded: boolean, attempts: number])[] = [];
  readonly tookMs: number[] = [];
  stepFinished(type: string, succeeded: boolean, attempts: number, tookMs: number): void {
    this.steps.push([type, succeeded, attempts]);
    this.tookMs.push(tookMs);
  }
}

describe("what a runtime measures", () => {
  test("each step, with its attempts and the time they took, waits between them included", async () => {
    const w = world([1]);
    const probe = new Recorder();
    const sums = workflow("sums", { version: 1 }, async (ctx) => {
      const one = await ctx.step("plain", () => 1);
      const two = await ctx.step(
        "retried",
        ({ attempt }) => {
          if (attempt < 3) throw new Error("not yet");
          return 2;
        },
        { retry: { attempts: 3, initialDelay: 10, factor: 1, jitter: 0 } },
      );
      await ctx.variable("no step", 1);
      const failed = await ctx
        .step("hopeless", () => {
          throw new TerminalError("never");
        })
        .catch(() => 3);
      return one + two + failed;
    });
    await w.startAll([sums], { probe });
    const run = await w.runtime(1).startWorkflow(sums, undefined);
    expect(await run.result()).toBe(6);
    expect(probe.steps).toEqual([
      ["sums", true, 1],
      ["sums", true, 3],
      ["sums", false, 1],
    ]);
    // Two waits of 10 ms; timers may be early by less than one.
    expect(probe.tookMs[1]).toBeGreaterThanOrEqual(18);
    expect(probe.tookMs[0]).toBeGreaterThanOrEqual(0);
  });

  test("a step that is answered from the record is not told again by the node that takes over", async () => {
    const w = world([1, 2]);
    const probe = new Recorder();
    const begun = new Latch();
    const stuck = new Latch();
    const steps = workflow("steps", { version: 1 }, async (ctx) => {
      await ctx.step("a", () => {}, { retry: fast });
      await ctx.step("b", async () => {
        if (ctx.nodeId !== 2) return;
        begun.open();
        await stuck.opened;
      });
    });
    await w.startAll([steps], { probe });
    await w.runtime(2).startWorkflow(steps, undefined, { id: "t" });
    await begun.opened;
    w.kill(2);
    w.cluster.reportLost(2);
    await w.runtime(1).result("t");
    stuck.open();
    expect(probe.steps).toEqual([
      ["steps", true, 1],
      ["steps", true, 1],
    ]);
  });

  test("a runtime says how many runs are its own, and how many wait for a place", async () => {
    const w = world([1]);
    const both = new Latch();
    const stuck = new Latch();
    const waiting = workflow("waiting", { version: 1 }, async (ctx) => {
      await ctx.step("wait", async () => {
        both.open();
        await stuck.opened;
      });
    });
    await w.startAll([waiting], { limits: { maxRunningBodies: 1 } });
    const runtime = w.runtime(1);
    expect(runtime.load).toEqual({ owned: 0, queued: 0 });
    const runs = [
      await runtime.startWorkflow(waiting, undefined),
      await runtime.startWorkflow(waiting, undefined),
      await runtime.startWorkflow(waiting, undefined),
    ];
    await both.opened;
    expect(runtime.load).toEqual({ owned: 3, queued: 2 });
    stuck.open();
    for (const run of runs) await run.result();
  });
});
