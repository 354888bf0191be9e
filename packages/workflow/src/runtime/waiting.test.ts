import { describe, expect, test } from "vitest";
import { CancelledError } from "../author/errors/errors.ts";
import { signal } from "../author/signal.ts";
import { workflow } from "../author/workflow.ts";
import { Latch, world } from "../testing/workflow-world.ts";

describe("waiting", () => {
  test("a signal sent before the wait is kept; each is delivered once, in order", async () => {
    const w = world([1]);
    const hold = new Latch();
    const n = signal<number>("n");
    const reader = workflow("reader", { version: 1 }, async (ctx) => {
      await ctx.step("hold", () => hold.opened);
      const first = await ctx.waitFor(n);
      const rest = await Promise.all([ctx.waitFor(n), ctx.waitFor(n)]);
      return [first, ...rest];
    });
    await w.startAll([reader]);
    const run = await w.runtime(1).startWorkflow(reader, undefined);
    await run.signal("n", 1);
    await run.signal("n", 2);
    hold.open();
    await w.next("record-committed", (event) => event.path === "n#1");
    await run.signal("n", 3);
    expect(await run.result()).toEqual([1, 2, 3]);
  });

  test.each([1, 2, 3, 5, 8])(
    "%i waits for one signal at once are answered in their order, here and on the next owner",
    async (count) => {
      const w = world();
      const n = signal<number>("n");
      const answered: number[][] = [];
      const body = workflow("many", { version: 1 }, async (ctx) => {
        const got = await Promise.all(Array.from({ length: count }, () => ctx.waitFor(n)));
        answered.push(got);
        await ctx.waitFor("end");
        return got;
      });
      await w.startAll([body]);
      const run = await w.runtime(2).startWorkflow(body, undefined);
      await Promise.all(Array.from({ length: count }, (_, at) => run.signal("n", at)));
      await expect.poll(() => answered.length).toBe(1);
      w.kill(2);
      w.cluster.reportLost(2);
      await w.runtime(1).signal(run.id, "end");
      const got = await w.runtime(1).result(run.id);
      expect(answered.at(-1)).toEqual(answered[0]);
      expect(got).toEqual(answered[0]);
      // Sent at once, they may arrive in any order; each is received once.
      expect(new Set(answered[0]).size).toBe(count);
    },
  );

  test("a wait with a timeout tells a signal without a payload from none in time, also to the next owner", async () => {
    const w = world();
    const go = signal("go");
    const patient = workflow("patient", { version: 1 }, async (ctx) => {
      const got = [await ctx.waitFor(go, { timeout: "1h" }), await ctx.waitFor(go, { timeout: "10ms" })];
      await ctx.waitFor("end");
      return got.map((each) => each.timedOut);
    });
    await w.startAll([patient]);
    const timedOut = w.next("record-committed", (event) => event.kind === "signal-timeout");
    const run = await w.runtime(2).startWorkflow(patient, undefined);
    await run.signal("go");
    await timedOut;
    w.kill(2);
    w.cluster.reportLost(2);
    await w.runtime(1).signal(run.id, "end");
    expect(await w.runtime(1).result(run.id)).toEqual([false, true]);
  });

  test("a wait that lost its timeout in the code has no payload to go on with", async () => {
    const w = world();
    const timed = workflow("timed", { version: 1 }, async (ctx) => {
      await ctx.waitFor("go", { timeout: "10ms" });
      await ctx.waitFor("end");
    });
    const untimed = workflow("timed", { version: 1 }, async (ctx) => ctx.waitFor("go"));
    await Promise.all([1, 2, 3].map((id) => w.start(id, id === 3 ? [] : [id === 1 ? untimed : timed]).registered));
    w.cluster.lead(1);
    const timedOut = w.next("record-committed", (event) => event.kind === "signal-timeout");
    const run = await w.runtime(2).startWorkflow(timed, undefined);
    await timedOut;
    const stuck = w.next("run-stuck");
    w.kill(2);
    w.cluster.reportLost(2);
    expect(await stuck).toMatchObject({ runId: run.id, mismatch: { path: "go#0" } });
  });

  test("a sleep goes on where it was when another node takes over", async () => {
    const w = world();
    const sleeper = workflow("sleeper", { version: 1 }, async (ctx) => {
      const before = await ctx.now();
      await ctx.sleep("60ms");
      return before;
    });
    await w.startAll([sleeper]);
    const asleep = w.next("record-committed", (event) => event.kind === "sleep");
    await w.runtime(3).startWorkflow(sleeper, undefined, { id: "s" });
    await asleep;
    w.kill(3);
    w.runtimes.delete(3);
    w.cluster.reportLost(3);
    const before = (await w.runtime(1).result("s")) as number;
    expect(Date.now() - before).toBeGreaterThanOrEqual(58);
    const run = await w.runtime(1).getRun("s");
    expect(run?.history.map(([key]) => key)).toEqual(["now#0", "sleep#0"]);
  });
});

describe("cancelling", () => {
  test("interrupts steps, sleeps and waits with CancelledError and ends the run", async () => {
    const w = world();
    const caught: unknown[] = [];
    const stuck = workflow("stuck", { version: 1 }, async (ctx, where: string) => {
      try {
        if (where === "step") await ctx.step("s", () => new Promise(() => {}));
        if (where === "sleep") await ctx.sleep("1h");
        if (where === "wait") await ctx.waitFor("x", { timeout: "1h" });
      } catch (error) {
        caught.push(error);
        await ctx.step("after", () => 1);
      }
    });
    await w.startAll([stuck]);
    for (const where of ["step", "sleep", "wait"]) {
      const begun =
        where === "step"
          ? w.next("body-started")
          : w.next("record-committed", (event) => event.kind === "sleep" || event.kind === "wait-deadline");
      const run = await w.runtime(1).startWorkflow(stuck, where);
      await begun;
      await w.runtime(2).cancel(run.id, "enough");
      await expect(w.runtime(3).result(run.id)).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED", reason: "enough" });
      await expect(w.runtime(2).cancel(run.id)).rejects.toMatchObject({ code: "WORKFLOW_FINISHED" });
    }
    expect(caught).toHaveLength(3);
    for (const error of caught) expect(error).toBeInstanceOf(CancelledError);
  });

  test("ends a body that does not listen, after the grace", async () => {
    const w = world([1]);
    const deaf = workflow("deaf", { version: 1 }, async () => new Promise(() => {}));
    await w.startAll([deaf], { limits: { cancelGraceMs: 5 } });
    const run = await w.runtime(1).startWorkflow(deaf, undefined);
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED" });
  });

  test("survives the owner's death: the new owner's body is cancelled at the first new call", async () => {
    const w = world();
    const held = new Latch();
    const seen: string[] = [];
    const work = workflow("work", { version: 1 }, async (ctx) => {
      await ctx.step("first", () => 1);
      seen.push(`first on ${ctx.nodeId}`);
      if (ctx.nodeId === 2) await held.opened;
      await ctx.step("second", () => seen.push("second"));
    });
    await w.startAll([work]);
    const committed = w.next("record-committed");
    await w.runtime(2).startWorkflow(work, undefined, { id: "c" });
    await committed;
    await w.runtime(1).cancel("c", "stop");
    w.kill(2);
    w.cluster.reportLost(2);
    await expect(w.runtime(1).result("c")).rejects.toMatchObject({ reason: "stop" });
    expect(seen).toEqual(["first on 2", "first on 1"]);
  });
});
