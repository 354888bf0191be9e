import { afterEach, describe, expect, test } from "vitest";
import { RaftError } from "../errors.ts";
import { MemoryStorage } from "../memory/memory-storage.ts";
import type { Message } from "../message.ts";
import type { CommandExecutor, CommittedCommand, SnapshotContent } from "../ports/executor.ts";
import type { GroupChannel, GroupReceiver, PeerTransport } from "../ports/peer-transport.ts";
import type { GroupStorage } from "../ports/storage.ts";
import type { GroupId, LogIndex, NodeId } from "../types.ts";
import type { RaftClusterOptions } from "./options.ts";
import { RaftCluster } from "./raft-cluster.ts";

/** The smallest network for nodes of one process: every message arrives, unless its receiver is cut off. */
class Wire {
  readonly #receivers = new Map<NodeId, GroupReceiver>();
  readonly cut = new Set<NodeId>();
  /** Nodes that send but receive nothing. */
  readonly deaf = new Set<NodeId>();

  transport(nodeId: NodeId): PeerTransport {
    const reach = (to: NodeId) =>
      this.cut.has(to) || this.cut.has(nodeId) || this.deaf.has(to) ? undefined : this.#receivers.get(to);
    return {
      nodeId,
      open: (_groupId: GroupId, receiver: GroupReceiver): GroupChannel => {
        this.#receivers.set(nodeId, receiver);
        return {
          send: (messages: readonly Message[]) => {
            setImmediate(() => {
              for (const message of messages) reach(message.to)?.receive(nodeId, [message]);
            });
          },
          sendSnapshot: async (message, content) => {
            const receiver = reach(message.to);
            if (receiver === undefined) throw new Error(`node ${message.to} is out of reach`);
            await receiver.receiveSnapshot(message, content);
          },
          close: () => {
            if (this.#receivers.get(nodeId) === receiver) this.#receivers.delete(nodeId);
          },
        };
      },
      setPeer: () => {},
      removePeer: () => {},
    };
  }
}

/** An executor with a list to which commands append; the result is the length. */
class ListExecutor implements CommandExecutor<string, number> {
  items: string[] = [];
  lost: NodeId[] = [];
  encode(command: string): Uint8Array {
    return new TextEncoder().encode(command);
  }
  decode(bytes: Uint8Array): string {
    return new TextDecoder().decode(bytes);
  }
  apply(batch: readonly CommittedCommand<string>[]): readonly number[] {
    return batch.map(({ command }) => this.items.push(command));
  }
  async *snapshot(): SnapshotContent {
    yield new TextEncoder().encode(JSON.stringify(this.items));
  }
  async restore(content: SnapshotContent): Promise<void> {
    let json = "";
    for await (const chunk of content) json += new TextDecoder().decode(chunk);
    this.items = JSON.parse(json);
  }
  nodeLost(nodeId: NodeId): void {
    this.lost.push(nodeId);
  }
}

interface Node {
  readonly cluster: RaftCluster<string, number>;
  readonly executor: ListExecutor;
  readonly storage: GroupStorage;
}

const running: RaftCluster<string, number>[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((cluster) => cluster.stop()));
});

async function startNode(
  wire: Wire,
  nodeId: NodeId,
  options: Partial<RaftClusterOptions<string, number>>,
  storage: GroupStorage = new MemoryStorage(),
): Promise<Node> {
  const executor = new ListExecutor();
  const cluster = await RaftCluster.start({
    nodeId,
    transport: wire.transport(nodeId),
    storage,
    executor,
    timing: { tickMs: 10 },
    ...options,
  });
  running.push(cluster);
  return { cluster, executor, storage };
}

const addressed = (ids: readonly NodeId[]) => ids.map((nodeId) => ({ nodeId, address: `node-${nodeId}:1` }));

async function startThree(wire: Wire, options: Partial<RaftClusterOptions<string, number>> = {}): Promise<Node[]> {
  const bootstrap = { kind: "members" as const, members: addressed([1, 2, 3]) };
  const nodes = await Promise.all([1, 2, 3].map((id) => startNode(wire, id, { bootstrap, ...options })));
  await Promise.all(nodes.map(({ cluster }) => cluster.waitForLeader()));
  return nodes;
}

