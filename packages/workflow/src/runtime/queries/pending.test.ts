import { expect, test } from "vitest";
import { workflow } from "../../author/workflow.ts";
import { Latch, world } from "../../testing/workflow-world.ts";

test("a run says what it waits for and until when, on its owner and on every other node, and records nothing for that", async () => {
  const w = world();
  const hold = new Latch();
  const child = workflow("child", { version: 1 }, (ctx) => ctx.waitFor("end"));
  const body = workflow("busy", { version: 1 }, async (ctx) => {
    await ctx.step("before", () => "done");
    const token = await ctx.token("approval", { timeout: "1h" });
    const count = await ctx.variable("count", 0);
    const heavy = (): never => {
      throw new Error("too heavy");
    };
    await Promise.all([
      ctx.step("call", () => hold.opened),
      ctx.step("haul", heavy, { retry: { initialDelay: "1h", maxDelay: "1h" } }),
      ctx.sleep("2h"),
      ctx.waitFor("go"),
      ctx.scope("late", (own) => own.waitFor("go", { timeout: "3h" })),
      ctx.run(child),
      token.answer(),
      ctx.condition(() => count.value > 0),
    ]);
  });
  await w.startAll([body, child]);
  await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
  await expect.poll(async () => (await w.runtime(1).pending("r")).length).toBe(8);
  await expect.poll(() => w.cluster.node(1).engine.progress("r", 10)).toHaveLength(1);
  const before = await w.runtime(1).getStatus("r");
  const from = Date.now();
  for (const node of [1, 2, 3]) {
    const pending = await w.runtime(node).pending("r");
    expect(pending.map(({ kind, path }) => `${kind} ${path}`).toSorted()).toEqual([
      "child child#0",
      "condition ",
      "signal go#0",
      "signal late/go#0",
      "sleep sleep#0",
      "step call#0",
      "step haul#0",
      "token approval#0",
    ]);
    const hours = pending
      .filter(({ untilMs }) => untilMs !== undefined)
      .map(({ kind, untilMs = 0 }) => {
        return [kind, Math.round((untilMs - from) / 3_600_000)];
      });
    expect(Object.fromEntries(hours)).toEqual({ sleep: 2, signal: 3, token: 1 });
  }
  expect(await w.runtime(1).getStatus("r")).toEqual(before);
  hold.open();
  await expect.poll(async () => (await w.runtime(2).pending("r")).length).toBe(7);
  await w.runtime(1).mend("r", { kind: "pause", isNow: true });
  expect((await w.runtime(3).pending("r")).length).toBe(7);
  await w.runtime(1).mend("r", { kind: "terminate" });
  expect(await w.runtime(1).pending("r")).toEqual([]);
  await expect(w.runtime(1).pending("none")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
});
