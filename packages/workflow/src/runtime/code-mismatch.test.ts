import { describe, expect, test } from "vitest";
import { workflow } from "../author/workflow.ts";
import type { WorkflowContext } from "../author/workflow-context.ts";
import type { RunStuck } from "../state/workflow-event.ts";
import { HandClock } from "../testing/hand-clock.ts";
import { Latch, type World, world } from "../testing/workflow-world.ts";

/** Longer than a body may rest before it is said not to fit, on the tests' clock. */
const WAIT_MS = 10_000;

type Body = (ctx: WorkflowContext) => Promise<unknown>;

const order = (run: Body) => workflow("order", { version: 1 }, (ctx: WorkflowContext) => run(ctx));

/** A run that has recorded `a` and `b` on node 2 and waits for `go`; node 2 then dies, and node 1 has other code. */
async function deployed(
  other: Body,
  more: { readonly cancels?: boolean } = {},
): Promise<World & { readonly clock: HandClock; readonly stuck: Promise<RunStuck> }> {
  const w = world();
  const clock = new HandClock();
  const waiting = new Latch();
  const first = order(async (ctx) => {
    await ctx.step("a", () => 1);
    await ctx.step("b", () => 2);
    waiting.open();
    await ctx.waitFor("go");
    return "first";
  });
  w.start(1, [order(other)], { clock });
  w.start(2, [first], { clock });
  w.start(3, [], { clock });
  await Promise.all([...w.runtimes.values()].map((runtime) => runtime.registered));
  w.cluster.lead(1);
  const committed = w.next("record-committed", ({ path }) => path === "b#0");
  await w.runtime(2).startWorkflow(first, undefined, { id: "r" });
  await Promise.all([committed, waiting.opened]);
  if (more.cancels === true) w.cluster.node(2).connected = false;
  if (more.cancels === true) await w.runtime(1).cancel("r", "enough");
  const stuck = w.next("run-stuck");
  w.kill(2);
  w.cluster.reportLost(2);
  return Object.assign(w, { clock, stuck });
}

const began: string[] = [];
const misfits: readonly (readonly [string, Body, { path: string; recorded: string }])[] = [
  ["asks for another kind of call", (ctx) => ctx.sleep(1, { name: "a" }), { path: "a#0", recorded: "step" }],
  [
    "has renamed a step",
    (ctx) => ctx.step("first", () => began.push("first")),
    { path: "first#0", recorded: "step a#0" },
  ],
  [
    "has removed a step, and would go on with a new one",
    async (ctx) => {
      await ctx.step("b", () => 2);
      await ctx.step("c", () => began.push("c"));
    },
    { path: "c#0", recorded: "step a#0" },
  ],
  [
    "has removed a step, and would wait for what comes",
    async (ctx) => {
      await ctx.step("b", () => 2);
      await ctx.waitFor("go");
    },
    { path: "go#0", recorded: "step a#0" },
  ],
  [
    "has removed the last steps, and would complete",
    (ctx) => ctx.step("a", () => 1),
    { path: "its end", recorded: "step b#0" },
  ],
  [
    "throws before it has come as far",
    async (ctx) => {
      await ctx.step("a", () => 1);
      throw new Error("new check");
    },
    { path: "its end", recorded: "step b#0" },
  ],
  [
    "catches every error",
    async (ctx) => {
      for (;;) {
        const failed = await ctx.sleep(1, { name: "a" }).then(
          () => false,
          () => true,
        );
        if (failed) await ctx.step("swallowed", () => began.push("swallowed"));
      }
    },
    { path: "a#0", recorded: "step" },
  ],
];

describe("code that does not fit a run's history (B7)", () => {
  test.each(misfits)("holds the run where it %s, and begins nothing new", async (_, other, { path, recorded }) => {
    began.length = 0;
    const w = await deployed(other);
    expect(await w.clock.until(w.stuck, WAIT_MS)).toMatchObject({
      runId: "r",
      reason: "code-mismatch",
      mismatch: { path, recorded },
    });
    expect(await w.runtime(1).getStatus("r")).toMatchObject({ status: "stuck", owner: 0, recordCount: 2 });
    expect(w.events.filter(({ type }) => type === "code-mismatch")).toEqual([
      expect.objectContaining({ runId: "r", path, recorded }),
    ]);
    expect(began).toEqual([]);
    // Code that fits comes by a deployment.
    w.runtime(1).stop();
    const fitting = order(async (ctx) => {
      await ctx.step("a", () => 1);
      await ctx.step("b", () => 2);
      return `${String(await ctx.waitFor("go"))}, mended`;
    });
    w.start(1, [fitting]);
    await w.runtime(1).signal("r", "go", "on");
    expect(await w.runtime(1).result("r")).toBe("on, mended");
  });

  test("is tried on every process before the run is stuck: one that fits goes on with it", async () => {
    const [w, clock, waiting] = [world(), new HandClock(), new Latch()];
    const fits: Body = async (ctx) => {
      await ctx.step("a", () => 1);
      waiting.open();
      return await ctx.waitFor("go");
    };
    const differs: Body = (ctx) => ctx.step("other", () => 1);
    w.start(1, [order(differs)], { clock });
    w.start(2, [order(fits)], { clock });
    w.start(3, [order(fits)], { clock });
    await Promise.all([...w.runtimes.values()].map((runtime) => runtime.registered));
    w.cluster.lead(1);
    const committed = w.next("record-committed", ({ path }) => path === "a#0");
    await w.runtime(2).startWorkflow("order", undefined, { id: "r" });
    await committed;
    w.kill(2);
    w.cluster.reportLost(2);
    await w.runtime(1).signal("r", "go", "on");
    expect(await clock.until(w.runtime(1).result("r"), WAIT_MS)).toBe("on");
    expect(w.events.filter(({ type }) => type === "run-stuck")).toEqual([]);
  });

  test("does not keep a cancelled run: it ends", async () => {
    const w = await deployed((ctx) => ctx.step("other", () => began.push("other")), { cancels: true });
    await expect(w.clock.until(w.runtime(1).result("r"), WAIT_MS)).rejects.toThrow("enough");
    expect(began).not.toContain("other");
  });
});

