import { exclusive, object, shared, type WorkflowDefinition } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

const counter = (version: number, migrate?: (state: unknown, from: number) => number) =>
  object(
    "counter",
    { version, state: 0, ...(migrate === undefined ? {} : { migrate }) },
    {
      add: exclusive(async (ctx, by: number) => await ctx.state.update((sum) => sum + by)),
      many: exclusive(async (ctx, times: number) => {
        for (let at = 0; at < times; at++) await ctx.state.update((sum) => sum + 1);
      }),
      nap: exclusive(async (ctx, seconds: number) => {
        await ctx.sleep(seconds * 1000);
        return await ctx.state.update((sum) => sum + 1);
      }),
      version: shared((ctx) => ctx.version),
    },
  );

async function deploy(cluster: TestCluster, workflows: readonly WorkflowDefinition[]): Promise<void> {
  for (const nodeId of [1, 2, 3]) {
    await cluster.stopNode(nodeId);
    await cluster.startNode(nodeId, workflows);
  }
}

test("an object with a large history continues as new once no call is under way, and knows what it answered", async () => {
  const one = counter(1);
  await using cluster = await TestCluster.start({ nodes: 1, workflows: [one] });
  const a = cluster.workflows.object(one, "a");
  expect(await a.call("add", 5, { id: "first" })).toBe(5);
  const many = a.call("many", 1000);
  const after = a.call("nap", 10);
  await many;
  expect((await cluster.workflows.describe(a.runId)).generation).toBe(1);
  expect(await after).toBe(1006);
  await cluster.time.untilIdle();
  const { generation, recordCount } = await cluster.workflows.describe(a.runId);
  expect(generation).toBe(2);
  expect(recordCount).toBeLessThan(5);
  expect(await a.call("add", 5, { id: "first" })).toBe(5);
  expect(await a.state()).toBe(1006);
  expect(await a.call("add", 1)).toBe(1007);
});

test("an object whose history is far too large accepts no call until those under way have ended", async () => {
  const one = counter(1);
  await using cluster = await TestCluster.start({ nodes: 1, workflows: [one] });
  const a = cluster.workflows.object(one, "a");
  const calls: Promise<unknown>[] = [a.call("many", 4000), a.call("nap", 60)];
  await calls[0];
  await cluster.time.advance("1s");
  // A call is always under way, and still the generation ends.
  calls.push(a.call("nap", 60), a.call("nap", 60));
  await cluster.time.advance("61s");
  expect((await cluster.workflows.describe(a.runId)).generation).toBe(2);
  await cluster.time.advance("3m");
  await Promise.all(calls);
  expect(await a.state()).toBe(4003);
});

test("an object goes on with the newest version of its owner when it is renewed, and its state is migrated", async () => {
  const [one, two] = [counter(1), counter(2, (state, from) => Number(state) * 100 + from)];
  await using cluster = await TestCluster.start({ nodes: 3, workflows: [one] });
  const a = cluster.workflows.object(one, "a");
  await a.call("add", 7);
  await deploy(cluster, [one, two]);
  const b = cluster.workflows.object(two, "b");
  expect(await b.call("version")).toBe(2);
  expect(await a.call("version")).toBe(1);
  await a.renew();
  expect(await a.call("version")).toBe(2);
  expect(await a.state()).toBe(701);
  expect(await cluster.workflows.object(two, "a").call("add", 1)).toBe(702);
});

test("an object whose migration fails is held, and goes on with its state when code comes that makes one", async () => {
  const one = counter(1);
  const broken = counter(2, () => {
    throw new Error("not today");
  });
  await using cluster = await TestCluster.start({ nodes: 3, workflows: [one] });
  const a = cluster.workflows.object<typeof one>("counter", "a");
  await a.call("add", 7);
  await deploy(cluster, [one, broken]);
  await a.renew();
  await cluster.time.untilIdle();
  expect(await cluster.workflows.describe(a.runId)).toMatchObject({ status: "stuck", stuckReason: "code-mismatch" });
  await deploy(cluster, [one, counter(2, (state) => Number(state) + 1)]);
  expect(await a.call("add", 1)).toBe(9);
});
