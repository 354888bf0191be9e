/** A cancelled run waits for no slot, and gives back what it took beyond the node's number. */
import { describe, expect, test } from "vitest";
import { workflow } from "../author/workflow.ts";
import { Latch, type World, world } from "../testing/workflow-world.ts";

/** A workflow whose body keeps its slot until the latch opens. */
function holding(latch: Latch, begun: Latch) {
  return workflow("holding", { version: 1 }, (ctx) =>
    ctx.step("hold", async () => {
      begun.open();
      await latch.opened;
    }),
  );
}

/** The only slot of a node is taken until the latch opens. */
async function fill(w: World, latch: Latch, begun: Latch, nodeId = 1) {
  const run = await w.runtime(nodeId).startWorkflow("holding", undefined, { id: "holding" });
  await begun.opened;
  return async () => {
    latch.open();
    await run.result();
  };
}

describe("on a node whose slots are all taken", () => {
  test.each(["sleep", "waitFor"] as const)(
    "a body that waits in a %s runs its catch and finally at once",
    async (wait) => {
      const [latch, begun, waiting] = [new Latch(), new Latch(), new Latch()];
      const course: string[] = [];
      const body = workflow("waits", { version: 1 }, async (ctx) => {
        try {
          const pending = wait === "sleep" ? ctx.sleep(60_000) : ctx.waitFor("go");
          waiting.open();
          await pending;
        } catch (error) {
          course.push((error as Error).name);
          throw error;
        } finally {
          course.push("finally");
        }
      });
      const w = world([1]);
      await w.startAll([body, holding(latch, begun)], { limits: { maxRunningBodies: 1 } });
      const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
      await waiting.opened;
      const release = await fill(w, latch, begun);
      await run.cancel("enough");
      await expect(run.result()).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED" });
      expect(course).toEqual(["CancelledError", "finally"]);
      await release();
      expect(w.runtime(1).load).toEqual({ owned: 0, queued: 0 });
    },
  );

  test("a body that waits for a slot to go on with goes on at once", async () => {
    const [latch, begun, waiting] = [new Latch(), new Latch(), new Latch()];
    const body = workflow("waits", { version: 1 }, async (ctx) => {
      const pending = ctx.waitFor("go");
      waiting.open();
      await pending;
    });
    const w = world([1]);
    await w.startAll([body, holding(latch, begun)], { limits: { maxRunningBodies: 1 } });
    const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    await waiting.opened;
    const release = await fill(w, latch, begun);
    // The signal wakes it, and there is no slot.
    await run.signal("go");
    expect(w.runtime(1).load).toMatchObject({ queued: 1 });
    await run.cancel("enough");
    await expect(run.result()).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED" });
    await release();
    expect(w.runtime(1).load).toEqual({ owned: 0, queued: 0 });
  });

  test("a run that is not begun ends at once, and without its body", async () => {
    const [latch, begun] = [new Latch(), new Latch()];
    let bodies = 0;
    const body = workflow("queued", { version: 1 }, () => {
      bodies += 1;
    });
    const w = world([1]);
    await w.startAll([body, holding(latch, begun)], { limits: { maxRunningBodies: 1 } });
    const release = await fill(w, latch, begun);
    const runs = await Promise.all(["a", "b", "c"].map((id) => w.runtime(1).startWorkflow(body, undefined, { id })));
    expect(w.runtime(1).load).toEqual({ owned: 4, queued: 3 });
    for (const run of runs.slice(0, 2)) {
      await run.cancel(`enough of ${run.id}`);
      await expect(run.result()).rejects.toThrow(`enough of ${run.id}`);
    }
    expect([bodies, w.runtime(1).load]).toEqual([0, { owned: 2, queued: 1 }]);
    await release();
    await runs[2]?.result();
    expect([bodies, w.runtime(1).load]).toEqual([1, { owned: 0, queued: 0 }]);
  });

  test.each(["before the takeover", "after the takeover"])(
    "a run that another owner has begun cleans up at once: cancelled %s",
    async (when) => {
      const [latch, begun, waiting] = [new Latch(), new Latch(), new Latch()];
      const undone: string[] = [];
      const body = workflow("moved", { version: 1 }, async (ctx) => {
        const reserved = await ctx.step("reserve", () => "seat 7");
        try {
          waiting.open();
          await ctx.waitFor("go");
        } finally {
          undone.push(`${reserved} on node ${ctx.nodeId}`);
        }
      });
      const w = world([1, 2]);
      await w.startAll([body, holding(latch, begun)], { limits: { maxRunningBodies: 1 } });
      const release = await fill(w, latch, begun, 2);
      w.cluster.lead(2);
      const recorded = w.next("record-committed", ({ path }) => path === "reserve#0");
      await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
      await Promise.all([waiting.opened, recorded]);
      const cancel = () => w.runtime(2).cancel("r", "enough");
      if (when === "before the takeover") {
        // Its owner does not hear of it.
        w.cluster.node(1).connected = false;
        await cancel();
      }
      w.kill(1);
      const moved = w.next("owner-changed");
      w.cluster.reportLost(1);
      await moved;
      if (when === "after the takeover") await cancel();
      await expect(w.runtime(2).result("r")).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED" });
      expect(undone).toEqual(["seat 7 on node 2"]);
      await release();
      expect(w.runtime(2).load).toEqual({ owned: 0, queued: 0 });
    },
  );

  test("many are cancelled together, and the number of slots is kept afterwards", async () => {
    const [latch, begun] = [new Latch(), new Latch()];
    let [running, most] = [0, 0];
    const body = workflow("many", { version: 1 }, async (ctx, isBusy: boolean) => {
      if (!isBusy) await ctx.waitFor("go");
      await ctx.step("busy", async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 2));
        running -= 1;
      });
    });
    const w = world([1]);
    await w.startAll([body, holding(latch, begun)], { limits: { maxRunningBodies: 2 } });
    const release = await fill(w, latch, begun);
    const waiting = await Promise.all(
      Array.from({ length: 50 }, (_, at) => w.runtime(1).startWorkflow(body, false, { id: `w${at}` })),
    );
    await Promise.all(waiting.map((run) => run.cancel("enough")));
    for (const run of waiting) await expect(run.result()).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED" });
    const busy = await Promise.all(Array.from({ length: 20 }, () => w.runtime(1).startWorkflow(body, true)));
    await Promise.all(busy.map((run) => run.result()));
    expect(most).toBe(1);
    await release();
    expect(w.runtime(1).load).toEqual({ owned: 0, queued: 0 });
  });
});
