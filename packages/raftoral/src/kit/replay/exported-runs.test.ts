/** Runs of a cluster, exported and replayed: what one version of the code recorded fits that version. */
import {
  CancelledError,
  TerminalError,
  type WorkflowContext,
  type WorkflowDefinition,
  workflow,
} from "@raftoral/workflow";
import { expect, test } from "vitest";
import { TestCluster } from "../cluster/test-cluster.ts";
import { parseHistory } from "./parse-history.ts";
import { replay } from "./replay.ts";

const fails = (): never => {
  throw new TerminalError("declined", { cause: new Error("the bank said no") });
};

const bodies: Readonly<Record<string, (ctx: WorkflowContext) => Promise<unknown>>> = {
  "a result of records and randomness": async (ctx) => [
    ctx.random(),
    ctx.uuid(),
    await ctx.step("one", () => 1),
    await ctx.now(),
  ],
  "no result": async (ctx) => {
    await ctx.step("nothing", () => undefined);
  },
  "a failed step": (ctx) => ctx.step("charge", fails),
  "a failed step that is caught": async (ctx) => {
    await ctx.step("charge", fails).catch(() => ctx.step("refund", () => 1));
  },
  "a failed variable": (ctx) => ctx.variable("status", fails),
  "variables and their changes": async (ctx) => {
    const status = await ctx.variable("status", { a: 1 });
    await status.set({ a: 2 });
    return status.update(({ a }) => ({ a: a * 2 }));
  },
  "sleeps side by side": async (ctx) => {
    await Promise.all([ctx.sleep("1d"), ctx.sleep("2d"), ctx.scope("part", (own) => own.sleep("1d"))]);
  },
  "a race of sleeps": (ctx) => Promise.race([ctx.sleep("1h").then(() => 1), ctx.sleep("2h").then(() => 2)]),
  "a wait that times out": (ctx) => ctx.waitFor("go", { timeout: "1h" }),
  "a signal in time": (ctx) => ctx.waitFor("sent", { timeout: "1h" }),
  "a signal": (ctx) => ctx.waitFor("sent"),
  "scopes in parallel": (ctx) =>
    Promise.all([1, 2, 3].map((at) => ctx.scope("part", (own) => own.step("pack", () => at)))),
};

function definition(body: (ctx: WorkflowContext) => Promise<unknown>): WorkflowDefinition {
  return workflow("order", { version: 3 }, body) as WorkflowDefinition;
}

test.each(Object.entries(bodies))("%s: the export of the ended run replays as the same", async (_, body) => {
  const order = definition(body);
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 1 });
  const run = await cluster.workflows.start(order, { item: "tea" });
  await run.signal("sent", { approved: true }).catch(() => {});
  await run.wait();
  const history = await run.exportHistory();
  const read = parseHistory(JSON.stringify(history));
  expect(read).toEqual(history);
  expect(await replay(read, order)).toMatchObject({ verdict: "same", replayed: expect.any(Number) });
});

test.each(Object.entries(bodies))("%s: every prefix of its records is extended or the same", async (_, body) => {
  const order = definition(body);
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 1 });
  const run = await cluster.workflows.start(order, null);
  await run.signal("sent", 1).catch(() => {});
  await run.wait();
  const history = await run.exportHistory();
  for (let count = 0; count <= history.records.length; count++) {
    const prefix = { ...history, records: history.records.slice(0, count), outcome: { status: "running" } as const };
    const { verdict, reason } = await replay(prefix, order);
    expect(verdict, `${count} records: ${reason}`).not.toBe("different");
  }
});

test("a running run and a cancelled one replay, too", async () => {
  const order = definition(async (ctx) => {
    try {
      await ctx.step("reserve", () => 1);
      await ctx.waitFor("approval");
    } finally {
      await ctx.step("release", () => 1).catch(() => {});
    }
  });
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 1 });
  const run = await cluster.workflows.start(order, null);
  await run.signal("other", 1);
  await cluster.time.untilIdle();
  const running = await run.exportHistory();
  expect(running).toMatchObject({ outcome: { status: "running" }, pendingSignals: ["other"] });
  expect(await replay(running, order)).toMatchObject({ verdict: "same", replayed: 1 });
  await run.cancel({ reason: "ordered twice" });
  await run.wait();
  const cancelled = await run.exportHistory();
  expect(cancelled.outcome).toMatchObject({ status: "cancelled", reason: "ordered twice" });
  expect(await replay(cancelled, order)).toMatchObject({ verdict: "same" });
});

test("a run that ends in spite of its cancellation replays with it", async () => {
  const order = definition(async (ctx) => {
    await ctx.step("reserve", () => 1);
    try {
      await ctx.waitFor("approval");
    } catch {
      return ctx.signal.aborted ? "undone" : "approved";
    }
    return "approved";
  });
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 1 });
  const run = await cluster.workflows.start(order, null);
  await cluster.time.untilIdle();
  await run.cancel({ reason: "ordered twice" });
  expect(await run.result()).toBe("undone");
  expect(await run.describe()).toMatchObject({ status: "completed", cancelReason: "ordered twice" });
  const history = parseHistory(JSON.stringify(await run.exportHistory()));
  expect(history.outcome).toMatchObject({ status: "completed", cancelReason: "ordered twice" });
  expect(await replay(history, order)).toMatchObject({ verdict: "same" });
});

test("a body that cancels itself was not asked to", async () => {
  const order = definition(async (ctx) => {
    await ctx.sleep("1h");
    throw new CancelledError("sold out");
  });
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 1 });
  const run = await cluster.workflows.start(order, null);
  await run.wait();
  const history = parseHistory(JSON.stringify(await run.exportHistory()));
  expect(history.outcome).toEqual({ status: "cancelled", reason: "sold out", endedAtMs: expect.any(Number) });
  expect(await replay(history, order)).toMatchObject({ verdict: "same" });
});
