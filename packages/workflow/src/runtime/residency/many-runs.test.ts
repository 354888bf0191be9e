/** Many runs that wait, on nodes that keep few bodies. */
import { describe, expect, test } from "vitest";
import { workflow } from "../../author/workflow.ts";
import { HandClock } from "../../testing/hand-clock.ts";
import { world } from "../../testing/workflow-world.ts";

const RUNS = 300;
const waits = workflow("waits", { version: 1 }, async (ctx) => {
  const got = await ctx.waitFor("go");
  await ctx.sleep("10s");
  return got;
});
const ids = Array.from({ length: RUNS }, (_, at) => `r${at}`);

function setUp(nodes: readonly number[], maxResidentRuns: number) {
  const [w, clock] = [world(nodes), new HandClock()];
  return { w, clock, options: { clock, limits: { maxResidentRuns } } };
}

describe("runs that wait", () => {
  test("keep as many bodies in memory as may be, and all of them go on", async () => {
    const { w, clock, options } = setUp([1], 20);
    await w.startAll([waits], options);
    const runs = await Promise.all(ids.map((id) => w.runtime(1).startWorkflow(waits, undefined, { id })));
    await clock.advance(100);
    expect(w.runtime(1).load.owned).toBe(RUNS);
    expect(w.runtime(1).residency).toMatchObject({ resident: 20, evicted: RUNS - 20 });
    await Promise.all(runs.map((run) => run.signal("go", run.id)));
    await clock.advance(100);
    expect(w.runtime(1).residency).toMatchObject({ resident: 20, evicted: RUNS - 20 });
    await clock.advance(10_000);
    expect(await Promise.all(runs.map((run) => run.result()))).toEqual(ids);
    expect(w.runtime(1).residency).toMatchObject({ resident: 0, evicted: 0 });
    expect(w.events.filter(({ type }) => type === "body-started")).toHaveLength(RUNS);
  });

  test("are taken over with as few bodies in memory, whether their bodies were", async () => {
    const { w, clock, options } = setUp([1, 2, 3], 20);
    w.start(2, [waits], options);
    for (const nodeId of [1, 3]) w.start(nodeId, [], options);
    await Promise.all([1, 2, 3].map((nodeId) => w.runtime(nodeId).registered));
    w.cluster.lead(1);
    for (const id of ids) await w.runtime(1).startWorkflow(waits, undefined, { id });
    await clock.advance(100);
    expect(w.runtime(2).residency).toMatchObject({ evicted: RUNS - 20 });
    w.runtime(3).stop();
    w.start(3, [waits], options);
    await w.runtime(3).registered;
    w.kill(2);
    w.cluster.reportLost(2);
    await clock.advance(1_000);
    expect(w.runtime(3).residency).toMatchObject({ resident: 20, evicted: RUNS - 20 });
    await Promise.all(ids.map((id) => w.runtime(1).signal(id, "go", id)));
    await clock.advance(11_000);
    expect(await Promise.all(ids.map((id) => w.runtime(1).result(id)))).toEqual(ids);
  });

  test("are handed over by a drain without their bodies", async () => {
    const { w, clock, options } = setUp([1, 2], 5);
    w.start(1, [waits], options);
    w.start(2, [], options);
    await Promise.all([1, 2].map((nodeId) => w.runtime(nodeId).registered));
    w.cluster.lead(2);
    for (const id of ids.slice(0, 30)) await w.runtime(2).startWorkflow(waits, undefined, { id });
    await clock.advance(100);
    w.runtime(2).stop();
    w.start(2, [waits], options);
    await w.runtime(2).registered;
    w.cluster.lead(2);
    const { evictions } = w.runtime(1).residency;
    const draining = w.runtime(1).drain();
    await clock.advance(100);
    expect(await draining).toEqual({ moved: 30, orphaned: 0 });
    expect(w.runtime(1).residency).toEqual({ resident: 0, evicted: 0, evictions });
    await w.runtime(2).signal("r7", "go", "on");
    await clock.advance(10_100);
    expect(await w.runtime(2).result("r7")).toBe("on");
  });

  test("hear of what a snapshot brought, and the others stay where they are (executions.ts O3)", async () => {
    const { w, clock, options } = setUp([1, 2], 2);
    w.start(1, [], options);
    w.start(2, [waits], options);
    await Promise.all([1, 2].map((nodeId) => w.runtime(nodeId).registered));
    w.cluster.lead(1);
    for (const id of ids.slice(0, 10)) await w.runtime(1).startWorkflow(waits, undefined, { id });
    await clock.advance(100);
    const before = w.runtime(2).residency;
    expect(before).toMatchObject({ resident: 2, evicted: 8 });
    w.cluster.node(2).connected = false;
    await w.runtime(1).signal("r0", "go", "on");
    await w.runtime(1).signal("r1", "other");
    await w.runtime(1).cancel("r2", "enough");
    await w.cluster.installSnapshot(2, 1);
    w.cluster.reconnect(2);
    await clock.advance(10_100);
    expect(await w.runtime(2).result("r0")).toBe("on");
    await expect(w.runtime(2).result("r2")).rejects.toMatchObject({ reason: "enough" });
    // The two that came back took the place of the two that were there.
    expect(w.runtime(2).residency).toEqual({ resident: 0, evicted: 8, evictions: before.evictions + 2 });
  });
});
