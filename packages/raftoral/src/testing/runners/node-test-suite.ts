/** The testing kit in node:test, as users have it there. Run as a program of its own, without rights to the network and to write to the disk. */
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { workflow } from "raftoral";
import { replayFolder, simulate, TestCluster } from "raftoral/testing";

const order = workflow("order", { version: 1 }, async (ctx, item: string) => {
  const stock = await ctx.step("reserve", () => `reserved ${item}`);
  await ctx.sleep("30d");
  return await ctx.step("charge", () => `${stock}, charged`);
});

test("a month passes at once, over a crash", async () => {
  await using cluster = await TestCluster.start({ workflows: [order] });
  cluster.at({ commit: 1, when: "after" }, ({ nodeId }) => void cluster.kill(nodeId));
  const run = await cluster.workflows.start(order, "tea", { runId: "r" });
  assert.equal(await run.result(), "reserved tea, charged");
  cluster.steps.assertRan("reserve", { times: 1 });
  await cluster.assertRecordedOnce("r");
});

test("simulations", async () => {
  assert.equal((await simulate(order, { input: "tea", seeds: 3 })).seeds, 3);
});

replayFolder(test, new URL("./histories/", import.meta.url), [order]);
