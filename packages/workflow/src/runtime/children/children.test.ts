import { describe, expect, test } from "vitest";
import { ChildCancelledError, ChildFailedError } from "../../author/errors/errors.ts";
import { workflow } from "../../author/workflow.ts";
import { Latch, world } from "../../testing/workflow-world.ts";

const double = workflow("double", { version: 1 }, async (ctx, value: number) => ctx.step("double", () => value * 2));
const broken = workflow("broken", { version: 1 }, async (ctx) => {
  await ctx.step("a", () => 1);
  throw new TypeError("no tea");
});
const waits = workflow("waits", { version: 1 }, async (ctx) => ctx.waitFor("go"));

describe("ctx.run", () => {
  test("gives a child's result, and records the start and the end in the parent", async () => {
    const w = world();
    const parent = workflow("parent", { version: 1 }, async (ctx, value: number) => {
      const first = await ctx.run(double, value);
      return await ctx.run(double, first);
    });
    await w.startAll([double, parent]);
    const run = await w.runtime(1).startWorkflow(parent, 5, { id: "p" });
    expect(await run.result()).toBe(20);
    const view = await w.runtime(1).getRun("p");
    expect(view?.history.map(([path, { kind }]) => [path, kind])).toEqual([
      ["double#0", "child"],
      ["double#0/result", "child-completed"],
      ["double#1", "child"],
      ["double#1/result", "child-completed"],
    ]);
    expect(await w.runtime(1).getStatus("p/double#0")).toMatchObject({
      status: "completed",
      parent: { runId: "p", path: "double#0", closePolicy: "cancel" },
    });
  });

  test("rejects with what a child failed of, and with why it was cancelled", async () => {
    const w = world();
    const seen: unknown[] = [];
    const parent = workflow("parent", { version: 1 }, async (ctx) => {
      await ctx.run(broken).catch((error: unknown) => seen.push(error));
      await ctx.run(waits, undefined, { id: "waiting" }).catch((error: unknown) => seen.push(error));
      await ctx.run("missing").catch((error: unknown) => seen.push(error));
      return "on";
    });
    await w.startAll([broken, waits, parent]);
    const run = await w.runtime(1).startWorkflow(parent, undefined, { id: "p" });
    await w.next("run-started", ({ runId }) => runId === "waiting");
    await w.runtime(2).cancel("waiting", "not wanted");
    expect(await run.result()).toBe("on");
    expect(seen[0]).toBeInstanceOf(ChildFailedError);
    expect(seen[0]).toMatchObject({ code: "CHILD_FAILED", cause: { name: "TypeError", message: "no tea" } });
    expect(seen[1]).toBeInstanceOf(ChildCancelledError);
    expect(seen[1]).toMatchObject({ code: "CHILD_CANCELLED", runId: "waiting", reason: "not wanted" });
    expect(seen[2]).toMatchObject({ code: "CHILD_FAILED", failure: { code: "WORKFLOW_TYPE_UNKNOWN" } });
  });

  test("takes no slot while it waits: nested children end with one slot for each node", async () => {
    const w = world([1]);
    const nested = workflow("nested", { version: 1 }, async (ctx, depth: number): Promise<number> => {
      if (depth === 0) return 1;
      const results = await Promise.all(
        [1, 2].map((n) => ctx.run<typeof nested>("nested", depth - 1, { name: `n${n}` })),
      );
      return results.reduce((sum, each) => sum + Number(each), 0);
    });
    await w.startAll([nested], { limits: { maxRunningBodies: 1 } });
    const runs = await Promise.all([1, 2, 3].map((n) => w.runtime(1).startWorkflow(nested, 3, { id: `r${n}` })));
    expect(await Promise.all(runs.map((run) => run.result()))).toEqual([8, 8, 8]);
  });
});

describe("a parent that is taken over", () => {
  test("does not start its children again, and hears of those that ended meanwhile", async () => {
    const w = world();
    const bodies: string[] = [];
    const child = workflow("child", { version: 1 }, async (ctx) => {
      bodies.push(ctx.runId);
      return ctx.waitFor("go");
    });
    const parent = workflow("parent", { version: 1 }, async (ctx) => {
      const handles = await Promise.all([1, 2, 3].map((n) => ctx.start(child, undefined, { id: `c${n}` })));
      const order: string[] = [];
      await Promise.all(
        handles.map(async (handle) => {
          await handle.result();
          order.push(handle.runId);
        }),
      );
      return order;
    });
    // Node 1 alone has the parent at first.
    w.start(1, [parent]);
    w.start(2, [child]);
    w.start(3, [child, parent]);
    await Promise.all([1, 2, 3].map((n) => w.runtime(n).registered));
    w.cluster.lead(2);
    const run = await w.runtime(1).startWorkflow(parent, undefined, { id: "p" });
    await w.next("record-committed", ({ path }) => path === "child#2");
    const ended = w.next(
      "record-committed",
      ({ path, kind }) => path === "child#1/result" && kind === "child-completed",
    );
    await w.runtime(2).signal("c2", "go");
    await ended;
    const moved = w.next("owner-changed", ({ runId }) => runId === "p");
    w.kill(1);
    w.cluster.reportLost(1);
    await w.runtime(2).signal("c3", "go");
    await moved;
    await w.runtime(2).signal("c1", "go");
    expect(await w.runtime(3).result(run.id)).toEqual(["c2", "c3", "c1"]);
    expect(bodies.toSorted()).toEqual(["c1", "c2", "c3"]);
  });
});

