// Schedules while leaders and owners die, on whole clusters under virtual time.
import { workflow } from "@raftoral/workflow";
import { describe, expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

const MINUTE_MS = 60_000;

const job = workflow("job", { version: 1 }, async (ctx) => {
  await ctx.sleep("5s");
  return ctx.runId;
});

describe("a schedule", () => {
  test.each([1, 2, 3])("has one run for each occurrence, through changes of the leader (seed %i)", async (seed) => {
    await using cluster = await TestCluster.start({ workflows: [job], seed, startAt: "2026-03-28T23:58:30Z" });
    const { workflows } = cluster;
    await workflows.schedules.create("s", { workflow: job, everyMs: 30_000, overlap: "allow", catchUp: "all" });
    const beginMs = cluster.time.nowMs;
    for (let kill = 0; kill < 5; kill++) {
      await cluster.time.advance("55s");
      const leader = cluster.leader?.nodeId;
      if (leader === undefined) continue;
      cluster.kill(leader);
      await cluster.time.advance("45s");
      await cluster.startNode(leader);
    }
    await cluster.time.advance("20s");
    await workflows.schedules.pause("s");
    const endMs = cluster.time.nowMs;
    await cluster.time.advance("1m");
    const runs = await Array.fromAsync(workflows.list({ workflowType: "job", order: "ascending" }));
    const expected: string[] = [];
    for (let at = Math.ceil((beginMs + 1) / 30_000) * 30_000; at <= endMs; at += 30_000)
      expected.push(`s/${new Date(at).toISOString()}`);
    expect(runs.map(({ runId }) => runId).sort()).toEqual(expected);
    expect(runs.every(({ status }) => status === "completed")).toBe(true);
    expect(await workflows.schedules.get("s")).toMatchObject({ missed: 0, failed: 0, skipped: 0, running: [] });
  });

  test("comes at its time of day where the clocks change, and virtual time passes over the days between", async () => {
    await using cluster = await TestCluster.start({ workflows: [job], startAt: "2026-03-28T00:00:00Z" });
    const times = { cron: "0 30 2 * * *", timeZone: "Europe/Berlin" };
    await cluster.workflows.schedules.create("nightly", { workflow: job, ...times });
    await cluster.time.advance("72h");
    const { recent } = await cluster.workflows.schedules.get("nightly");
    expect(recent.map(({ runId }) => runId)).toEqual([
      "nightly/2026-03-28T01:30:00.000Z",
      "nightly/2026-03-29T01:00:00.000Z",
      "nightly/2026-03-30T00:30:00.000Z",
    ]);
  });

  test("runs the last occurrence that came while all nodes were down, and counts the others as missed", async () => {
    await using cluster = await TestCluster.start({ workflows: [job] });
    await cluster.workflows.schedules.create("s", { workflow: job, everyMs: MINUTE_MS, catchUpMs: 10 * MINUTE_MS });
    for (const { nodeId } of cluster.nodes) cluster.kill(nodeId);
    await cluster.time.advance("30m");
    await Promise.all(cluster.nodes.map(({ nodeId }) => cluster.startNode(nodeId)));
    await cluster.time.advance("20s");
    const { started, missed, running, recent } = await cluster.workflows.schedules.get("s");
    expect(started).toBe(1);
    expect(missed).toBeGreaterThanOrEqual(28);
    expect([...running, ...recent].length).toBeGreaterThan(0);
  });
});