/** Waits until `isTrue`, which it checks after every turn of the event loop, for at most `ms`. */
async function eventually(isTrue: () => boolean, ms = 5_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${isTrue}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const leaderOf = (nodes: readonly Node[]): Node => {
  const leader = nodes.find(({ cluster }) => cluster.isLeader);
  if (leader === undefined) throw new Error("no leader");
  return leader;
};
const followersOf = (nodes: readonly Node[]): Node[] => nodes.filter(({ cluster }) => !cluster.isLeader);

describe("a group of one", () => {
  test("leads at once and applies what is proposed", async () => {
    const bootstrap = { kind: "members" as const, members: addressed([1]) };
    const { cluster, executor } = await startNode(new Wire(), 1, { bootstrap });
    expect(await cluster.propose("a")).toBe(1);
    expect(await Promise.all([cluster.propose("b"), cluster.propose("c")])).toEqual([2, 3]);
    expect(executor.items).toEqual(["a", "b", "c"]);
  });

  test("continues from its storage after a restart", async () => {
    const wire = new Wire();
    const bootstrap = { kind: "members" as const, members: addressed([1]) };
    const { cluster, storage } = await startNode(wire, 1, { bootstrap });
    await cluster.propose("a");
    await cluster.snapshot();
    await cluster.propose("b");
    await cluster.stop();
    const again = await startNode(wire, 1, {}, storage);
    await again.cluster.readIndex();
    expect(again.executor.items).toEqual(["a", "b"]);
    expect(again.cluster.members()).toEqual(addressed([1]));
  });

  test("observers hear of each snapshot that is taken, requested or due", async () => {
    const limits = { keepEntries: 0, snapshotEveryEntries: 3 };
    const bootstrap = { kind: "members" as const, members: addressed([1]) };
    const { cluster } = await startNode(new Wire(), 1, { bootstrap, limits });
    const taken: LogIndex[] = [];
    const third = Promise.withResolvers<void>();
    cluster.on((event) => {
      if (event.type === "snapshot-taken" && taken.push(event.index) === 3) third.resolve();
    });
    const asked = [await cluster.snapshot(), await cluster.snapshot()].map(({ index }) => index);
    await Promise.all(["a", "b", "c"].map((command) => cluster.propose(command)));
    await third.promise;
    expect(taken.slice(0, 2)).toEqual(asked);
    expect(taken[2]).toBe(cluster.status().snapshotIndex);
  });

  test("a snapshot is never ahead of the commit index beside it, whenever the node stops", async () => {
    const wire = new Wire();
    const bootstrap = { kind: "members" as const, members: addressed([1]) };
    const { cluster, storage } = await startNode(wire, 1, { bootstrap, limits: { keepEntries: 0 } });
    await Promise.all(["a", "b", "c"].map((command) => cluster.propose(command)));
    const { index } = await cluster.snapshot();
    expect(storage.initialState().hardState.commit).toBeGreaterThanOrEqual(index);
    await cluster.stop();
    const again = await startNode(wire, 1, {}, storage);
    await again.cluster.readIndex();
    expect(again.executor.items).toEqual(["a", "b", "c"]);
  });

  test("an empty storage without a bootstrap is refused", async () => {
    await expect(startNode(new Wire(), 1, {})).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("a group of three", () => {
  test("any node proposes, every node applies, in one order", async () => {
    const nodes = await startThree(new Wire());
    await Promise.all(nodes.flatMap(({ cluster }, at) => [cluster.propose(`x${at}`), cluster.propose(`y${at}`)]));
    await Promise.all(nodes.map(({ cluster }) => cluster.readIndex()));
    expect(nodes[0]?.executor.items.length).toBe(6);
    for (const { executor } of nodes) expect(executor.items).toEqual(nodes[0]?.executor.items);
  });

  test("a read on any node sees what was acknowledged before it", async () => {
    const nodes = await startThree(new Wire());
    const [writer] = followersOf(nodes);
    await writer?.cluster.propose("seen");
    for (const { cluster, executor } of nodes) {
      await cluster.readIndex();
      expect(executor.items).toEqual(["seen"]);
    }
  });

  test("the leader is cut off: the others go on, it is reported lost, its own call fails in time, and it catches up", async () => {
    const wire = new Wire();
    const nodes = await startThree(wire);
    const old = leaderOf(nodes);
    const others = followersOf(nodes);
    await old.cluster.propose("before");
    wire.cut.add(old.cluster.nodeId);
    await expect(old.cluster.propose("lost", { timeoutMs: 300 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await Promise.all(others.map(({ cluster }) => cluster.propose(`after ${cluster.nodeId}`)));
    await eventually(() => leaderOf(others).executor.lost.includes(old.cluster.nodeId));
    wire.cut.clear();
    await eventually(() => old.executor.items.length === 3);
    expect(old.executor.items).toEqual(others[0]?.executor.items);
  });

  test("without a quorum calls fail within their deadline, saying so", async () => {
    const wire = new Wire();
    const nodes = await startThree(wire);
    const [a, b] = followersOf(nodes);
    wire.cut.add(leaderOf(nodes).cluster.nodeId).add(b?.cluster.nodeId ?? 0);
    await eventually(() => a?.cluster.leader === 0);
    await expect(a?.cluster.propose("x", { timeoutMs: 100 })).rejects.toMatchObject({
      code: "NO_LEADER",
      retryable: true,
    });
    await expect(a?.cluster.readIndex({ timeoutMs: 100 })).rejects.toMatchObject({ code: "NO_LEADER" });
  });

  test("leadership moves to a chosen voter, and only to a voter", async () => {
    const nodes = await startThree(new Wire());
    const [target] = followersOf(nodes);
    await leaderOf(nodes).cluster.transferLeadership(target?.cluster.nodeId ?? 0);
    await eventually(() => target?.cluster.isLeader === true);
    await expect(target?.cluster.transferLeadership(9)).rejects.toMatchObject({ code: "NODE_UNKNOWN" });
  });

  test("a node joins through a snapshot, learns the addresses, votes, and another leaves", async () => {
    const wire = new Wire();
    const nodes = await startThree(wire, { limits: { snapshotEveryEntries: 20, keepEntries: 0 } });
    const leader = leaderOf(nodes);
    for (let i = 0; i < 50; i++) await leader.cluster.propose(`e${i}`);
    const fourth = await startNode(wire, 4, { bootstrap: { kind: "join" } });
    await leader.cluster.changeMembership([{ type: "AddLearnerNode", nodeId: 4, address: "node-4:1" }]);
    await eventually(() => fourth.executor.items.length === 50);
    await followersOf(nodes)[0]?.cluster.changeMembership([{ type: "AddNode", nodeId: 4, address: "node-4:1" }]);
    expect(await fourth.cluster.propose("from the new one")).toBe(51);
    expect(fourth.cluster.members()).toEqual(addressed([1, 2, 3, 4]));
    const [leaver] = followersOf(nodes);
    const left = leaver?.cluster.nodeId ?? 0;
    const confState = await fourth.cluster.changeMembership([{ type: "RemoveNode", nodeId: left }]);
    expect(confState.voters).not.toContain(left);
    expect(fourth.cluster.status().highestNodeId).toBe(4);
  });

  test("the leader of two is removed: leadership moves first, so the other goes on alone", async () => {
    const nodes = await startThree(new Wire());
    const leader = leaderOf(nodes);
    const [stays, goes] = followersOf(nodes);
    await leader.cluster.changeMembership([{ type: "RemoveNode", nodeId: goes?.cluster.nodeId ?? 0 }]);
    await leader.cluster.changeMembership([{ type: "RemoveNode", nodeId: leader.cluster.nodeId }]);
    await eventually(() => stays?.cluster.isLeader === true);
    expect(stays?.cluster.status().confState.voters).toEqual([stays?.cluster.nodeId]);
    await stays?.cluster.propose("alone");
    expect(stays?.executor.items).toEqual(["alone"]);
  });

  test("a change that another one makes impossible while it waits says so, long before its deadline", async () => {
    const nodes = await startThree(new Wire());
    const { cluster } = leaderOf(nodes);
    const [one, other] = followersOf(nodes).map((node) => node.cluster.nodeId);
    await cluster.changeMembership([{ type: "RemoveNode", nodeId: other ?? 0 }]);
    const left = [cluster.nodeId, one ?? 0];
    // Each change leaves one voter; both together would leave none.
    const calls = await Promise.allSettled(
      left.map((nodeId) => cluster.changeMembership([{ type: "AddLearnerNode", nodeId }], { timeoutMs: 600_000 })),
    );
    const refused = calls.flatMap((call) => (call.status === "rejected" ? [call.reason] : []));
    expect(refused).toMatchObject([{ code: "CONF_CHANGE_INVALID" }]);
  });

  test("an id is given once: not to a second newcomer, not again after its node was removed", async () => {
    const wire = new Wire();
    const nodes = await startThree(wire);
    const { cluster } = leaderOf(nodes);
    await startNode(wire, 4, { bootstrap: { kind: "join" } });
    const newcomer = { type: "AddLearnerNode" as const, nodeId: 4, isNew: true };
    const both = await Promise.allSettled([
      cluster.changeMembership([{ ...newcomer, address: "first:1" }]),
      followersOf(nodes)[0]?.cluster.changeMembership([{ ...newcomer, address: "second:1" }]),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await cluster.changeMembership([{ type: "RemoveNode", nodeId: 4 }]);
    await expect(cluster.changeMembership([{ type: "AddNode", nodeId: 4 }])).rejects.toMatchObject({
      code: "CONF_CHANGE_INVALID",
    });
  });

  test("changes of several voters at once go through a joint configuration and leave it", async () => {
    const wire = new Wire();
    const nodes = await startThree(wire);
    await Promise.all([4, 5].map((id) => startNode(wire, id, { bootstrap: { kind: "join" } })));
    const confState = await leaderOf(nodes).cluster.changeMembership([
      { type: "AddNode", nodeId: 4 },
      { type: "AddNode", nodeId: 5 },
    ]);
    expect(confState).toMatchObject({ voters: [1, 2, 3, 4, 5], votersOutgoing: [] });
  });

  test("impossible changes are refused before anything is replicated", async () => {
    const nodes = await startThree(new Wire());
    const { cluster } = leaderOf(nodes);
    await expect(cluster.changeMembership([{ type: "RemoveNode", nodeId: 9 }])).rejects.toMatchObject({
      code: "NODE_UNKNOWN",
    });
    const misspelt = { type: "remove" as "RemoveNode", nodeId: 2 };
    await expect(cluster.changeMembership([misspelt])).rejects.toMatchObject({
      code: "CONF_CHANGE_INVALID",
      message: expect.stringContaining("RemoveNode"),
    });
    await expect(cluster.changeMembership([])).rejects.toMatchObject({ code: "CONF_CHANGE_INVALID" });
    const all = [1, 2, 3].map((nodeId) => ({ type: "RemoveNode" as const, nodeId }));
    await expect(cluster.changeMembership(all)).rejects.toMatchObject({ code: "CONF_CHANGE_INVALID" });
  });

  test("commands over the limit, and over the number that may wait, are refused", async () => {
    const wire = new Wire();
    const nodes = await startThree(wire, { limits: { maxCommandBytes: 10, maxPendingProposals: 2 } });
    const { cluster } = leaderOf(nodes);
    await expect(cluster.propose("x".repeat(11))).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
    const all = await Promise.allSettled(["a", "b", "c"].map((command) => cluster.propose(command)));
    expect(all.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect(all[2]).toMatchObject({ reason: { code: "OVERLOADED" } });
  });

  test("a proposer that gets the outcome inside a snapshot is told that it is decided, not what it was", async () => {
    const wire = new Wire();
    const nodes = await startThree(wire, { limits: { snapshotEveryEntries: 10, keepEntries: 0 } });
    const leader = leaderOf(nodes);
    const [deaf] = followersOf(nodes);
    await deaf?.cluster.propose("opens the session");
    wire.deaf.add(deaf?.cluster.nodeId ?? 0);
    const outcome = deaf?.cluster.propose("decided unheard").catch((error: unknown) => error);
    await eventually(() => leader.executor.items.includes("decided unheard"));
    for (let i = 0; i < 20; i++) await leader.cluster.propose(`e${i}`);
    wire.deaf.clear();
    expect(await outcome).toMatchObject({ code: "PROPOSAL_OUTCOME_UNKNOWN" });
    await eventually(() => deaf?.executor.items.length === leader.executor.items.length);
    expect(deaf?.executor.items).toEqual(leader.executor.items);
  });

  test("a stopped node's calls say so", async () => {
    const [first] = await startThree(new Wire());
    await first?.cluster.stop();
    await expect(first?.cluster.propose("x")).rejects.toMatchObject({ code: "NODE_STOPPED" });
  });
});

test("a failed write stops the node, fails its calls, and is told", async () => {
  const storage = new MemoryStorage();
  const bootstrap = { kind: "members" as const, members: addressed([1]) };
  const { cluster } = await startNode(new Wire(), 1, { bootstrap }, storage);
  await cluster.propose("fine");
  const failed = new Promise<Error>((resolve) => {
    cluster.on((event) => {
      if (event.type === "failed") resolve(event.error);
    });
  });
  storage.write = () => Promise.reject(new Error("EIO"));
  await expect(cluster.propose("never acknowledged")).rejects.toMatchObject({ code: "NODE_FAILED" });
  expect((await failed).message).toBe("EIO");
  expect(cluster.failure?.message).toBe("EIO");
  await expect(cluster.propose("after")).rejects.toBeInstanceOf(RaftError);
});