test("a version that is in use and registered nowhere is reported by a node that has others of its type, when it starts", async () => {
  const w = world();
  const version = (number: number) => workflow("order", { version: number }, (ctx) => ctx.waitFor("go"));
  w.start(1, []);
  w.start(2, [version(1)]);
  w.start(3, [workflow("mail", { version: 1 }, async () => {})]);
  await Promise.all([...w.runtimes.values()].map((runtime) => runtime.registered));
  w.cluster.lead(1);
  for (const id of ["a", "b"]) await w.runtime(2).startWorkflow("order", undefined, { id });
  const orphaned = w.next("owner-changed", ({ to }) => to === 0);
  w.kill(2);
  w.cluster.reportLost(2);
  await orphaned;
  w.runtime(1).stop();
  const missing = w.next("version-missing");
  w.start(1, [version(3), version(2)]);
  expect(await missing).toEqual({
    type: "version-missing",
    workflowType: "order",
    version: 1,
    runs: 2,
    registered: [2, 3],
  });
  expect(w.events.filter(({ type }) => type === "version-missing")).toHaveLength(1);
});

describe("ctx.patched", () => {
  const both =
    (courses: string[], waiting: Latch): Body =>
    async (ctx) => {
      await ctx.step("a", () => 1);
      const way = ctx.patched("new-way") ? "new" : "old";
      courses.push(`${ctx.nodeId} ${way}`);
      await ctx.step(way === "new" ? "better" : "b", () => 2);
      expect(ctx.patched("new-way")).toBe(way === "new");
      waiting.open();
      await ctx.waitFor("go");
      return way;
    };

  test("gives the old way to runs that took it, and the new way to runs that come to it now, on every owner", async () => {
    const courses: string[] = [];
    const w = await deployed(both(courses, new Latch()));
    await w.runtime(1).signal("r", "go");
    expect(await w.runtime(1).result("r")).toBe("old");
    const w2 = world();
    const waiting = new Latch();
    await w2.startAll([order(both(courses, waiting))]);
    const recorded = w2.next("record-committed", ({ path }) => path === "better#0");
    await w2.runtime(2).startWorkflow("order", undefined, { id: "n" });
    await Promise.all([waiting.opened, recorded]);
    w2.kill(2);
    w2.cluster.reportLost(2);
    await w2.runtime(1).signal("n", "go");
    expect(await w2.runtime(1).result("n")).toBe("new");
    expect(new Set(courses.map((course) => course.slice(2)).slice(1))).toEqual(new Set(["new"]));
  });

  test("takes the new way in a run whose record ends before it, and may be removed later", async () => {
    const w = world();
    const hold = new Latch();
    const waiting = new Latch();
    const old: Body = async (ctx) => {
      await ctx.step("a", () => 1);
      await hold.opened;
      await ctx.step("b", () => 2);
    };
    w.start(1, [order(both([], waiting))]);
    w.start(2, [order(old)]);
    w.start(3, [
      order(async (ctx) => {
        await ctx.step("a", () => 1);
        await ctx.step("better", () => 2);
        return "removed";
      }),
    ]);
    await Promise.all([...w.runtimes.values()].map((runtime) => runtime.registered));
    w.cluster.lead(1);
    const committed = w.next("record-committed", ({ path }) => path === "a#0");
    await w.runtime(2).startWorkflow("order", undefined, { id: "r" });
    await committed;
    const better = w.next("record-committed", ({ path }) => path === "better#0");
    w.kill(2);
    w.cluster.reportLost(2);
    await Promise.all([waiting.opened, better]);
    const owner = (await w.runtime(1).getStatus("r"))?.owner;
    expect(owner).toBe(1);
    w.kill(1);
    w.cluster.lead(3);
    w.cluster.reportLost(1);
    expect(await w.runtime(3).result("r")).toBe("removed");
  });
});
