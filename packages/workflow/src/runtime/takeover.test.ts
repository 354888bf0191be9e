import { describe, expect, test } from "vitest";
import { workflow } from "../author/workflow.ts";
import { Latch, world } from "../testing/workflow-world.ts";

describe("takeover", () => {
  test("goes on from the last committed step; committed steps do not run again", async () => {
    const w = world();
    const executed: string[] = [];
    const stuck = new Latch();
    const begun = new Latch();
    const steps = workflow("steps", { version: 1 }, async (ctx) => {
      for (const name of ["a", "b", "c"]) {
        await ctx.step(name, async () => {
          executed.push(`${name} on ${ctx.nodeId}`);
          if (name !== "c" || ctx.nodeId !== 3) return;
          begun.open();
          await stuck.opened;
        });
      }
      return ctx.attempt;
    });
    await w.startAll([steps]);
    await w.runtime(3).startWorkflow(steps, undefined, { id: "t" });
    await begun.opened;
    const changed = w.next("owner-changed");
    w.kill(3);
    w.runtimes.delete(3);
    w.cluster.reportLost(3);
    expect(await w.runtime(1).result("t")).toBe(2);
    expect(executed).toEqual(["a on 3", "b on 3", "c on 3", "c on 1"]);
    expect(await changed).toMatchObject({ from: 3, to: 1, reason: "node-failure" });
  });

  test("fences an owner that is only cut off: nothing it does is recorded, and its body goes nowhere", async () => {
    const w = world();
    const release = new Latch();
    const log: string[] = [];
    const tokens: number[] = [];
    const signals: AbortSignal[] = [];
    const guarded = workflow("guarded", { version: 1 }, async (ctx) => {
      tokens.push(ctx.fencingToken);
      signals.push(ctx.signal);
      try {
        const value = await ctx.step("write", async () => {
          if (ctx.nodeId === 2) await release.opened;
          return `by ${ctx.nodeId}`;
        });
        await ctx.step("act", () => log.push(`${ctx.nodeId} acts on ${value}`));
        return value;
      } catch (error) {
        log.push(`${ctx.nodeId} caught ${String(error)}`);
        throw error;
      }
    });
    await w.startAll([guarded]);
    await w.runtime(2).startWorkflow(guarded, undefined, { id: "f" });
    w.cluster.node(2).connected = false;
    w.cluster.reportLost(2);
    expect(await w.runtime(1).result("f")).toBe("by 1");
    release.open();
    const back = w.next("node-changed", (event) => event.nodeId === 2 && event.status === "live");
    w.cluster.reportReturned(2);
    w.cluster.reconnect(2);
    await back;
    expect(await w.runtime(2).result("f")).toBe("by 1");
    expect(log).toEqual(["1 acts on by 1"]);
    expect(tokens[1]).toBeGreaterThan(tokens[0] ?? Number.NaN);
    expect(signals[0]?.aborted).toBe(true);
  });

  test("a restarted node resumes what it still owns, from the log or from a snapshot", async () => {
    for (const fromSnapshot of [false, true]) {
      const w = world();
      const executed: string[] = [];
      const resume = workflow("resume", { version: 1 }, async (ctx) => {
        await ctx.step("before", () => executed.push("before"));
        const go = await ctx.waitFor("go");
        await ctx.step("after", () => executed.push("after"));
        return go;
      });
      await w.startAll([resume]);
      const before = w.next("record-committed");
      await w.runtime(2).startWorkflow(resume, undefined, { id: "r" });
      await before;
      w.kill(2);
      await w.cluster.restart(2, fromSnapshot ? { fromSnapshotOf: 1 } : {});
      const started = w.next("body-started");
      w.start(2, [resume]);
      expect(await started).toMatchObject({ nodeId: 2, attempt: 2, replayed: 1 });
      await w.runtime(1).signal("r", "go", "on");
      expect(await w.runtime(2).result("r")).toBe("on");
      expect(executed).toEqual(["before", "after"]);
    }
  });

  test("follows a snapshot that replaces the state under a running node", async () => {
    const w = world();
    const aborted = new Latch();
    const bodies: number[] = [];
    const work = workflow("work", { version: 1 }, async (ctx) => {
      bodies.push(ctx.nodeId);
      if (ctx.nodeId === 2) ctx.signal.addEventListener("abort", () => aborted.open());
      await ctx.step("work", () => (ctx.nodeId === 2 ? new Promise(() => {}) : undefined));
      return ctx.nodeId;
    });
    await w.startAll([work]);
    const run = await w.runtime(2).startWorkflow(work, undefined, { id: "x" });
    w.cluster.node(2).connected = false;
    const waiting = run.result();
    w.cluster.reportLost(2);
    expect(await w.runtime(1).result("x")).toBe(1);
    const back = w.next("node-changed", (event) => event.nodeId === 2 && event.status === "live");
    await w.cluster.installSnapshot(2, 1);
    await aborted.opened;
    expect(await waiting).toBe(1);
    w.cluster.reportReturned(2);
    w.cluster.reconnect(2);
    await back;
    expect(bodies).toEqual([2, 1]);
  });

  test("a process that replays how its predecessors came to own runs begins none of them before its own registration", async () => {
    const w = world();
    const idle = workflow("idle", { version: 1 }, async (ctx) => ctx.waitFor("go"));
    await w.startAll([idle]);
    await w.runtime(2).startWorkflow(idle, undefined, { id: "i" });
    for (let restarts = 1; restarts <= 2; restarts++) {
      w.kill(2);
      const node = await w.cluster.restart(2);
      // The first registration is lost: the whole log is replayed before the next one is made.
      let proposals = 0;
      node.fault = () => (proposals++ === 0 ? "lost" : "none");
      const begun = w.next("body-started", (event) => event.attempt === restarts + 1);
      w.start(2, [idle]);
      await begun;
    }
    await w.runtime(1).signal("i", "go", 1);
    await w.runtime(2).result("i");
    const started = w.events.filter((event) => event.type === "body-started");
    expect(started.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  test("leaves a run that no node can take until a node that can registers", async () => {
    const w = world([1, 2]);
    const rare = workflow("rare", { version: 1 }, async (ctx) => {
      await ctx.waitFor("go");
      return ctx.nodeId;
    });
    w.start(1, []);
    w.start(2, [rare]);
    await Promise.all([...w.runtimes.values()].map((runtime) => runtime.registered));
    w.cluster.lead(1);
    await w.runtime(2).startWorkflow(rare, undefined, { id: "o" });
    w.kill(2);
    w.runtimes.delete(2);
    const orphaned = w.next("owner-changed", (event) => event.to === 0);
    w.cluster.reportLost(2);
    await orphaned;
    await w.cluster.restart(2);
    w.start(2, [rare]);
    await w.runtime(2).registered;
    await w.runtime(1).signal("o", "go");
    expect(await w.runtime(1).result("o")).toBe(2);
  });
});

describe("draining", () => {
  test("lets steps under way finish, then hands all runs over with one command", async () => {
    const w = world();
    const slow = new Latch();
    const executed: string[] = [];
    const order = workflow("order", { version: 1 }, async (ctx) => {
      await ctx.step("one", async () => {
        executed.push(`one on ${ctx.nodeId}`);
        await slow.opened;
      });
      await ctx.step("two", () => executed.push(`two on ${ctx.nodeId}`));
      return ctx.nodeId;
    });
    await w.startAll([order]);
    await w.runtime(3).startWorkflow(order, undefined, { id: "d" });
    const drained = w.runtime(3).drain();
    slow.open();
    expect(await drained).toEqual({ moved: 1, orphaned: 0 });
    expect(await w.runtime(1).result("d")).toBe(1);
    expect(executed).toEqual(["one on 3", "two on 1"]);
    const run = await w.runtime(3).startWorkflow(order, undefined);
    expect(await run.result()).not.toBe(3);
  });

  test("begins no step that was waiting for a slot", async () => {
    const w = world();
    const latches = { short: new Latch(), long: new Latch(), go: new Latch() };
    const executed: string[] = [];
    const busy = workflow("busy", { version: 1 }, async (ctx, which: "short" | "long") => {
      await ctx.step("busy", () => latches[which].opened);
    });
    const next = workflow("next", { version: 1 }, async (ctx) => {
      // A body whose only open call is a wait gives its slot away, and needs one again to go on beside it.
      void ctx.waitFor("never");
      await latches.go.opened;
      await ctx.step("next", () => executed.push(`next on ${ctx.nodeId}`));
    });
    await w.startAll([busy, next], { limits: { maxRunningBodies: 2 } });
    const waits = await w.runtime(3).startWorkflow(next, undefined);
    const short = w.next("body-started", (event) => event.workflowType === "busy");
    const shortRun = await w.runtime(3).startWorkflow(busy, "short");
    await short;
    const long = w.next("body-started", (event) => event.workflowType === "busy");
    await w.runtime(3).startWorkflow(busy, "long");
    await long;
    latches.go.open();
    await new Promise((resolve) => setImmediate(resolve));
    const drained = w.runtime(3).drain();
    latches.short.open();
    // Its slot is free while the drain still waits for the other one.
    await shortRun.result();
    await new Promise((resolve) => setImmediate(resolve));
    latches.long.open();
    await drained;
    await waits.result();
    expect(executed).toEqual(["next on 1"]);
  });

  test("can be taken back: the node registers again and executes, the run it still had included", async () => {
    const w = world();
    const order = workflow("order", { version: 1 }, async (ctx) => {
      await ctx.waitFor("go");
      return ctx.nodeId;
    });
    await w.startAll([order]);
    await w.runtime(3).startWorkflow(order, undefined, { id: "moved" });
    await w.runtime(3).drain();
    await w.runtime(3).resume();
    await w.runtime(3).registered;
    const mine = await w.runtime(3).startWorkflow(order, undefined, { id: "mine" });
    for (const id of ["moved", "mine"]) await w.runtime(1).signal(id, "go");
    expect(await mine.result()).toBe(3);
    expect(await w.runtime(1).result("moved")).not.toBe(3);
    await w.runtime(3).drain();
    expect((await w.runtime(1).nodes()).find((node) => node.nodeId === 3)?.status).toBe("draining");
  });

  test("is not taken back once the node drains again", async () => {
    const w = world();
    const begun = new Latch();
    const slow = new Latch();
    const order = workflow("order", { version: 1 }, async (ctx) => {
      await ctx.step("slow", () => {
        begun.open();
        return slow.opened;
      });
    });
    await w.startAll([order]);
    await w.runtime(3).startWorkflow(order, undefined);
    await begun.opened;
    const first = w.runtime(3).drain();
    const resumed = w.runtime(3).resume();
    const second = w.runtime(3).drain();
    slow.open();
    await Promise.all([first, resumed, second]);
    // Anything proposed by then is committed before the end of a run that begins now.
    await (await w.runtime(1).startWorkflow(order, undefined)).result();
    expect((await w.runtime(1).nodes()).find((node) => node.nodeId === 3)?.status).toBe("draining");
    await w.runtime(3).resume();
    await w.runtime(3).registered;
  });

  test("can be taken back when it failed: runs that were held still go on", async () => {
    const w = world();
    const order = workflow("order", { version: 1 }, async (ctx) => {
      await ctx.waitFor("go");
      await ctx.step("after", () => undefined);
      return ctx.nodeId;
    });
    await w.startAll([order], { limits: { handOverTimeoutMs: 5 } });
    await w.runtime(3).startWorkflow(order, undefined, { id: "held" });
    w.cluster.node(3).connected = false;
    await expect(w.runtime(3).drain()).rejects.toMatchObject({ code: expect.stringMatching(/NO_LEADER|DEADLINE/) });
    w.cluster.node(3).connected = true;
    await w.runtime(3).resume();
    await w.runtime(3).registered;
    await w.runtime(1).signal("held", "go");
    expect(await w.runtime(1).result("held")).toBe(3);
  });

  test("does not wait longer than its grace", async () => {
    const w = world();
    const forever = workflow("forever", { version: 1 }, async (ctx) => {
      await ctx.step("long", () => (ctx.nodeId === 3 ? new Promise(() => {}) : undefined));
      return ctx.nodeId;
    });
    await w.startAll([forever], { limits: { drainGraceMs: 5 } });
    await w.runtime(3).startWorkflow(forever, undefined, { id: "g" });
    expect(await w.runtime(3).drain()).toEqual({ moved: 1, orphaned: 0 });
    expect(await w.runtime(1).result("g")).toBe(1);
  });
});
