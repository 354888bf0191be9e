// @module-tag slow

// Nodes that come and go under clients that never stop asking: no call fails, and no client sees a gap.
import { workflow } from "@raftoral/workflow";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RaftoralClient } from "../../client/raftoral-client.ts";
import { type Kind, leaderOf, TestCluster, until } from "../../testing/test-cluster.ts";
import type { RaftoralNode } from "../raftoral-node.ts";

const echo = workflow("echo", { version: 1 }, async (ctx, n: number) => ctx.step("echo", () => n));

let cluster: TestCluster;
const open: { close(): unknown }[] = [];
beforeEach(async () => {
  cluster = await TestCluster.create("grpc", [echo]);
});
afterEach(async () => {
  for (const each of open.splice(0)) each.close();
  await cluster.dispose();
});

/** Starts runs through a client, one after the other, until stopped; then tells how many. */
function asking(client: RaftoralClient, name: string) {
  let isOver = false;
  let started = 0;
  const failures: unknown[] = [];
  const waiting = new Map<number, () => void>();
  const done = (async () => {
    while (!isOver) {
      const id = `${name}-${started}`;
      await client.workflows.start(echo, started, { runId: id }).catch((error: unknown) => failures.push(error));
      started += 1;
      waiting.get(started)?.();
    }
  })();
  return {
    failures,
    /** Resolves once so many more have been started. */
    more: (count: number) => new Promise<void>((resolve) => waiting.set(started + count, resolve)),
    async stop(): Promise<number> {
      isOver = true;
      await done;
      return started;
    },
  };
}

test("every node of three is stopped and started in turn, and no call fails", { timeout: 60_000 }, async () => {
  const { nodes, places } = await cluster.form(3);
  const clients = await Promise.all(nodes.map((node) => RaftoralClient.connect(node.address)));
  open.push(...clients);
  const load = clients.map((client, i) => asking(client, `c${i}`));
  for (const [i, node] of nodes.entries()) {
    await Promise.all(load.map((each) => each.more(5)));
    await node.stop();
    const again = await cluster.start({ ...(places[i] ?? {}), listen: node.address });
    const isUp = async () => (await again.cluster.status()).leader !== 0;
    await until(again, isUp, "a leader at the node that was started again");
    nodes[i] = again;
  }
  await Promise.all(load.map((each) => each.more(5)));
  const outcomes = await Promise.all(load.map((each) => each.stop()));
  expect(load.flatMap((each) => each.failures)).toEqual([]);
  const total = outcomes.reduce((sum, started) => sum + started, 0);
  const runs = await Array.fromAsync((nodes[0] as RaftoralNode).workflows.list());
  expect(runs).toHaveLength(total);
});

describe.each<Kind>(["memory", "grpc"])("membership over %s", (kind) => {
  let own: TestCluster;
  beforeEach(async () => {
    own = await TestCluster.create(kind, [echo]);
  });
  afterEach(() => own.dispose());

  test("nodes join by way of a follower, and leave, without a change of leader or a write that fails", async () => {
    const { nodes } = await own.form(3);
    const leader = await leaderOf(nodes);
    const follower = nodes.find((node) => node !== leader) as RaftoralNode;
    const changes: number[] = [];
    leader.on((event) => {
      if (event.type === "leader") changes.push(event.leader);
    });
    let isOver = false;
    let written = 0;
    const writing = (async () => {
      for (; !isOver; written++) await leader.workflows.start(echo, written, { runId: `w${written}` });
    })();
    const fourth = await own.start({ ...own.place(), join: follower.address });
    const fifth = await own.start({ ...own.place(), join: fourth.address });
    expect((await fifth.cluster.members()).filter(({ voter }) => voter)).toHaveLength(5);
    await fourth.leave();
    await follower.leave();
    await until(leader, async () => (await leader.cluster.members()).length === 3, "three members");
    isOver = true;
    await writing;
    expect(changes).toEqual([]);
    expect(written).toBeGreaterThan(0);
    expect(await Array.fromAsync(fifth.workflows.list())).toHaveLength(written);
  });

  test("a leader that leaves hands over first: another leads before it is gone", async () => {
    const { nodes } = await own.form(3);
    const leader = await leaderOf(nodes);
    const other = nodes.find((node) => node !== leader) as RaftoralNode;
    const seen: string[] = [];
    other.on((event) => {
      if (event.type === "leader")
        seen.push(event.leader === 0 ? "none" : event.leader === leader.nodeId ? "old" : "new");
      if (event.type === "members" && event.members.length === 2) seen.push("gone");
    });
    await leader.leave();
    await until(other, async () => (await other.cluster.members()).length === 2, "two members");
    expect(seen.indexOf("new")).toBeGreaterThanOrEqual(0);
    expect(seen.indexOf("new")).toBeLessThan(seen.indexOf("gone"));
  });
});

test("a node joins by a list of which most are dead", async () => {
  const { nodes } = await cluster.form(1);
  const [first] = nodes as [RaftoralNode];
  const second = await cluster.start({ ...cluster.place(), join: ["127.0.0.1:1", "127.0.0.1:2", first.address] });
  expect(second.nodeId).toBe(2);
});

test("a node that was down when it was removed is told so when it comes back, and ends with the reason", async () => {
  const { nodes, places } = await cluster.form(3);
  const [first, , third] = nodes as [RaftoralNode, RaftoralNode, RaftoralNode];
  await third.stop();
  await first.cluster.removeNode(3);
  const again = await cluster.start({ ...(places[2] ?? {}), listen: third.address });
  await expect(again.failed).resolves.toMatchObject({ code: "NODE_REMOVED" });
});

test("a node that moved to another port while the others ran is found there, also after all have been restarted", async () => {
  const { nodes, places } = await cluster.form(3);
  await nodes[2]?.stop();
  const moved = await cluster.start({ ...(places[2] ?? {}) });
  expect(moved.address).not.toBe(nodes[2]?.address);
  const first = nodes[0] as RaftoralNode;
  const where = async (node: RaftoralNode) =>
    (await node.cluster.members()).find(({ nodeId }) => nodeId === 3)?.address;
  await until(first, async () => (await where(first)) === moved.address, "the new address at the first node");
  await Promise.all([first, nodes[1] as RaftoralNode, moved].map((node) => node.stop()));
  const again = await Promise.all(
    [first, nodes[1], moved].map((node, i) => cluster.start({ ...(places[i] ?? {}), listen: node?.address ?? "" })),
  );
  // From its own log, where the change may not be known to be committed until a leader says so.
  await Promise.all(
    again.map((node) => until(node, async () => (await where(node)) === moved.address, "the new address")),
  );
});
