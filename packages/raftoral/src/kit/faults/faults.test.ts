// @module-tag slow

/** Every fault at every kind of moment, of the owner and of the leader, which are one node or two. */
import { signal, workflow } from "@raftoral/workflow";
import { describe, expect, test } from "vitest";
import { TestCluster } from "../cluster/test-cluster.ts";
import type { Moment } from "./moment.ts";

const approval = signal<boolean>("approval");
const part = signal<number>("part");

const order = workflow("order", { version: 1 }, async (ctx, item: string) => {
  const stock = await ctx.step("reserve", () => `reserved ${item}`);
  await ctx.sleep("1d");
  const [approved, label] = await Promise.all([
    ctx.waitFor(approval),
    ctx.scope("parcel", (parcel) => parcel.step("label", () => "labelled")),
  ]);
  await ctx.step("charge", () => "charged");
  return { stock, approved, label };
});

const MOMENTS: Readonly<Record<string, Moment>> = {
  "before the start is committed": { command: "start" },
  "as the start is proposed": { command: "start", when: "proposed" },
  "after the start is committed": { command: "start", when: "after" },
  "as a step starts": { step: "charge" },
  "as a step finishes": { step: "charge", when: "finishes" },
  "as a step in a scope starts": { step: "label" },
  "at the second call": { call: 2 },
  "as the second call is answered": { call: 2, when: "answered" },
  "before the first commit": { commit: 1 },
  "as the first commit is proposed": { commit: 1, when: "proposed" },
  "after the first commit": { commit: 1, when: "after" },
  "before the last commit": { commit: 4 },
  "as the last commit is proposed": { commit: 4, when: "proposed" },
  "after the last commit": { commit: 4, when: "after" },
  "before a signal is committed": { command: "signal" },
  "after a signal is committed": { command: "signal", when: "after" },
  "before the end is committed": { command: "end" },
  "as the end is proposed": { command: "end", when: "proposed" },
};

type Fault = (cluster: TestCluster, who: "owner" | "leader") => unknown;

/** The owner, or the node that is about to be it. */
const nodeOf = (cluster: TestCluster, who: "owner" | "leader"): number =>
  (who === "leader" ? cluster.leader : cluster.ownerOf("r"))?.nodeId ?? 1;

const FAULTS: Readonly<Record<string, Fault>> = {
  kill: (cluster, who) => void cluster.kill(nodeOf(cluster, who)),
  stop: (cluster, who) => cluster.stopNode(nodeOf(cluster, who)),
  drain: (cluster, who) => cluster.drainNode(nodeOf(cluster, who)),
  partition: (cluster, who) => void cluster.partition(nodeOf(cluster, who)),
  move: (cluster) => cluster.moveRun("r"),
  "transfer the leadership": (cluster) => {
    const to = cluster.nodes.find((node) => node.status === "up" && node !== cluster.leader);
    return to === undefined ? undefined : cluster.transferLeadership(to.nodeId);
  },
};

describe.each(Object.entries(FAULTS))("%s", (_, fault) => {
  describe.each(["owner", "leader"] as const)("the %s", (who) => {
    test.each(Object.entries(MOMENTS))("%s", async (_, moment) => {
      for (const isOneNode of [true, false]) {
        await using cluster = await TestCluster.start({ workflows: [order], nodes: 3 });
        // The first node is asked to start the run, and owns it.
        await cluster.transferLeadership(isOneNode ? 1 : 2);
        const planned = cluster.at(moment, () => fault(cluster, who) as Promise<void> | undefined);
        const run = await cluster.workflows.start(order, "tea", { runId: "r" });
        await run.signal(approval, true);
        expect(await run.result()).toEqual({ stock: "reserved tea", approved: true, label: "labelled" });
        await planned.happened;
        cluster.assertBodyRanAtMost("r", 3);
        for (const step of ["reserve", "label", "charge"]) cluster.steps.assertRan(step, { atLeast: 1, atMost: 2 });
        await cluster.assertRecordedOnce("r");
      }
    });
  });
});

test("a drained node stays up, executes nothing, and may be asked to again", async () => {
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 3 });
  const run = await cluster.workflows.start(order, "tea", { runId: "r" });
  await cluster.time.untilIdle();
  const drained = await cluster.drainNode("owner", "r");
  expect(cluster.ownerOf("r")?.nodeId).not.toBe(drained);
  expect(cluster.node(drained).status).toBe("up");
  await cluster.resumeNode(drained);
  for (const { nodeId } of cluster.nodes) if (nodeId !== drained) await cluster.drainNode(nodeId);
  await run.signal(approval, true);
  await run.result();
  expect(cluster.ownerOf("r")?.nodeId).toBe(drained);
  cluster.assertBodyRanAtMost("r", 3);
  expect(() => cluster.assertBodyRanAtMost("r", 1)).toThrow(/was to run at most 1 times and ran \d times/);
});

