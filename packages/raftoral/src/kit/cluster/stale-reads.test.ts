import { workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

const waits = workflow("waits", { version: 1 }, async (ctx) => {
  await ctx.step("note", () => "noted");
  await ctx.waitFor("go");
});

test("a node without a majority answers stale reads, and no others", async () => {
  await using cluster = await TestCluster.start({ workflows: [waits], nodes: 3 });
  const run = await cluster.workflows.start(waits, undefined, { runId: "a", attributes: { customer: "ada" } });
  await cluster.time.advance("1s");
  cluster.kill(2);
  cluster.kill(3);
  const { workflows } = cluster;
  cluster.time.release();
  const late = { timeoutMs: 500 };
  await expect(workflows.listPage({}, late)).rejects.toThrow("Nothing is left that could settle this call");
  await expect(workflows.counts(late)).rejects.toThrow("Nothing is left that could settle this call");
  const stale = { ...late, consistency: "stale" } as const;
  expect(await workflows.counts(stale)).toEqual([{ workflowType: "waits", status: "running", runs: 1 }]);
  const found = await Array.fromAsync(workflows.list({ attributes: { customer: "ada" } }, stale));
  expect(found.map(({ runId }) => runId)).toEqual(["a"]);
  expect(await run.describe(stale)).toMatchObject({ status: "running", attributes: { customer: "ada" } });
  expect((await Array.fromAsync(run.history(stale))).map(({ path }) => path)).toEqual(["note#0"]);
  expect((await run.input(stale)).value()).toBeUndefined();
});
