// @module-tag slow

import { workflow } from "@raftoral/workflow";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { leaderOf, TestCluster, until } from "../testing/test-cluster.ts";
import type { RaftoralNode } from "./raftoral-node.ts";
import type { MemoryNodeStorage } from "./storage/node-storage.ts";

const greet = workflow("greet", { version: 1 }, async (ctx, name: string) => {
  const greeting = await ctx.step("choose", () => "hello");
  return ctx.step("join", () => `${greeting} ${name}`);
});

/** Times each step body ran, in this process, by run. */
const bodies = new Map<string, number>();
const gated = workflow("gated", { version: 1 }, async (ctx, _input: undefined) => {
  await ctx.step("before", () => bodies.set(ctx.runId, (bodies.get(ctx.runId) ?? 0) + 1).size);
  const word = await ctx.waitFor("gate");
  return `${word} on node`;
});

describe.each(["memory", "grpc"] as const)("on %s", (kind) => {
  let cluster: TestCluster;
  beforeEach(async () => {
    bodies.clear();
    cluster = await TestCluster.create(kind, [greet, gated]);
  });
  afterEach(() => cluster.dispose());

  test("a bootstrapped node leads a cluster of itself and runs workflows", async () => {
    const node = await cluster.start({ ...cluster.place(), bootstrap: true, clusterName: "shop" });
    expect(await node.cluster.status()).toMatchObject({
      nodeId: 1,
      role: "leader",
      leader: 1,
      workflows: ["gated@1", "greet@1"],
    });
    expect(node.clusterId).toMatch(/^shop-[0-9a-f]{12}$/);
    const run = await node.workflows.start(greet, "world", { runId: "r1" });
    expect(await run.result()).toBe("hello world");
    expect(await node.workflows.describe("r1")).toMatchObject({
      status: "completed",
      owner: 1,
      recordCount: 2,
    });
    expect((await run.input()).value()).toBe("world");
    const history = await Array.fromAsync(run.history());
    expect(history.map(({ path, kind, value }) => [path, kind, value.value()])).toEqual([
      ["choose#0", "step", "hello"],
      ["join#0", "step", "hello world"],
    ]);
  });

  test("three nodes form by joining one after the other, and any of them runs workflows", async () => {
    const { nodes } = await cluster.form(3);
    expect(nodes.map((node) => node.nodeId)).toEqual([1, 2, 3]);
    expect(new Set(nodes.map((node) => node.clusterId)).size).toBe(1);
    for (const node of nodes) {
      await until(
        node,
        async () => (await node.cluster.members()).filter((member) => member.voter).length === 3,
        "three voters",
      );
      expect((await node.cluster.members()).map((member) => member.address)).toEqual(nodes.map((each) => each.address));
    }
    const results = await Promise.all(
      nodes.map(async (node, at) => (await node.workflows.start(greet, `n${at}`, { runId: `r${at}` })).result()),
    );
    expect(results).toEqual(["hello n0", "hello n1", "hello n2"]);
    const seen = await Promise.all(
      nodes.map((node) => Array.fromAsync(node.workflows.list({ workflowType: "greet" }))),
    );
    for (const runs of seen) expect(runs.map((run) => run.runId).sort()).toEqual(["r0", "r1", "r2"]);
  });

  test("starting twice with one id is one run, whichever nodes are asked", async () => {
    const { nodes } = await cluster.form(2);
    const [a, b] = nodes as [RaftoralNode, RaftoralNode];
    const first = await a.workflows.start(greet, "x", { runId: "same" });
    const second = await b.workflows.start(greet, "x", { runId: "same" });
    expect([first.created, second.created]).toEqual([true, false]);
    expect(await second.result()).toBe("hello x");
    expect(await Array.fromAsync(b.workflows.list())).toHaveLength(1);
  });

  test("a node that stops hands its runs over, and no recorded step runs again", async () => {
    const { nodes } = await cluster.form(3);
    const [a, b, c] = nodes as [RaftoralNode, RaftoralNode, RaftoralNode];
    const run = await c.workflows.start(gated, undefined, { runId: "g1" });
    await until(a, async () => (await a.cluster.status()).runningRuns === 1, "the run is known");
    await expect
      .poll(async () => (await a.workflows.describe(run.runId)).recordCount, { timeout: 10_000 })
      .toBeGreaterThan(0);
    expect((await a.workflows.describe("g1")).owner).toBe(3);
    await c.stop();
    const moved = await b.workflows.describe("g1");
    expect(moved.owner).not.toBe(3);
    expect(moved.takeovers).toBe(1);
    await b.workflows.signal("g1", "gate", "open");
    expect(await a.workflows.run("g1").result()).toBe("open on node");
    expect(bodies.get("g1")).toBe(1);
  });

  test("a leader that stops hands the leadership over first", async () => {
    const { nodes } = await cluster.form(3);
    const leader = await leaderOf(nodes);
    const others = nodes.filter((node) => node !== leader);
    await leader.stop();
    const [a] = others as [RaftoralNode];
    expect(await a.cluster.waitForLeader()).not.toBe(leader.nodeId);
    expect(await (await a.workflows.start(greet, "again")).result()).toBe("hello again");
  });

  test("a restart keeps identity and state, and needs neither bootstrap nor join", async () => {
    const { nodes, places } = await cluster.form(2);
    const [a, b] = nodes as [RaftoralNode, RaftoralNode];
    await (await a.workflows.start(greet, "kept", { runId: "kept" })).result();
    const { clusterId } = a;
    await Promise.all([a.stop(), b.stop()]);
    const again = await Promise.all([
      cluster.start({ ...places[0], listen: a.address }),
      cluster.start({ ...places[1], listen: b.address }),
    ]);
    expect(again.map((node) => [node.nodeId, node.clusterId])).toEqual([
      [1, clusterId],
      [2, clusterId],
    ]);
    expect(await again[1].workflows.result("kept")).toBe("hello kept");
  });

  test("bootstrap on a folder that has a cluster goes on with that one", async () => {
    const place = cluster.place();
    const first = await cluster.start({ ...place, bootstrap: true });
    const { clusterId, address } = first;
    await first.stop();
    const second = await cluster.start({ ...place, bootstrap: true, listen: address });
    await second.cluster.waitForLeader();
    expect(second.clusterId).toBe(clusterId);
  });

  test("a node at another address after a restart is found again", async () => {
    const { nodes, places } = await cluster.form(3);
    const [a, b] = nodes as [RaftoralNode, RaftoralNode];
    await b.stop();
    const moved = await cluster.start({ ...places[1], listen: kind === "memory" ? "moved:1" : "127.0.0.1:0" });
    const addressOfB = async () => (await a.cluster.members()).find((member) => member.nodeId === 2)?.address;
    await until(a, async () => (await addressOfB()) === moved.address, "the new address is known");
    expect(moved.address).not.toBe(b.address);
    await moved.cluster.waitForLeader();
    expect(await (await moved.workflows.start(greet, "moved")).result()).toBe("hello moved");
  });

  test("a node that leaves is no member any more, and its id is not given out again", async () => {
    const { nodes } = await cluster.form(3);
    const [a, , c] = nodes as [RaftoralNode, RaftoralNode, RaftoralNode];
    await c.leave();
    await until(a, async () => (await a.cluster.members()).length === 2, "two members");
    expect(await c.left).toBe("left");
    const next = await cluster.start({ ...cluster.place(), join: a.address });
    expect(next.nodeId).toBe(4);
    expect(await (await next.workflows.start(greet, "four")).result()).toBe("hello four");
  });

  test("the leader can leave too", async () => {
    const { nodes } = await cluster.form(3);
    const leader = await leaderOf(nodes);
    const [other] = nodes.filter((node) => node !== leader) as [RaftoralNode];
    await leader.leave();
    await until(other, async () => (await other.cluster.members()).length === 2, "two members");
    expect(await (await other.workflows.start(greet, "on")).result()).toBe("hello on");
  });

  test("a node that cannot leave for want of a quorum goes on executing once there is one", async () => {
    const { nodes, places } = await cluster.form(2);
    const [a, b] = nodes as [RaftoralNode, RaftoralNode];
    const { address } = a;
    await a.stop();
    await expect(b.leave({ timeoutMs: 300 })).rejects.toMatchObject({
      code: expect.stringMatching(/NO_LEADER|DEADLINE_EXCEEDED/),
    });
    // Nothing is registered there: what runs, runs on the node that stayed.
    await cluster.start({ ...places[0], listen: address, workflows: [] });
    await b.cluster.waitForLeader();
    expect(await (await b.workflows.start(greet, "b")).result()).toBe("hello b");
  });

  test("the last member cannot leave", async () => {
    const node = await cluster.start({ ...cluster.place(), bootstrap: true });
    await expect(node.leave()).rejects.toMatchObject({ code: "LAST_MEMBER" });
    expect(await (await node.workflows.start(greet, "still")).result()).toBe("hello still");
  });

  test("a dead node is removed by another, and is told so when it comes back", async () => {
    const { nodes, places } = await cluster.form(3);
    const [a, , c] = nodes as [RaftoralNode, RaftoralNode, RaftoralNode];
    await c.stop();
    await a.cluster.removeNode(3);
    expect((await a.cluster.members()).map((member) => member.nodeId)).toEqual([1, 2]);
    const back = await cluster.start({ ...places[2], listen: c.address });
    expect(await back.failed).toMatchObject({ code: "NODE_REMOVED" });
  });

  test("a live node that is removed learns of it and stops taking part", async () => {
    const { nodes } = await cluster.form(3);
    const [a, , c] = nodes as [RaftoralNode, RaftoralNode, RaftoralNode];
    await a.cluster.removeNode(3);
    expect(await c.failed).toMatchObject({ code: "NODE_REMOVED" });
    expect(await (await a.workflows.start(greet, "two")).result()).toBe("hello two");
  });

  test("leadership goes where it is asked to go", async () => {
    const { nodes } = await cluster.form(3);
    const [a, b] = nodes as [RaftoralNode, RaftoralNode];
    expect(await a.cluster.transferLeadership(2)).toBe(2);
    expect((await b.cluster.status()).role).toBe("leader");
    expect(await a.cluster.transferLeadership()).not.toBe(2);
    await expect(a.cluster.transferLeadership(9)).rejects.toMatchObject({ code: "NODE_UNKNOWN" });
  });

  test("static members form a cluster without joining", async () => {
    if (kind === "grpc") return;
    const members = [1, 2, 3].map((nodeId) => ({ nodeId, address: `static-${nodeId}:1` }));
    const nodes = await Promise.all(
      members.map(({ nodeId, address }) => cluster.start({ ...cluster.place(), members, nodeId, listen: address })),
    );
    const [a] = nodes as [RaftoralNode];
    await a.cluster.waitForLeader();
    expect(await (await a.workflows.start(greet, "static")).result()).toBe("hello static");
  });

  test("a node whose disk fails says so, and the others go on with its runs", async () => {
    if (kind === "grpc") return;
    const { nodes, places } = await cluster.form(3);
    const [a, , c] = nodes as [RaftoralNode, RaftoralNode, RaftoralNode];
    await c.workflows.start(gated, undefined, { runId: "g1" });
    await until(a, async () => (await a.cluster.status()).runningRuns === 1, "the run is known");
    const [, , { storage }] = places as [unknown, unknown, { storage: MemoryNodeStorage }];
    storage.poison(new Error("the disk is gone"));
    await a.workflows.signal("g1", "gate", "open");
    expect((await c.failed).message).toMatch(/the disk is gone/);
    expect(await a.workflows.run("g1").result()).toBe("open on node");
    expect((await a.workflows.describe("g1")).owner).not.toBe(3);
  });

  describe("bad input", () => {
    test("a new folder needs to be told where it belongs", async () => {
      await expect(cluster.start(cluster.place())).rejects.toMatchObject({ code: "CLUSTER_MISSING" });
    });

    test("a join that reaches no node says so", async () => {
      await expect(
        cluster.start({ ...cluster.place(), join: "127.0.0.1:1", joinTimeoutMs: 300 }),
      ).rejects.toMatchObject({ code: "JOIN_UNREACHABLE", message: /127\.0\.0\.1:1/ });
    });

    test("a join of a cluster of another name is refused", async () => {
      const node = await cluster.start({ ...cluster.place(), bootstrap: true, clusterName: "one" });
      await expect(cluster.start({ ...cluster.place(), join: node.address, clusterName: "two" })).rejects.toMatchObject(
        { code: "CLUSTER_MISMATCH" },
      );
      expect(await node.cluster.members()).toHaveLength(1);
    });

    test("a folder of one cluster is not taken into another", async () => {
      const place = cluster.place();
      const one = await cluster.start({ ...place, bootstrap: true });
      await one.stop();
      const two = await cluster.start({ ...cluster.place(), bootstrap: true });
      await expect(cluster.start({ ...place, join: two.address })).rejects.toMatchObject({ code: "CLUSTER_MISMATCH" });
    });

    test("an address in use is named, and nothing is changed", async () => {
      const node = await cluster.start({ ...cluster.place(), bootstrap: true });
      await expect(
        cluster.start({ ...cluster.place(), join: node.address, listen: node.address }),
      ).rejects.toMatchObject({ code: kind === "memory" ? "CONF_CHANGE_INVALID" : "TRANSPORT_ADDRESS_IN_USE" });
      expect(await node.cluster.members()).toHaveLength(1);
    });

    test("an unknown workflow type, a run that is not there and an unknown node are told apart", async () => {
      const node = await cluster.start({ ...cluster.place(), bootstrap: true });
      await expect(node.workflows.start("nobody_has_it")).rejects.toMatchObject({ code: "WORKFLOW_TYPE_UNKNOWN" });
      await expect(node.workflows.describe("nothing")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
      await expect(node.workflows.signal("nothing", "x")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
      await expect(node.workflows.cancel("nothing")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
      await expect(node.cluster.removeNode(7)).rejects.toMatchObject({ code: "NODE_UNKNOWN" });
    });

    test("an input over the limit is refused", async () => {
      const blobLimits = { maxBytes: 4096 };
      const node = await cluster.start({ ...cluster.place(), bootstrap: true, blobLimits });
      await expect(node.workflows.start(greet, "x".repeat(5000))).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
      expect(await (await node.workflows.start(greet, "small")).result()).toBe("hello small");
    });

    test("without a quorum calls end at their deadline, and a stop still ends", async () => {
      const { nodes } = await cluster.form(2);
      const [a, b] = nodes as [RaftoralNode, RaftoralNode];
      await b.stop();
      const code = expect.stringMatching(/^(DEADLINE_EXCEEDED|NO_LEADER)$/);
      await expect(a.workflows.describe("x", { timeoutMs: 300 })).rejects.toMatchObject({ code });
      await expect(a.workflows.signal("x", "y", 1, { timeoutMs: 300 })).rejects.toMatchObject({ code });
      await expect(a.cluster.removeNode(2, { timeoutMs: 300 })).rejects.toMatchObject({ code });
      const began = performance.now();
      await a.stop({ timeoutMs: 500 });
      expect(performance.now() - began).toBeLessThan(5_000);
    });
  });
});
