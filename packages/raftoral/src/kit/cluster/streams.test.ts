import { stream, workflow } from "@raftoral/workflow";
import { describe, expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

const said = stream<string>("said");

const talk = workflow("talk", { version: 1 }, async (ctx) => {
  const out = ctx.stream(said);
  await out.write("one");
  await ctx.step("s", () => 1);
  await out.write("two");
  await ctx.waitFor("go");
  await out.write("three");
});

describe("streams on a test cluster", () => {
  test("are read while their run goes on, also when the node that is read from is killed", async () => {
    await using cluster = await TestCluster.start({ workflows: [talk], seed: 3 });
    const run = await cluster.workflows.start(talk, undefined, { runId: "r" });
    const reader = run.stream(said)[Symbol.asyncIterator]();
    const next = async () => (await reader.next()).value?.value;
    expect([await next(), await next()]).toEqual(["one", "two"]);
    await cluster.assertChunks("r", "said", ["one", "two"]);
    cluster.kill("owner", "r");
    cluster.kill(cluster.nodes.find(({ status }) => status === "up")?.nodeId ?? 0);
    await cluster.startNode(cluster.nodes.find(({ status }) => status !== "up")?.nodeId ?? 0);
    await run.signal("go");
    expect([await next(), await next()]).toEqual(["three", undefined]);
    await run.wait();
    await cluster.assertChunks("r", "said", ["one", "two", "three"]);
  });

  test("that are not as expected fail the test", async () => {
    await using cluster = await TestCluster.start({ workflows: [talk], nodes: 1 });
    await cluster.workflows.start(talk, undefined, { runId: "r" });
    await expect(cluster.assertChunks("r", "said", ["one"])).rejects.toMatchObject({
      name: "AssertionError",
      actual: ["one", "two"],
      expected: ["one"],
    });
    expect(await cluster.assertChunks("none", "said", [])).toEqual([]);
  });
});