describe("the answer of a child that ended before anybody waited for it", () => {
  test("has its turn by its place in the log, also while its record is being read", async () => {
    const w = world([1]);
    const ended = new Latch();
    const read = new Latch();
    const quick = workflow("quick", { version: 1 }, async (ctx) => ctx.runId);
    const parent = workflow("parent", { version: 1 }, async (ctx) => {
      const order: string[] = [];
      const child = await ctx.start(quick, undefined, { id: "c" });
      await Promise.all([
        ctx.scope("a", async (own) => {
          await own.step("first", () => ended.opened);
          order.push(await child.result());
        }),
        ctx.scope("b", async (own) => {
          await own.step("second", () => read.opened);
          order.push("second");
        }),
      ]);
      return order;
    });
    const { engine } = w.cluster.node(1);
    const slow = new Proxy(engine, {
      get: (target, name) => {
        const found: unknown = Reflect.get(target, name);
        if (typeof found !== "function") return found;
        if (name !== "record") return found.bind(target);
        return async (runId: string, path: string) => {
          const second = w.next("record-committed", (event) => event.path === "b/second#0");
          read.open();
          await second;
          // The answer of the second step is here, and could be given.
          for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
          return engine.record(runId, path);
        };
      },
    });
    w.start(1, [quick, parent], { engine: slow });
    await w.runtime(1).registered;
    w.cluster.lead(1);
    const recorded = w.next("record-committed", ({ path }) => path === "quick#0/result");
    const run = await w.runtime(1).startWorkflow(parent, undefined, { id: "p" });
    await recorded;
    ended.open();
    expect(await run.result()).toEqual(["c", "second"]);
  });
});

describe("the types of a child", () => {
  test("are those of its definition", () => {
    workflow("typed", { version: 1 }, async (ctx) => {
      const doubled: number = await ctx.run(double, 2);
      const handle = await ctx.start<typeof double>("double", 2);
      const again: number = await handle.result();
      // @ts-expect-error -- the child takes a number
      await ctx.run(double, "2");
      // @ts-expect-error -- the child needs an input
      await ctx.run(double);
      // @ts-expect-error -- no such policy
      await ctx.start(double, 1, { parentClosePolicy: "wait" });
      return doubled + again;
    });
  });
});

describe("when a parent ends", () => {
  test("its children are asked to cancel, and abandoned ones go on", async () => {
    const w = world();
    const parent = workflow("parent", { version: 1 }, async (ctx) => {
      await ctx.start(waits, undefined, { id: "kept", parentClosePolicy: "abandon" });
      await ctx.start(waits, undefined, { id: "closed" });
    });
    await w.startAll([waits, parent]);
    const closed = w.next("run-ended", ({ runId }) => runId === "closed");
    await (await w.runtime(1).startWorkflow(parent, undefined, { id: "p" })).result();
    expect((await closed).outcome).toMatchObject({ status: "cancelled", reason: "its parent p has ended" });
    await w.runtime(1).signal("kept", "go", 7);
    expect(await w.runtime(1).result("kept")).toBe(7);
  });

  test("a cancelled branch that waits for a child asks it to cancel, and the parent goes on", async () => {
    const w = world();
    const parent = workflow("parent", { version: 1 }, async (ctx) => {
      const raced = await ctx.race({
        child: (own) => own.run(waits, undefined, { id: "loser" }),
        short: (own) => own.sleep(5),
      });
      await ctx.waitFor("end");
      return raced.winner;
    });
    await w.startAll([waits, parent]);
    const run = await w.runtime(1).startWorkflow(parent, undefined, { id: "p" });
    await w.next("run-ended", ({ runId }) => runId === "loser");
    expect(await w.runtime(1).getStatus("loser")).toMatchObject({ status: "cancelled" });
    expect(await w.runtime(1).getStatus("p")).toMatchObject({ status: "running" });
    await run.signal("end");
    expect(await run.result()).toBe("short");
  });

  test("1,000 children are told in pieces, over a change of leader", async () => {
    const w = world([1, 2]);
    const begun = new Latch();
    const parent = workflow("parent", { version: 1 }, async (ctx) => {
      await Promise.all(Array.from({ length: 1000 }, (_, n) => ctx.start(waits, undefined, { name: `n${n}` })));
      begun.open();
      await ctx.waitFor("end");
    });
    await w.startAll([waits, parent], { limits: { maxRunningBodies: 2000 } });
    let left = 1000;
    const all = w.next("run-ended", ({ runId }) => runId.startsWith("p/") && --left === 0);
    const run = await w.runtime(1).startWorkflow(parent, undefined, { id: "p" });
    await begun.opened;
    await run.signal("end");
    await w.next("cancel-requested");
    w.cluster.lead(2);
    await all;
    const { size } = w.cluster.node(1).executor.state;
    expect(size).toMatchObject({ running: 0, finished: 1001 });
    const unreported = () => w.cluster.node(1).executor.state.unreportedEnds(10);
    await expect.poll(unreported, { timeout: 20_000 }).toEqual([]);
    expect(w.cluster.node(1).executor.state.hasClosingParents).toBe(false);
  });
});
