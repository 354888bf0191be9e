import { workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { TestCluster } from "../cluster/test-cluster.ts";
import { disturb } from "../simulate/disturber.ts";

const order = workflow("order", { version: 1 }, async (ctx) => {
  await ctx.step("reserve", () => "reserved");
  await ctx.sleep("1m");
  return await ctx.step("ship", () => ctx.nodeId);
});

test.each(["before", "proposed", "after"] as const)(
  "a node dies %s its registration, and the others go on",
  async (when) => {
    await using cluster = await TestCluster.start({ workflows: [order] });
    const run = await cluster.workflows.start(order, undefined, { runId: "r" });
    const first = cluster.kill("owner", "r");
    const planned = cluster.at({ registration: first, when }, ({ nodeId }) => void cluster.kill(nodeId));
    await cluster.startNode(first);
    await planned.happened;
    expect(cluster.node(first).status).toBe("killed");
    expect(await run.result()).not.toBe(first);
    await cluster.assertRecordedOnce("r");
  },
);

test("a registration of any node is one of the moment's, the n-th time that it comes", async () => {
  await using cluster = await TestCluster.start({ workflows: [order] });
  const registered: number[] = [];
  cluster.at({ registration: "any", nth: 2, when: "after" }, ({ nodeId }) => void registered.push(nodeId));
  for (const nodeId of [2, 3]) {
    cluster.kill(nodeId);
    await cluster.startNode(nodeId);
    await cluster.time.untilIdle();
  }
  expect(registered).toEqual([3]);
});

test("nothing is durable while the only disk stalls, and what a dead process had not written is lost", async () => {
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 1 });
  const beganMs = cluster.time.nowMs;
  cluster.stallDisk(1, "10s");
  const run = await cluster.workflows.start(order, undefined, { runId: "r" });
  expect(cluster.time.nowMs - beganMs).toBeGreaterThanOrEqual(10_000);
  cluster.stallDisk(1, "10s");
  const other = cluster.workflows.start(order, undefined, { runId: "other" });
  await cluster.after(1_000);
  cluster.kill(1);
  await cluster.startNode(1);
  for (const each of [run, await other]) expect(await each.result()).toBe(1);
  await cluster.assertRecordedOnce("r");
  await cluster.assertRecordedOnce("other");
});

test("a node whose last process died while it registered keeps no run", async () => {
  await using cluster = await TestCluster.start({ workflows: [order] });
  const disturbing = disturb(cluster, "r", "lose-owner@commit:1:after");
  const run = await cluster.workflows.start(order, undefined, { runId: "r" });
  expect(await run.result()).toBe(2);
  const told = cluster.story.map((line) => line.slice(26)).filter((line) => /run r goes to|is killed/.test(line));
  // The registration was applied, and gave the run to the process that was dead by then.
  expect(told).toEqual([
    "node 1 is killed",
    "node 1 is killed",
    "run r goes to node 1 (restart)",
    "run r goes to node 1 (restart)",
    "run r goes to node 2 (node-failure)",
  ]);
  await disturbing.finish();
  expect(cluster.node(1).status).toBe("up");
  await cluster.assertRecordedOnce("r");
});
