import { describe, expect, test } from "vitest";
import { workflow } from "../../author/workflow.ts";
import { Latch, world } from "../../testing/workflow-world.ts";

const loop = workflow("loop", { version: 1 }, async (ctx, { left, sum }: { left: number; sum: number }) => {
  const value = await ctx.step("add", () => left);
  expect(ctx.historySize).toBe(1);
  if (left === 0) return sum;
  return await ctx.continueAsNew({ left: left - 1, sum: sum + value });
});

describe("ctx.continueAsNew", () => {
  test("gives the caller the last generation's result, under one id, and leaves nothing of the old histories", async () => {
    const w = world();
    await w.startAll([loop]);
    const run = await w.runtime(1).startWorkflow(loop, { left: 50, sum: 0 }, { id: "r" });
    expect(await run.result()).toBe(1275);
    const view = await w.runtime(1).getRun("r");
    expect(view).toMatchObject({ status: "completed", generation: 51, attempt: 1 });
    expect(view?.history.map(([path]) => path)).toEqual(["add#0"]);
    expect(w.cluster.node(1).executor.state.size).toMatchObject({ running: 0, finished: 1 });
    // The same start again finds the run.
    expect(await w.runtime(2).startWorkflow(loop, { left: 50, sum: 0 }, { id: "r" })).toMatchObject({ created: false });
  });

  test("keeps signals that wait, the children, and what the parent waits for", async () => {
    const w = world();
    const waits = workflow("waits", { version: 1 }, async (ctx) => ctx.waitFor("go"));
    const child = workflow("child", { version: 1 }, async (ctx, generation: number) => {
      if (generation === 0) {
        await ctx.start(waits, undefined, { id: "grandchild" });
        await ctx.waitFor("continue");
        return await ctx.continueAsNew(1);
      }
      return await ctx.waitFor<string>("kept");
    });
    const parent = workflow("parent", { version: 1 }, async (ctx) => ctx.run(child, 0, { id: "c" }));
    await w.startAll([waits, child, parent]);
    const run = await w.runtime(1).startWorkflow(parent, undefined, { id: "p" });
    await w.next("run-started", ({ runId }) => runId === "grandchild");
    await w.runtime(2).signal("c", "kept", "tea");
    const closed = w.next("run-ended", ({ runId }) => runId === "grandchild");
    await w.runtime(2).signal("c", "continue");
    expect(await run.result()).toBe("tea");
    expect((await closed).outcome).toMatchObject({ status: "cancelled", reason: "its parent c has ended" });
    expect(await w.runtime(1).getStatus("c")).toMatchObject({ generation: 2, parent: { runId: "p" } });
  });

  test("leaves the old or the new generation when its owner dies at any proposal", async () => {
    for (let survived = 0; survived < 8; survived++) {
      const w = world();
      w.start(1, [loop]);
      w.start(2, [loop]);
      w.start(3, []);
      await Promise.all([1, 2, 3].map((n) => w.runtime(n).registered));
      w.cluster.lead(3);
      const died = new Latch();
      let proposals = 0;
      w.cluster.node(1).fault = (command) => {
        if (!("epoch" in command)) return "none";
        proposals += 1;
        if (proposals <= survived) return "none";
        died.open();
        return "lost";
      };
      const run = await w.runtime(1).startWorkflow(loop, { left: 3, sum: 0 }, { id: "r" });
      await Promise.race([died.opened, run.result()]);
      w.kill(1);
      w.cluster.reportLost(1);
      expect(await w.runtime(3).result("r")).toBe(6);
      expect(await w.runtime(3).getStatus("r")).toMatchObject({ generation: 4 });
    }
  });

  test("of a cancelled run is refused", async () => {
    const w = world();
    const body = workflow("body", { version: 1 }, async (ctx) => {
      await ctx.waitFor("never").catch(() => {});
      return await ctx.continueAsNew();
    });
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    await run.cancel("enough");
    await expect(run.result()).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED" });
    expect(await run.status()).toMatchObject({ generation: 1 });
  });
});

test("a history that passes 10,000 records is reported once", { timeout: 60_000 }, async () => {
  const w = world([1]);
  const body = workflow("long", { version: 1 }, async (ctx) => {
    for (let batch = 0; batch < 21; batch++) {
      await Promise.all(Array.from({ length: 500 }, () => ctx.now()));
    }
    return ctx.historySize;
  });
  await w.startAll([body]);
  const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
  expect(await run.result()).toBe(10_500);
  expect(w.events.filter(({ type }) => type === "history-large")).toMatchObject([{ runId: "r", records: 10_000 }]);
});
