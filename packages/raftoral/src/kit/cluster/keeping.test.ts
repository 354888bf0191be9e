// What is kept, paused and set while owners and leaders die, on whole clusters under virtual time.
import { variable, workflow } from "@raftoral/workflow";
import { describe, expect, test } from "vitest";
import type { HistoryExport } from "../../api/histories/history-format.ts";
import { TestCluster } from "./test-cluster.ts";

const limit = variable<number>("limit");

const order = workflow("order", { version: 1 }, async (ctx, total: number) => {
  const paid = await ctx.step("charge", () => total);
  await ctx.waitFor("go");
  return paid;
});

const bounded = workflow("bounded", { version: 1 }, async (ctx) => {
  const most = await ctx.variable(limit, 1);
  const seen: number[] = [];
  while (most.value < 10) {
    const before = most.value;
    await ctx.condition(() => most.value !== before);
    await ctx.sleep("1s");
    seen.push(most.value);
  }
  return seen;
});

/** Ends the owner of a run and the leader, one after the other, and starts both again. */
async function disturb(cluster: TestCluster, runId: string): Promise<void> {
  for (const find of [() => cluster.ownerOf(runId)?.nodeId, () => cluster.leader?.nodeId]) {
    const nodeId = find();
    if (nodeId === undefined) continue;
    cluster.kill(nodeId);
    await cluster.time.advance("10s");
    await cluster.startNode(nodeId);
    await cluster.time.advance("10s");
  }
}

describe("the archive hook", () => {
  const LIMITS = { maxFinishedRuns: 2, retentionMs: 3_600_000 };

  test("gets every finished run while leaders die, and what it has not taken is not pruned", async () => {
    const taken = new Map<string, HistoryExport[]>();
    let failing = new Set(["r-1"]);
    const archive = (run: HistoryExport): void => {
      if (failing.has(run.runId)) throw new Error("the archive is full");
      taken.set(run.runId, [...(taken.get(run.runId) ?? []), run]);
    };
    await using cluster = await TestCluster.start({
      workflows: [order],
      seed: 3,
      nodeOptions: { archive, workflowLimits: LIMITS },
    });
    const { workflows } = cluster;
    const runIds = Array.from({ length: 8 }, (_, at) => `r-${at}`);
    for (const runId of runIds) {
      const run = await workflows.start(order, 7, { runId });
      await run.signal("go");
      await run.wait();
      if (runId === "r-3") await disturb(cluster, runId);
    }
    await cluster.time.advance("2m");
    await disturb(cluster, "r-7");
    await cluster.time.advance("2m");
    expect([...taken.keys()].sort()).toEqual(runIds.filter((runId) => runId !== "r-1"));
    for (const [run] of taken.values())
      expect(run).toMatchObject({ outcome: { status: "completed", value: 7 }, records: [{ path: "charge#0" }, {}] });
    // Beyond the bound, the oldest is the one that the hook does not take.
    const kept = await Array.fromAsync(workflows.list());
    expect(kept.map(({ runId }) => runId)).toContain("r-1");
    await expect(workflows.result("r-0")).rejects.toMatchObject({ code: "WORKFLOW_PRUNED" });
    expect((await workflows.start(order, 7, { runId: "r-0" })).created).toBe(false);
    await expect(workflows.start(order, 8, { runId: "r-0" })).rejects.toMatchObject({ code: "WORKFLOW_ID_CONFLICT" });
    failing = new Set();
    await cluster.time.advance("15m");
    expect(taken.has("r-1")).toBe(true);
    for (const runId of ["later", "latest"]) {
      const run = await workflows.start(order, 7, { runId });
      await run.signal("go");
      await run.wait();
    }
    // A new leader looks after what is kept.
    await disturb(cluster, "latest");
    await expect(workflows.result("r-1")).rejects.toMatchObject({ code: "WORKFLOW_PRUNED" });
    const counts = [...taken.values()].map((runs) => runs.length);
    // Once, unless a leader died between the hook and the commit.
    expect(Math.max(...counts)).toBeLessThanOrEqual(3);
  });

  test("that never answers holds up no other run, and is told", async () => {
    const taken: string[] = [];
    const aborted: string[] = [];
    const archive = async ({ runId }: HistoryExport, { signal }: { readonly signal: AbortSignal }): Promise<void> => {
      if (runId !== "hangs") return void taken.push(runId);
      await new Promise<void>((_, reject) => {
        signal.addEventListener("abort", () => {
          aborted.push(runId);
          reject(signal.reason);
        });
      });
    };
    await using cluster = await TestCluster.start({ workflows: [order], nodes: 1, nodeOptions: { archive } });
    for (const runId of ["hangs", "a", "b", "c", "d", "e", "f"]) {
      const run = await cluster.workflows.start(order, 1, { runId });
      await run.signal("go");
      await run.wait();
    }
    await cluster.time.advance("10s");
    expect(taken.sort()).toEqual(["a", "b", "c", "d", "e", "f"]);
    await cluster.time.advance("2m");
    expect(aborted.length).toBeGreaterThan(0);
  });
});

