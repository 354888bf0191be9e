/** What reaches a body from outside of its run: nothing but its answers. */
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import { VariableFailedError } from "../author/errors/errors.ts";
import { workflow } from "../author/workflow.ts";
import type { WorkflowContext } from "../author/workflow-context.ts";
import { Latch, world } from "../testing/workflow-world.ts";

describe("the async context of a body (run-execution.ts B3)", () => {
  test("is neither that of the request that started the run, nor that of whatever woke the node", async () => {
    const tenant = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const body = workflow("tenants", { version: 1 }, async (ctx) => {
      seen.push(tenant.getStore());
      await ctx.step("step", () => void seen.push(tenant.getStore()));
      await ctx.waitFor("go");
      seen.push(tenant.getStore());
    });
    const w = world([1]);
    await w.startAll([body]);
    const runs = await Promise.all(
      ["a", "b", "c"].map((name) => tenant.run(name, () => w.runtime(1).startWorkflow(body, undefined, { id: name }))),
    );
    for (const run of runs) await tenant.run("sender", () => run.signal("go"));
    await Promise.all(runs.map((run) => run.result()));
    expect(seen).toEqual(Array.from({ length: 9 }, () => undefined));
  });

  test("is kept over its awaits when the body sets one itself", async () => {
    const trace = new AsyncLocalStorage<string>();
    const body = workflow("traced", { version: 1 }, (ctx) =>
      trace.run(ctx.runId, async () => {
        await ctx.step("one", () => 1);
        const inStep = await ctx.step("two", () => trace.getStore());
        return [inStep ?? null, trace.getStore() ?? null];
      }),
    );
    const w = world([1]);
    await w.startAll([body]);
    const runs = await Promise.all(["x", "y"].map((id) => w.runtime(1).startWorkflow(body, undefined, { id })));
    expect(await Promise.all(runs.map((run) => run.result()))).toEqual([
      ["x", "x"],
      ["y", "y"],
    ]);
  });
});

describe("no call of a lost run settles (call-site.ts CS2)", () => {
  /** How long each call takes: longer than the run takes to get another owner, on a busy machine too. */
  const WORK_MS = 300;
  const calls: readonly (readonly [string, (ctx: WorkflowContext) => Promise<unknown>])[] = [
    ["a sleep that is over", (ctx) => ctx.sleep(WORK_MS)],
    ["a wait whose time is over", (ctx) => ctx.waitFor("never", { timeout: WORK_MS })],
    ["a step that finishes", (ctx) => ctx.step("slow", () => new Promise((resolve) => setTimeout(resolve, WORK_MS)))],
    [
      "a step that fails",
      (ctx) =>
        ctx.step("slow", () => new Promise((_, reject) => setTimeout(reject, WORK_MS, new Error("late"))), {
          retry: false,
        }),
    ],
    [
      "a retry",
      (ctx) =>
        ctx.step("retried", () => Promise.reject(new Error("no")), {
          retry: { attempts: 2, initialDelay: WORK_MS, jitter: 0 },
        }),
    ],
    ["a variable", async (ctx) => ctx.variable("v", () => new Promise((resolve) => setTimeout(resolve, WORK_MS, 1)))],
  ];
  test.each(calls)("%s", async (_, call) => {
    const settled: string[] = [];
    const waiting = new Latch();
    const body = workflow("lost", { version: 1 }, async (ctx) => {
      const { nodeId } = ctx;
      const other = ctx.waitFor("other").then(
        () => settled.push(`${nodeId} other`),
        () => settled.push(`${nodeId} other rejected`),
      );
      const pending = call(ctx).then(
        () => settled.push(`${nodeId} call`),
        () => settled.push(`${nodeId} call rejected`),
      );
      if (nodeId === 2) waiting.open();
      await Promise.all([pending, other]);
    });
    const w = world();
    await w.startAll([body]);
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await waiting.opened;
    const moved = w.next("owner-changed");
    const { owner, epoch } = (await w.runtime(1).getStatus("r")) ?? { owner: 0, epoch: 0 };
    await w.cluster.propose(w.cluster.node(1), {
      kind: "OwnerChange",
      runId: "r",
      oldOwner: owner,
      newOwner: 3,
      reason: "load-balancing",
      atMs: 0,
      epoch,
    });
    await moved;
    await w.runtime(1).signal("r", "other");
    await w
      .runtime(1)
      .result("r")
      .catch(() => {});
    // Longer than everything that the lost body waits for; nothing of it may come then.
    await new Promise((resolve) => setTimeout(resolve, WORK_MS + 50));
    expect(settled.filter((line) => line.startsWith("2"))).toEqual([]);
    expect(settled.filter((line) => line.startsWith("3"))).toHaveLength(2);
  });
});

describe("a function that gives a variable its value and fails (variable.ts VA1)", () => {
  test.each(["initial", "update"] as const)("is recorded: %s", async (which) => {
    let calls = 0;
    const failsOnce = (): number => {
      calls += 1;
      if (calls === 1) throw new RangeError("no stock known");
      return 5;
    };
    const waiting = new Latch();
    const body = workflow("order", { version: 1 }, async (ctx) => {
      let course: string;
      try {
        const stock = await ctx.variable("stock", which === "initial" ? failsOnce : 1);
        if (which === "update") await stock.update(failsOnce);
        course = await ctx.step("ship", () => "shipped");
      } catch (error) {
        if (!(error instanceof VariableFailedError)) throw error;
        course = await ctx.step("refund", () => `refunded: ${error.failure.message}`);
      }
      waiting.open();
      await ctx.waitFor("go");
      return course;
    });
    const w = world();
    await w.startAll([body]);
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await waiting.opened;
    w.kill(2);
    w.cluster.reportLost(2);
    await w.runtime(1).signal("r", "go");
    expect(await w.runtime(1).result("r")).toBe("refunded: no stock known");
    expect(calls).toBe(1);
  });
});
