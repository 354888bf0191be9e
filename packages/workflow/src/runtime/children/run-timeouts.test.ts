import { type Clock, platformClock } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { workflow } from "../../author/workflow.ts";
import { RunRequests } from "../../requests/run-requests.ts";
import { HandClock } from "../../testing/hand-clock.ts";
import { type World, world } from "../../testing/workflow-world.ts";

const NOTHING = new Uint8Array(0);

async function start(
  w: World,
  nodeId: number,
  workflowType: string,
  runTimeoutMs: number,
  clock: Clock = platformClock,
): Promise<void> {
  const requests = new RunRequests(w.cluster.node(nodeId).engine, clock);
  const seed = crypto.getRandomValues(new Uint8Array(16));
  await requests.start({ runId: "r", workflowType, input: NOTHING, seed, runTimeoutMs }, { timeoutMs: 5_000 });
}

describe("a run whose time is over", () => {
  test("has failed with RUN_TIMED_OUT, after it has cleaned up", async () => {
    const w = world();
    const cleaned: string[] = [];
    const body = workflow("slow", { version: 1 }, async (ctx) => {
      try {
        await ctx.waitFor("never");
      } catch (error) {
        await ctx.shield((own) => own.step("undo", () => void cleaned.push(ctx.runId)));
        throw error;
      }
    });
    await w.startAll([body]);
    await start(w, 1, "slow", 20);
    await expect(w.runtime(2).result("r")).rejects.toMatchObject({ failure: { code: "RUN_TIMED_OUT" } });
    expect(cleaned).toEqual(["r"]);
  });

  test("is ended by the next owner when its owner died before", async () => {
    const w = world();
    const body = workflow("slow", { version: 1 }, async (ctx) => ctx.waitFor("never"));
    w.start(1, [body]);
    w.start(2, []);
    await Promise.all([1, 2].map((n) => w.runtime(n).registered));
    w.cluster.lead(2);
    const begun = w.next("body-started");
    await start(w, 1, "slow", 200);
    await begun;
    w.kill(1);
    const orphaned = w.next("owner-changed", ({ to }) => to === 0);
    w.cluster.reportLost(1);
    await orphaned;
    w.start(3, [body]);
    await expect(w.runtime(3).result("r")).rejects.toMatchObject({ failure: { code: "RUN_TIMED_OUT" } });
  });

  test("has completed when its body returns all the same, and is cancelled when that was asked for before", async () => {
    const w = world();
    const returns = workflow("returns", { version: 1 }, async (ctx) =>
      ctx.waitFor("never").catch(() => "all the same"),
    );
    await w.startAll([returns]);
    await start(w, 1, "returns", 10);
    expect(await w.runtime(1).result("r")).toBe("all the same");
  });

  test("fails its parent's call, which may go on", async () => {
    const w = world();
    const child = workflow("slow", { version: 1 }, async (ctx) => ctx.waitFor("never"));
    const parent = workflow("parent", { version: 1 }, async (ctx) => {
      return await ctx
        .run(child, undefined, { timeout: 10 })
        .catch((error: { failure: { code: string } }) => error.failure.code);
    });
    await w.startAll([child, parent]);
    const run = await w.runtime(1).startWorkflow(parent, undefined, { id: "p" });
    expect(await run.result()).toBe("RUN_TIMED_OUT");
  });

  test("keeps its time over generations", async () => {
    const [w, clock] = [world([1]), new HandClock()];
    const body = workflow("again", { version: 1 }, async (ctx) => {
      await ctx.sleep(10);
      return await ctx.continueAsNew();
    });
    await w.startAll([body], { clock });
    await start(w, 1, "again", 35, clock);
    const ended = expect(w.runtime(1).result("r")).rejects.toMatchObject({ failure: { code: "RUN_TIMED_OUT" } });
    await clock.advance(34);
    expect(await w.runtime(1).getStatus("r")).toMatchObject({ status: "running", generation: 4 });
    await clock.advance(1);
    await ended;
  });
});

test("a run that ends in time is not touched by its timer", async () => {
  const w = world([1]);
  const body = workflow("quick", { version: 1 }, async (ctx) => ctx.step("a", () => 1));
  await w.startAll([body]);
  await start(w, 1, "quick", 60_000);
  expect(await w.runtime(1).result("r")).toBe(1);
  expect(w.cluster.log.map((bytes) => w.cluster.node(1).executor.decode(bytes).kind)).not.toContain("TimeOut");
});