test("a run is taken over in the middle of a step: both owners run it, one records it", async () => {
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 3 });
  let moved: number | undefined;
  cluster.steps.mock("reserve", async ({ nodeId, epoch }) => {
    if (cluster.bodies("r") === 1) moved = await cluster.moveRun("r");
    return `by ${nodeId} under ${epoch}`;
  });
  const run = await cluster.workflows.start(order, "tea", { runId: "r" });
  await run.signal(approval, true);
  expect(await run.result()).toMatchObject({ stock: expect.stringContaining(`by ${moved} under`) });
  cluster.steps.assertRan("reserve", { times: 2 });
  expect(cluster.bodies("r")).toBe(2);
  await cluster.assertRecordedOnce("r");
});

describe("single messages are lost", () => {
  test.each([
    ["proposals to the leader", false],
    ["what the leader appends to the others' logs", true],
  ])("%s", async (_, ownerLeads) => {
    await using cluster = await TestCluster.start({ workflows: [order], nodes: 3 });
    await cluster.transferLeadership(ownerLeads ? 1 : 2);
    const began = cluster.time.nowMs;
    // The entry needs another tick, and nothing else goes wrong.
    cluster.at({ runId: "r", commit: 1, when: "before" }, ({ nodeId }) => void cluster.loseNext(nodeId));
    const run = await cluster.workflows.start(order, "tea", { runId: "r" });
    await cluster.time.untilIdle();
    expect(cluster.time.nowMs - began).toBeGreaterThanOrEqual(50);
    expect((await run.describe()).status).toBe("running");
    await run.signal(approval, true);
    await run.result();
    cluster.assertBodyRanAtMost("r", 1);
    cluster.steps.assertRan("reserve", { times: 1 });
    await cluster.assertRecordedOnce("r");
  });
});

test("signals are held back, and overtake each other", async () => {
  const collects = workflow("collects", { version: 1 }, async (ctx) => {
    const taken: number[] = [];
    for (let at = 0; at < 6; at++) taken.push(await ctx.waitFor(part));
    return taken;
  });
  await using cluster = await TestCluster.start({ workflows: [collects] });
  cluster.delaySignals("1s", "1m");
  const run = await cluster.workflows.start(collects, undefined);
  const startMs = cluster.time.nowMs;
  await Promise.all([1, 2, 3, 4, 5, 6].map((at) => run.signal(part, at)));
  const taken = await run.result();
  expect(taken.toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(taken).not.toEqual([1, 2, 3, 4, 5, 6]);
  expect(cluster.time.nowMs - startMs).toBeGreaterThan(1_000);
});

test("a leadership that cannot go to a node rejects on virtual time", async () => {
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 3 });
  const to = cluster.nodes.find((node) => node !== cluster.leader)?.nodeId ?? 0;
  cluster.partition(to);
  const began = cluster.time.nowMs;
  await expect(cluster.transferLeadership(to)).rejects.toThrow(/leadership|transfer/i);
  expect(cluster.time.nowMs - began).toBeLessThanOrEqual(10_000);
});

test("a body hears that its run is lost, and knows nothing of it while it is cut off", async () => {
  const seen: { readonly node: number; readonly lost: boolean }[] = [];
  let cluster: TestCluster | undefined;
  const body = workflow("body", { version: 1 }, async (ctx) => {
    await ctx.step("one", () => 1);
    seen.push({ node: ctx.nodeId, lost: cluster?.hasLost(ctx) ?? true });
    await ctx.sleep("1h");
    return ctx.nodeId;
  });
  cluster = await TestCluster.start({ workflows: [body], nodes: 3 });
  try {
    const run = await cluster.workflows.start(body, undefined, { runId: "r" });
    await cluster.time.untilIdle();
    const old = { runId: "r", nodeId: cluster.partitionOwner("r"), fencingToken: (await run.describe()).epoch };
    await cluster.time.advance("10s");
    cluster.time.release();
    expect(cluster.ownerOf("r")?.nodeId).not.toBe(old.nodeId);
    expect(cluster.hasLost(old)).toBe(false);
    cluster.heal();
    await run.result();
    expect(cluster.hasLost(old)).toBe(true);
    expect(seen.map(({ lost }) => lost)).toEqual([false, false]);
  } finally {
    await cluster.stop();
  }
});

test("a fault whose moment never comes says so", async () => {
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 1 });
  const planned = cluster.at({ step: "refund", nth: 2 }, () => {});
  await cluster.workflows.start(order, "tea");
  await expect(planned.happened).rejects.toThrow("The moment has not come: step refund starts");
  expect(planned.hasCome).toBe(false);
});

test("a call goes on to another node when its own dies after a partition of others", async () => {
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 3 });
  const run = await cluster.workflows.start(order, "tea", { runId: "r" });
  const waiting = run.wait();
  cluster.partition(3);
  cluster.heal();
  cluster.kill(1);
  await run.signal(approval, true);
  expect((await waiting).status).toBe("completed");
});

test("a call comes back to a node that has stopped and started while the call was with the others", async () => {
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 3 });
  const run = await cluster.workflows.start(order, "tea", { runId: "r" });
  const waiting = run.wait();
  await cluster.time.untilIdle();
  await cluster.stopNode(1);
  await cluster.startNode(1);
  for (const nodeId of [2, 3]) {
    cluster.partition(nodeId);
    await cluster.time.untilIdle();
    cluster.heal();
    await cluster.time.untilIdle();
  }
  await run.signal(approval, true);
  expect((await waiting).status).toBe("completed");
});