test("a type stays paused while owners and leaders die, and all of its runs go on afterwards", async () => {
  await using cluster = await TestCluster.start({ workflows: [order], seed: 5 });
  const { workflows } = cluster;
  const before = await workflows.start(order, 1, { runId: "before" });
  const unwanted = await workflows.start(order, 1, { runId: "unwanted" });
  await cluster.time.advance("1s");
  await workflows.pauseType("order", { reason: "stock-taking" });
  await disturb(cluster, "before");
  const after = await workflows.start(order, 2, { runId: "after" });
  await disturb(cluster, "after");
  for (const run of [before, after]) {
    await run.signal("go");
    expect(await run.describe()).toMatchObject({ status: "running", owner: 0 });
  }
  expect((await workflows.pausedTypes()).map(({ workflowType }) => workflowType)).toEqual(["order"]);
  for (const run of [unwanted, after]) await run.cancel({ reason: "not wanted" });
  // No code of it has begun: nothing is to be cleaned up.
  expect(await after.wait()).toMatchObject({ status: "cancelled", reason: "not wanted" });
  await disturb(cluster, "unwanted");
  expect((await unwanted.describe()).status).toBe("running");
  await workflows.resumeType("order");
  await disturb(cluster, "before");
  expect(await before.result()).toBe(1);
  expect(await unwanted.wait()).toMatchObject({ status: "cancelled", reason: "not wanted" });
});

test("a variable is set once per request while owners and leaders die, and every replay sees it from the same place on", async () => {
  await using cluster = await TestCluster.start({ workflows: [bounded], seed: 9 });
  const run = await cluster.workflows.start(bounded, undefined, { runId: "r" });
  await cluster.time.advance("1s");
  for (const value of [3, 5, 7]) {
    const set = run.setVariable(limit, value, { requestId: `to ${value}` });
    await disturb(cluster, "r");
    await set;
    await run.setVariable(limit, 99, { requestId: `to ${value}` });
    expect(await run.variable(limit)).toBe(value);
    await cluster.time.advance("5s");
  }
  await run.setVariable(limit, 10);
  await disturb(cluster, "r");
  expect(await run.result()).toEqual([3, 5, 7, 10]);
});

test("many runs are mended while leaders die, each once", async () => {
  let isBankOpen = false;
  const calls = new Map<string, number>();
  const fragile = workflow("fragile", { version: 1 }, async (ctx) => {
    const charge = (): string => {
      calls.set(ctx.runId, (calls.get(ctx.runId) ?? 0) + 1);
      if (!isBankOpen) throw new Error("the bank is closed");
      return "paid";
    };
    return await ctx.step("charge", charge, { retry: false });
  });
  await using cluster = await TestCluster.start({ workflows: [fragile], seed: 11 });
  const { workflows } = cluster;
  const runIds = Array.from({ length: 20 }, (_, at) => `f-${at}`);
  for (const runId of runIds) await (await workflows.start(fragile, undefined, { runId })).wait();
  isBankOpen = true;
  const done: string[] = [];
  const failed = { workflowType: "fragile", status: "failed" } as const;
  for await (const { runs } of workflows.mendAll(failed, "retry", { pieceSize: 5, reason: "open again" })) {
    done.push(...runs.filter(({ outcome }) => outcome === "done").map(({ runId }) => runId));
    await disturb(cluster, "f-0");
  }
  expect(done.toSorted()).toEqual(runIds.toSorted());
  for (const runId of runIds) expect(await workflows.result(runId)).toBe("paid");
  // A step whose owner dies before the commit runs again.
  expect(Math.min(...calls.values())).toBe(2);
  const audit = await Array.fromAsync(workflows.audit());
  expect(audit.map(({ action, reason }) => [action, reason])).toEqual(
    Array.from({ length: 4 }, () => ["retry-many", "open again"]),
  );
});
