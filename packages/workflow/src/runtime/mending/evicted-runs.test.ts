/** What operators do to runs whose bodies are not in memory (execution/executions.ts O5, O6). */
import { describe, expect, test } from "vitest";
import { workflow } from "../../author/workflow.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import { HandClock } from "../../testing/hand-clock.ts";
import { type World, world } from "../../testing/workflow-world.ts";

const child = workflow("child", { version: 1 }, async (ctx) => {
  await ctx.step("try", () => (ctx.attempt === 1 ? Promise.reject(new Error("broken")) : "tried"), { retry: false });
  return await ctx.waitFor("end");
});

async function evicted(w: World, clock: HandClock): Promise<boolean> {
  const evicting = w.runtime(1).evict("r");
  await clock.advance(100);
  return await evicting;
}

/** A run of a body on one node, which has left memory. */
async function resting(body: (ctx: WorkflowContext) => Promise<unknown>) {
  const [w, clock] = [world([1]), new HandClock()];
  const bodies: number[] = [];
  const definition = workflow("body", { version: 1 }, async (ctx) => {
    bodies.push(ctx.attempt);
    return (await body(ctx)) ?? null;
  });
  await w.startAll([definition, child], { clock });
  const run = await w.runtime(1).startWorkflow(definition, undefined, { id: "r" });
  await clock.advance(0);
  expect(await evicted(w, clock)).toBe(true);
  return { w, clock, bodies, run };
}

describe("a run whose body is not in memory", () => {
  test("is paused without it, stays so whatever comes, and goes on when it is resumed", async () => {
    const { w, clock, bodies, run } = await resting(async (ctx) => [
      await ctx.waitFor("go"),
      await ctx.sleep("10s").then(() => "slept"),
    ]);
    await w.runtime(1).mend("r", { kind: "pause", isNow: false });
    await clock.advance(0);
    expect(await run.status()).toMatchObject({ status: "paused", owner: 0, pauseReason: "to mend it" });
    await run.signal("go", 1);
    await clock.advance(20_000);
    expect(bodies).toEqual([1]);
    expect(w.runtime(1).residency).toMatchObject({ resident: 0, evicted: 0 });
    await w.runtime(1).resumeRun("r");
    await clock.advance(0);
    await clock.advance(10_000);
    expect(await run.result()).toEqual([1, "slept"]);
  });

  test("has its step answered by hand, and begins again from its record alone", async () => {
    const { w, clock, bodies, run } = await resting(async (ctx) => {
      await ctx.waitFor("go");
      return await ctx.step("charge", () => "charged");
    });
    await w
      .runtime(1)
      .mend("r", { kind: "complete-step", path: "charge#0", value: new TextEncoder().encode('"free"') });
    await clock.advance(0);
    expect(w.runtime(1).residency).toMatchObject({ resident: 1, evicted: 0 });
    await run.signal("go");
    await clock.advance(0);
    expect(await run.result()).toBe("free");
    expect(bodies).toHaveLength(2);
  });

  test("says what it waits for", async () => {
    const { w, clock } = await resting((ctx) => Promise.all([ctx.waitFor("go"), ctx.sleep("10s")]));
    const pending = w.runtime(1).pending("r");
    await clock.advance(0);
    expect((await pending).map(({ kind, path }) => [kind, path])).toEqual([
      ["signal", "go#0"],
      ["sleep", "sleep#0"],
    ]);
    expect(w.runtime(1).residency).toMatchObject({ resident: 0, evicted: 1 });
  });

  test("ends when it is terminated, and its alarm does not wake it", async () => {
    const { w, clock, bodies, run } = await resting((ctx) => ctx.sleep("10s"));
    await w.runtime(1).mend("r", { kind: "terminate" });
    await clock.advance(20_000);
    await expect(run.result()).rejects.toMatchObject({ cause: { code: "RUN_TERMINATED" } });
    expect(bodies).toEqual([1]);
  });

  test("goes on after a retry with its children and the signals that it had received", async () => {
    const { w, clock, run } = await resting(async (ctx) => {
      const amounts: unknown[] = [];
      ctx.on("add", (_own, amount) => void amounts.push(amount));
      await ctx.waitFor("begin");
      await ctx.step("mark", () => ctx.attempt);
      const ended = await ctx.run(child, undefined, { id: "c" });
      return [await ctx.waitFor("go"), ended, ...amounts];
    });
    await run.signal("begin");
    await clock.advance(0);
    await expect(run.result()).rejects.toThrow("broken");
    await w.runtime(1).mend("r", { kind: "retry", from: undefined });
    await clock.advance(0);
    expect(await evicted(w, clock)).toBe(true);
    await run.signal("add", 5);
    await w.runtime(1).signal("c", "end", "ended");
    await clock.advance(0);
    expect(await evicted(w, clock)).toBe(true);
    expect(await w.runtime(1).getStatus("c")).toMatchObject({ status: "completed", attempt: 2 });
    await w.runtime(1).mend("r", { kind: "terminate" });
    await w.runtime(1).mend("r", { kind: "retry", from: "mark" });
    await clock.advance(0);
    expect(await evicted(w, clock)).toBe(true);
    await run.signal("go", "gone");
    await clock.advance(0);
    expect(await run.result()).toEqual(["gone", "ended", 5]);
  });
});
