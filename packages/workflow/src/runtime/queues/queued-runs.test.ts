import { expect, test } from "vitest";
import { workflow } from "../../author/workflow.ts";
import { NO_RUN_QUEUE, type RunQueue } from "../../model/runs/run-queue.ts";
import { Latch, world } from "../../testing/workflow-world.ts";

function inQueue(more: Partial<RunQueue> = {}): { readonly queue: RunQueue } {
  return { queue: { ...NO_RUN_QUEUE, name: "q", ...more } };
}

test("queued runs are executed a few at a time, on all nodes, also when one dies in the middle", async () => {
  const w = world();
  const now = new Map<string, number>();
  let most = 0;
  const body = workflow("job", { version: 1 }, async (ctx, input: number) => {
    await ctx.step("work", async () => {
      const { runId } = ctx;
      now.set(runId, input);
      most = Math.max(most, now.size);
      await new Promise((resolve) => setImmediate(resolve));
      now.delete(runId);
    });
    return input;
  });
  await w.startAll([body]);
  await w.runtime(1).queue("q", { concurrency: 4 });
  const runs = await Promise.all(
    Array.from({ length: 30 }, (_, run) => w.runtime(1).startWorkflow(body, run, { id: `run-${run}`, ...inQueue() })),
  );
  w.kill(2);
  w.runtimes.delete(2);
  now.clear();
  w.cluster.reportLost(2);
  const results = await Promise.all(runs.map(({ id }) => w.runtime(1).result(id)));
  expect(results).toEqual(runs.map((_, run) => run));
  expect(most).toBeLessThanOrEqual(4);
  expect(w.cluster.node(1).executor.state.queues("q")).toMatchObject([{ waiting: 0, running: 0, admitted: 30 }]);
  expect(w.cluster.node(1).executor.state.checkQueues()).toEqual([]);
});

test("a queued run costs no body, takes signals, and is cancelled at once without one", async () => {
  const w = world();
  const go = new Latch();
  const begun: string[] = [];
  const body = workflow("waits", { version: 1 }, async (ctx) => {
    begun.push(ctx.runId);
    await ctx.step("hold", () => go.opened);
    return await ctx.waitFor("go");
  });
  await w.startAll([body]);
  await w.runtime(1).queue("q", { concurrency: 1 });
  for (const id of ["a", "b", "c"]) await w.runtime(1).startWorkflow(body, undefined, { id, ...inQueue() });
  await w.runtime(2).signal("c", "go", "early");
  expect(await w.runtime(1).getStatus("b")).toMatchObject({
    status: "queued",
    owner: 0,
    queue: { waitsFor: "concurrency" },
  });
  await w.runtime(3).cancel("b");
  await expect(w.runtime(1).result("b")).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED" });
  go.open();
  await w.runtime(1).signal("a", "go", "now");
  expect(await w.runtime(1).result("a")).toBe("now");
  expect(await w.runtime(1).result("c")).toBe("early");
  expect(begun).toEqual(["a", "c"]);
});

test("a child waits in a queue, and its parent for it", async () => {
  const w = world();
  let [now, most] = [0, 0];
  const child = workflow("child", { version: 1 }, async (ctx, input: number) => {
    await ctx.step("work", async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
    });
    return input;
  });
  const parent = workflow("parent", { version: 1 }, async (ctx) =>
    Promise.all([1, 2, 3, 4, 5, 6].map((input) => ctx.run(child, input, { queue: "q", key: "k", priority: input }))),
  );
  const missing = workflow("missing", { version: 1 }, async (ctx) => ctx.run(child, 1, { queue: "none" }));
  await w.startAll([child, parent, missing]);
  await w.runtime(1).queue("q", { perKey: 2 });
  await w.runtime(1).startWorkflow(parent, undefined, { id: "p" });
  expect(await w.runtime(1).result("p")).toEqual([1, 2, 3, 4, 5, 6]);
  expect(most).toBeLessThanOrEqual(2);
  await w.runtime(1).startWorkflow(missing, undefined, { id: "m" });
  await expect(w.runtime(1).result("m")).rejects.toThrow(/There is no queue none/);
});

test("the time of a run begins when it is let through", async () => {
  const w = world();
  const go = new Latch();
  const body = workflow("timed", { version: 1 }, async (ctx) => ctx.step("hold", () => go.opened.then(() => "done")));
  await w.startAll([body]);
  await w.runtime(1).queue("q", { concurrency: 1 });
  await w.runtime(1).startWorkflow(body, undefined, { id: "a", ...inQueue() });
  await w.runtime(1).startWorkflow(body, undefined, { id: "b", runTimeoutMs: 60_000, ...inQueue() });
  expect(await w.runtime(1).getStatus("b")).toMatchObject({ deadlineAtMs: 0 });
  go.open();
  await w.runtime(1).result("a");
  expect(await w.runtime(1).result("b")).toBe("done");
  expect((await w.runtime(1).getStatus("b"))?.deadlineAtMs).toBeGreaterThan(0);
});

test("as many runs begin in a time as the rate says, and the leader lets the others follow", async () => {
  const w = world();
  const body = workflow("quick", { version: 1 }, async (ctx) => ctx.step("work", () => "done"));
  await w.startAll([body]);
  await w.runtime(1).queue("q", { rateLimit: 2, ratePeriodMs: 5 });
  const changed = w.next("queue-changed", ({ isRateClosed }) => isRateClosed);
  const ids = ["a", "b", "c", "d", "e"];
  for (const id of ids) await w.runtime(1).startWorkflow(body, undefined, { id, ...inQueue() });
  await changed;
  for (const id of ids) expect(await w.runtime(1).result(id)).toBe("done");
});
