import { signal, workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

const go = signal<string>("go");
const order = workflow("order", { version: 1 }, async (ctx, input: string) => {
  const step = await ctx.step("step", () => `${input}-step`);
  const signalled = await ctx.waitFor(go);
  return `${step}-${signalled}-result`;
});
/** Every value of this test is large. */
const nodeOptions = { blobLimits: { thresholdBytes: 50 } };
const INPUT = "i".repeat(100);
const SIGNAL = "s".repeat(100);
const RESULT = `${INPUT}-step-${SIGNAL}-result`;

test.each(["owner", "leader"] as const)("a killed %s takes no large value with it", async (who) => {
  await using cluster = await TestCluster.start({ nodes: 3, workflows: [order], nodeOptions });
  const run = await cluster.workflows.start(order, INPUT, { runId: "r" });
  cluster.kill(who, "r");
  await run.signal(go, SIGNAL);
  expect(await run.result()).toBe(RESULT);
});

test.each(["owner", "leader"] as const)("a %s that was killed has every large value when it is back", async (who) => {
  await using cluster = await TestCluster.start({ nodes: 3, workflows: [order], nodeOptions });
  const run = await cluster.workflows.start(order, INPUT, { runId: "r" });
  const killed = cluster.kill(who, "r");
  await run.signal(go, SIGNAL);
  expect(await run.result()).toBe(RESULT);
  await cluster.startNode(killed);
  for (const { node } of cluster.nodes) {
    const result = await cluster.time.drive(node.workflows.run("r").result());
    expect(result).toBe(RESULT);
  }
});

test("a call that nothing can settle says so at once, beside large values", async () => {
  await using cluster = await TestCluster.start({ nodes: 3, workflows: [order], nodeOptions });
  const run = await cluster.workflows.start(order, INPUT, { runId: "r" });
  const startedAtMs = cluster.time.nowMs;
  await expect(run.result({ timeoutMs: Number.POSITIVE_INFINITY })).rejects.toThrow("Nothing is left");
  expect(cluster.time.nowMs - startedAtMs).toBeLessThan(60_000);
});
