import { describe, expect, test } from "vitest";
import { workflow } from "../../author/workflow.ts";
import { Latch, type World, world } from "../../testing/workflow-world.ts";

const pause = { kind: "pause", isNow: false } as const;

/** A run of two steps on node 2, whose first step waits for a latch. */
async function twoSteps(w: World) {
  const [begun, go] = [new Latch(), new Latch()];
  const ran: string[] = [];
  const body = workflow("two", { version: 1 }, async (ctx) => {
    await ctx.step("first", async (step) => {
      ran.push(`first on ${ctx.nodeId}`);
      begun.open();
      await Promise.race([go.opened, new Promise((_, reject) => step.signal.addEventListener("abort", reject))]);
    });
    await ctx.step("second", () => ran.push(`second on ${ctx.nodeId}`));
    return "done";
  });
  await w.startAll([body]);
  await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
  await begun.opened;
  return { ran, go };
}

describe("a paused run", () => {
  test("lets the step under way finish, begins nothing more, and goes on when it is resumed", async () => {
    const w = world();
    const { ran, go } = await twoSteps(w);
    await w.runtime(1).mend("r", pause);
    expect(await w.runtime(1).getStatus("r")).toMatchObject({ status: "running", owner: 2, pauseReason: "to mend it" });
    const paused = w.next("owner-changed");
    go.open();
    expect(await paused).toMatchObject({ to: 0, reason: "mending" });
    expect(await w.runtime(1).getStatus("r")).toMatchObject({ status: "paused", owner: 0, recordCount: 1 });
    expect(ran).toEqual(["first on 2"]);
    await w.runtime(1).mend("r", pause);
    await w.runtime(3).resumeRun("r");
    expect(await w.runtime(1).result("r")).toBe("done");
    expect(ran.filter((each) => each.startsWith("first"))).toHaveLength(1);
    await expect(w.runtime(1).mend("r", pause)).rejects.toMatchObject({ code: "WORKFLOW_FINISHED" });
  });

  test("is paused by the next owner when the one that was asked dies", async () => {
    const w = world();
    const { ran, go } = await twoSteps(w);
    await w.runtime(1).mend("r", pause);
    const paused = w.next("owner-changed", ({ to }) => to === 0);
    w.kill(2);
    w.runtimes.delete(2);
    w.cluster.reportLost(2);
    await paused;
    expect(await w.runtime(1).getStatus("r")).toMatchObject({ status: "paused", recordCount: 0 });
    go.open();
    await w.runtime(1).resumeRun("r");
    expect(await w.runtime(1).result("r")).toBe("done");
    expect(ran).toHaveLength(3);
  });

  test("is off its owner at once when the pause is to wait for nothing: the step runs again", async () => {
    const w = world();
    const { ran, go } = await twoSteps(w);
    await w.runtime(1).mend("r", { kind: "pause", isNow: true });
    expect(await w.runtime(1).getStatus("r")).toMatchObject({ status: "paused", owner: 0, recordCount: 0 });
    go.open();
    await w.runtime(1).resumeRun("r");
    expect(await w.runtime(1).result("r")).toBe("done");
    expect(ran.filter((each) => each.startsWith("first"))).toHaveLength(2);
  });

  test("that was resumed before its owner held still begins again where it was", async () => {
    const w = world();
    const { ran, go } = await twoSteps(w);
    await w.runtime(1).mend("r", pause);
    await w.runtime(1).resumeRun("r");
    go.open();
    expect(await w.runtime(1).result("r")).toBe("done");
    expect(ran.map((each) => each.split(" ")[0])).toEqual(["first", "second"]);
  });

  test("keeps signals, and hears of a cancellation as a running one does", async () => {
    const w = world();
    const heard: unknown[] = [];
    const body = workflow("waiting", { version: 1 }, async (ctx) => {
      try {
        heard.push(await ctx.waitFor("go"));
        await ctx.waitFor("never");
      } catch (error) {
        await ctx.shield((safe) => safe.step("clean", () => heard.push("clean")));
        throw error;
      }
    });
    await w.startAll([body]);
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    const paused = w.next("owner-changed");
    await w.runtime(1).mend("r", pause);
    await paused;
    await w.runtime(1).signal("r", "go", 7);
    expect(heard).toEqual([]);
    await w.runtime(1).cancel("r", "enough");
    await expect(w.runtime(1).result("r")).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED" });
    expect(heard.at(-1)).toBe("clean");
  });
});

describe("a terminated run", () => {
  test("has failed, at once, and its body hears nothing", async () => {
    const w = world();
    const { ran, go } = await twoSteps(w);
    await w.runtime(1).mend("r", { kind: "terminate" }, "once");
    await w.runtime(3).mend("r", { kind: "terminate" }, "once");
    await expect(w.runtime(3).mend("r", { kind: "terminate" })).rejects.toMatchObject({ code: "WORKFLOW_FINISHED" });
    go.open();
    await expect(w.runtime(1).result("r")).rejects.toMatchObject({ failure: { code: "RUN_TERMINATED" } });
    expect(ran).toEqual(["first on 2"]);
  });

  test("may be paused, or wait for a node, before that", async () => {
    const w = world();
    await twoSteps(w);
    await w.runtime(1).mend("r", { kind: "pause", isNow: true });
    await w.runtime(1).mend("r", { kind: "terminate" });
    expect((await w.runtime(1).getStatus("r"))?.status).toBe("failed");
  });
});
