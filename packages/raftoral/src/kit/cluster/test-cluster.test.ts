import { AssertionError } from "node:assert";
import { signal, workflow } from "@raftoral/workflow";
import { describe, expect, test } from "vitest";
import { inTurn, throws } from "../steps/step-mock.ts";
import { TestCluster } from "./test-cluster.ts";

interface Order {
  readonly item: string;
}

const approval = signal<boolean>("approval");

const order = workflow("order", { version: 1 }, async (ctx, { item }: Order) => {
  const stock = await ctx.step("reserve", () => `reserved ${item}`);
  await ctx.sleep("30d");
  const approved = await ctx.waitFor(approval, { timeout: "2d" });
  if (approved.payload !== true) return { stock, charged: false };
  await ctx.step("charge", () => "charged", { retry: { attempts: 3, initialDelay: "1h", jitter: 0 } });
  return { stock, charged: true };
});

describe("virtual time", () => {
  test("passes as far as an awaited call needs: a month is over at once", async () => {
    await using cluster = await TestCluster.start({ workflows: [order], startAt: "2026-03-01T00:00:00Z" });
    const run = await cluster.workflows.start(order, { item: "tea" });
    expect(await run.result()).toEqual({ stock: "reserved tea", charged: false });
    expect(cluster.time.now.toISOString().slice(0, 10)).toBe("2026-04-02");
  });

  test("is the test's once it moves time", async () => {
    await using cluster = await TestCluster.start({ workflows: [order], nodes: 1 });
    const run = await cluster.workflows.start(order, { item: "tea" });
    await cluster.time.advance("29d");
    expect((await run.describe()).status).toBe("running");
    expect(await cluster.time.toNextTimer()).toBe(true);
    await run.signal(approval, true);
    expect(await run.result()).toEqual({ stock: "reserved tea", charged: true });
  });

  test("says what a run waits for when nothing is left to happen", async () => {
    const waits = workflow("waits", { version: 1 }, (ctx) => ctx.waitFor("go"));
    await using cluster = await TestCluster.start({ workflows: [waits] });
    const run = await cluster.workflows.start(waits, undefined, { runId: "r" });
    await expect(run.result()).rejects.toThrow("run r waits for signal go#0");
  });
});

describe("mocks of steps", () => {
  test("give values, errors, sequences and functions, and tell what ran", async () => {
    await using cluster = await TestCluster.start({ workflows: [order] });
    cluster.steps.mock("reserve", ({ input }: { input: unknown }) => `mocked ${(input as Order).item}`);
    cluster.steps.mock("charge", inTurn(throws(new Error("busy")), "ok"), { workflow: order });
    const run = await cluster.workflows.start(order, { item: "tea" });
    await run.signal("approval", true);
    expect(await run.result()).toEqual({ stock: "mocked tea", charged: true });
    cluster.steps.assertRan("charge", { times: 2 });
    expect(cluster.steps.calls("charge").map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, { error: new Error("busy") }],
      [2, { value: "ok" }],
    ]);
    expect(() => cluster.steps.assertNeverRan("reserve")).toThrow(AssertionError);
  });

  test("can be demanded of every step", async () => {
    await using cluster = await TestCluster.start({ workflows: [order] });
    cluster.steps.forbidUnmocked();
    const run = await cluster.workflows.start(order, { item: "tea" });
    await expect(run.result()).rejects.toThrow("has no mock");
  });
});

describe("faults on purpose", () => {
  test.each(["before", "proposed", "after"] as const)("kill the owner %s a commit", async (when) => {
    await using cluster = await TestCluster.start({ workflows: [order], seed: 3 });
    const killed = cluster.at({ runId: "r", commit: 1, when }, ({ nodeId }) => void cluster.kill(nodeId));
    const run = await cluster.workflows.start(order, { item: "tea" }, { runId: "r" });
    expect(await run.result()).toEqual({ stock: "reserved tea", charged: false });
    await killed.happened;
    cluster.assertBodyRanAtMost("r", 2);
    cluster.steps.assertRan("reserve", when === "after" ? { times: 1 } : { atMost: 2 });
    await cluster.assertRecordedOnce("r");
  });

  test("kill the owner as a step starts, move its run, and cut the next owner off", async () => {
    await using cluster = await TestCluster.start({ workflows: [order], seed: 5, nodes: 5 });
    const faults = [
      cluster.at({ step: "reserve" }, ({ nodeId }) => void cluster.kill(nodeId)),
      cluster.at({ call: 2, when: "begins", nth: 2 }, async () => void (await cluster.moveRun("r"))),
    ];
    const run = await cluster.workflows.start(order, { item: "tea" }, { runId: "r" });
    await cluster.time.untilIdle();
    cluster.partitionOwner("r");
    await run.signal("approval", true);
    cluster.heal();
    expect(await run.result()).toMatchObject({ charged: true });
    await faults[0]?.happened;
    await cluster.assertRecordedOnce("r");
  });

  test("a node that was killed starts again, with other code if wanted", async () => {
    await using cluster = await TestCluster.start({ workflows: [order], nodes: 1 });
    const run = await cluster.workflows.start(order, { item: "tea" }, { runId: "r" });
    await cluster.time.untilIdle();
    cluster.kill("owner", "r");
    await cluster.startNode(1);
    expect(await run.result()).toEqual({ stock: "reserved tea", charged: false });
    expect(cluster.bodies("r")).toBe(2);
  });
});

describe("what a body uses of the platform", () => {
  const uses: readonly (readonly [string, () => unknown])[] = [
    ["Date.now", () => Date.now()],
    ["new Date()", () => new Date().toISOString()],
    ["Math.random", () => Math.random()],
    ["crypto.randomUUID", () => crypto.randomUUID()],
    ["setTimeout", () => void setTimeout(() => {}, 0)],
    ["performance.now", () => performance.now()],
  ];
  test.each(uses)("is named where it is used: %s", async (name, use) => {
    const body = workflow("uses", { version: 1 }, async (ctx) => {
      await ctx.step("may", () => use() ?? null);
      return use() ?? null;
    });
    await using cluster = await TestCluster.start({ workflows: [body], nodes: 1 });
    const run = await cluster.workflows.start(body, undefined);
    await expect(run.result()).rejects.toThrow(`uses ${name}`);
    expect(cluster.platformUses).toHaveLength(1);
    expect(cluster.platformUses[0]?.where).toContain("test-cluster.test.ts");
  });
});

test("the same seed gives the same story", async () => {
  const story = async (): Promise<readonly string[]> => {
    await using cluster = await TestCluster.start({ workflows: [order], seed: 11, network: { maxDelayMs: 20 } });
    cluster.at({ commit: 1, when: "after" }, ({ nodeId }) => void cluster.kill(nodeId));
    await (await cluster.workflows.start(order, { item: "tea" })).result();
    return cluster.story;
  };
  expect(await story()).toEqual(await story());
});
