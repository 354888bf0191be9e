// Runs that operators mend while owners and leaders die, on whole clusters under virtual time.
import { workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

test("a run is paused, resumed, retried and answered by hand while its owner and the leader die in between", async () => {
  let isBankOpen = false;
  const ran: string[] = [];
  const child = workflow("ship", { version: 1 }, async (ctx) => {
    const ship = (): string => {
      if (!isBankOpen) throw new Error("the bank is closed");
      return "shipped";
    };
    return await ctx.step("ship", ship, { retry: false });
  });
  const order = workflow("order", { version: 1 }, async (ctx) => {
    await ctx.step("pack", () => ran.push("pack"));
    await ctx.waitFor("go");
    const shipped = await ctx.run(child);
    const called = await ctx.step("call", () => new Promise<string>(() => {}));
    await ctx.sleep("10s");
    return { shipped, called };
  });
  await using cluster = await TestCluster.start({ workflows: [order, child], seed: 7 });
  /** Ends the owner of the run and the leader, and starts both again. */
  const disturb = async (): Promise<void> => {
    const ended = new Set([cluster.ownerOf("r")?.nodeId, cluster.leader?.nodeId]);
    for (const nodeId of ended) {
      if (nodeId === undefined) continue;
      cluster.kill(nodeId);
      await cluster.time.advance("10s");
      await cluster.startNode(nodeId);
      await cluster.time.advance("10s");
    }
  };
  const run = await cluster.workflows.start(order, undefined, { runId: "r" });
  await cluster.time.advance("1s");
  await run.pause({ reason: "stock-taking" });
  await disturb();
  expect(await run.describe()).toMatchObject({ status: "paused", owner: 0, pauseReason: "stock-taking" });
  await run.signal("go");
  await run.resume();
  await disturb();
  expect((await run.wait()).status).toBe("failed");
  isBankOpen = true;
  await run.retry();
  await disturb();
  const waits = async () => (await run.pending()).map(({ kind, path }) => `${kind} ${path}`);
  await expect.poll(waits).toEqual(["step call#0"]);
  await run.completeStep("call", "by hand");
  await disturb();
  await cluster.time.advance("10s");
  expect(await run.result()).toEqual({ shipped: "shipped", called: "by hand" });
  expect(ran).toEqual(["pack"]);
  const fork = await run.fork({ runId: "f", from: "call" });
  await disturb();
  await fork.terminate();
  await fork.delete();
  await disturb();
  await expect(fork.describe()).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
});
