import {
  type ClusterEvent,
  type ClusterStatus,
  type ConfState,
  EMPTY_CONF_STATE,
  type MemberProgress,
  type NodeId,
  platformClock,
  silentLogger,
} from "@raftoral/raft-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Membership, type WorkflowCluster } from "./membership.ts";

/** A leader whose configuration changes at once, and whose followers are as far as a test says. */
class FakeCluster {
  readonly nodeId = 1;
  isLeader = true;
  confState: ConfState = { ...EMPTY_CONF_STATE, voters: [1] };
  progress: MemberProgress[] = [];
  highestNodeId = 1;
  readonly addresses = new Map<NodeId, string>([[1, "one:1"]]);
  readonly changes: { readonly type: string; readonly nodeId: NodeId }[] = [];
  /** Before a change is in force. */
  gate: Promise<unknown> = Promise.resolve();
  #listener: (event: ClusterEvent) => void = () => {};

  on(listener: (event: ClusterEvent) => void): () => void {
    this.#listener = listener;
    return () => {};
  }

  async readIndex(): Promise<number> {
    return 0;
  }

  async waitForLeader(): Promise<NodeId> {
    return 1;
  }

  members() {
    return [...this.addresses].map(([nodeId, address]) => ({ nodeId, address }));
  }

  /** As much of it as membership looks at. */
  status(): ClusterStatus {
    const { confState, progress, highestNodeId } = this;
    const members = this.members();
    const status: Partial<ClusterStatus> = { leader: 1, lastIndex: 1000, confState, progress, highestNodeId, members };
    return status as ClusterStatus;
  }

  async changeMembership(changes: readonly { type: string; nodeId: NodeId; address?: string }[]): Promise<ConfState> {
    // As long as a round to the followers, in which others may ask for changes too.
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    await this.gate;
    for (const { type, nodeId, address } of changes) {
      this.changes.push({ type, nodeId });
      const without = (ids: readonly NodeId[]) => ids.filter((id) => id !== nodeId);
      const voters = type === "AddNode" ? [...without(this.confState.voters), nodeId] : without(this.confState.voters);
      const learners = without(this.confState.learners).concat(type === "AddLearnerNode" ? [nodeId] : []);
      this.confState = { ...this.confState, voters, learners };
      this.highestNodeId = Math.max(this.highestNodeId, nodeId);
      if (address !== undefined) this.addresses.set(nodeId, address);
    }
    this.#listener({ type: "members", confState: this.confState, members: this.members() });
    return this.confState;
  }
}

function progressOf(nodeId: NodeId, fields: Partial<MemberProgress>): MemberProgress {
  return { nodeId, state: "StateReplicate", match: 1000, recentActive: true, silentMs: 0, ...fields };
}

const LIMIT = { timeoutMs: 1000 };
let cluster: FakeCluster;
let membership: Membership;
const forget = vi.fn<(nodeId: NodeId) => void>();
const suggest = vi.fn<(nodeId: NodeId, address: string) => void>();
beforeEach(() => {
  vi.useFakeTimers();
  forget.mockClear();
  suggest.mockClear();
  cluster = new FakeCluster();
  membership = new Membership({
    cluster: cluster as unknown as WorkflowCluster,
    clusterId: "shop-000000000000",
    address: "one:1",
    dial: () => Promise.reject(new Error("no other node")),
    forget,
    clock: platformClock,
    suggest,
    logger: silentLogger,
  });
});
afterEach(() => {
  membership.close();
  vi.useRealTimers();
});

test("J1: nodes that ask at once get one id each, above every id there ever was", async () => {
  cluster.highestNodeId = 6;
  const admissions = await Promise.all(
    ["a:1", "b:1", "c:1"].map((address) => membership.admit(address, "shop", 0, LIMIT)),
  );
  expect(admissions.map((each) => each.nodeId)).toEqual([7, 8, 9]);
  expect(cluster.confState).toMatchObject({ voters: [1], learners: [7, 8, 9] });
});

test("J5: a leader that has moved records where it is before it lets anybody in", async () => {
  cluster.addresses.set(1, "one:before");
  await membership.admit("a:1", "", 0, LIMIT);
  expect(cluster.changes).toEqual([
    { type: "AddNode", nodeId: 1 },
    { type: "AddLearnerNode", nodeId: 2 },
  ]);
  expect(cluster.addresses.get(1)).toBe("one:1");
});

test("an attempt that is repeated replaces the learner it left behind, under a new id", async () => {
  const first = await membership.admit("a:1", "", 0, LIMIT);
  const second = await membership.admit("a:1", "", 0, LIMIT);
  expect([first.nodeId, second.nodeId]).toEqual([2, 3]);
  expect(cluster.confState.learners).toEqual([3]);
});

test("a voter's address is not given to another node", async () => {
  await expect(membership.admit("one:1", "", 0, LIMIT)).rejects.toMatchObject({
    code: "CONF_CHANGE_INVALID",
    message: /raftoral leave --id 1/,
  });
  expect(cluster.changes).toEqual([]);
});

test("a cluster of another name lets no node in", async () => {
  await expect(membership.admit("a:1", "bank", 0, LIMIT)).rejects.toMatchObject({ code: "CLUSTER_MISMATCH" });
});

test.each([
  ["is far behind", { match: 899 }],
  ["is silent", { recentActive: false }],
  ["is being sent a snapshot", { state: "StateSnapshot" as const }],
])("J2: a learner that %s does not vote", async (_name, fields) => {
  await membership.admit("a:1", "", 0, LIMIT);
  cluster.progress = [progressOf(2, fields)];
  await vi.advanceTimersByTimeAsync(5_000);
  expect(cluster.confState.voters).toEqual([1]);
});

test("J2: a learner that has caught up votes, one after the other", async () => {
  await membership.admit("a:1", "", 0, LIMIT);
  await membership.admit("b:1", "", 0, LIMIT);
  cluster.progress = [progressOf(2, { match: 900 }), progressOf(3, { match: 0 })];
  await vi.advanceTimersByTimeAsync(500);
  expect(cluster.confState).toMatchObject({ voters: [1, 2], learners: [3] });
  cluster.progress = [progressOf(2, {}), progressOf(3, {})];
  await vi.advanceTimersByTimeAsync(500);
  expect(cluster.confState).toMatchObject({ voters: [1, 2, 3], learners: [] });
  expect(vi.getTimerCount()).toBe(0);
});

test("J2: only the leader makes voters", async () => {
  cluster.isLeader = false;
  await cluster.changeMembership([{ type: "AddLearnerNode", nodeId: 2 }]);
  cluster.progress = [progressOf(2, {})];
  await vi.advanceTimersByTimeAsync(5_000);
  expect(cluster.confState.learners).toEqual([2]);
  expect(vi.getTimerCount()).toBe(0);
});

test("J3: the last voter is not removed, learners or not", async () => {
  await membership.admit("a:1", "", 0, LIMIT);
  await expect(membership.remove(1, LIMIT)).rejects.toMatchObject({ code: "LAST_MEMBER" });
});

test("a node that was never there and one that was removed are told apart", async () => {
  await membership.admit("a:1", "", 0, LIMIT);
  await membership.remove(2, LIMIT);
  await expect(membership.remove(2, LIMIT)).rejects.toMatchObject({ code: "NODE_REMOVED" });
  await expect(membership.remove(3, LIMIT)).rejects.toMatchObject({ code: "NODE_UNKNOWN" });
});

test("what leads to a removed node is closed, on every node", async () => {
  await membership.admit("a:1", "", 0, LIMIT);
  await membership.remove(2, LIMIT);
  expect(forget.mock.calls).toEqual([[2]]);
});

test("a member that moved keeps its vote, or its lack of one", async () => {
  await cluster.changeMembership([
    { type: "AddNode", nodeId: 2, address: "two:1" },
    { type: "AddLearnerNode", nodeId: 3, address: "three:1" },
  ]);
  cluster.changes.length = 0;
  await membership.readdress(2, "two:2", LIMIT);
  await membership.readdress(3, "three:2", LIMIT);
  await membership.readdress(3, "three:2", LIMIT);
  expect(cluster.changes).toEqual([
    { type: "AddNode", nodeId: 2 },
    { type: "AddLearnerNode", nodeId: 3 },
  ]);
  expect(membership.members().map((member) => [member.address, member.voter])).toEqual([
    ["one:1", true],
    ["two:2", true],
    ["three:2", false],
  ]);
});

test("J2: a promotion that is still under way when the node closes leaves no timer behind", async () => {
  await membership.admit("a:1", "", 0, LIMIT);
  cluster.progress = [progressOf(2, {})];
  const gate = Promise.withResolvers<void>();
  cluster.gate = gate.promise;
  await vi.advanceTimersByTimeAsync(200);
  membership.close();
  gate.reject(new Error("the node was stopped"));
  await vi.advanceTimersByTimeAsync(200);
  expect(vi.getTimerCount()).toBe(0);
});

// The joiner may be in already, through the new leader: taken for a left-over of this attempt, it would be removed.
test("J1: a join whose turn comes when another node leads changes nothing", async () => {
  const gate = Promise.withResolvers<void>();
  cluster.gate = gate.promise;
  const first = membership.admit("a:1", "", 0, LIMIT);
  const second = membership.admit("b:1", "", 0, LIMIT);
  second.catch(() => {});
  await vi.advanceTimersByTimeAsync(1);
  cluster.isLeader = false;
  gate.resolve();
  await first;
  await expect(second).rejects.toMatchObject({ code: "NO_LEADER", retryable: true });
  expect(cluster.changes).toEqual([{ type: "AddLearnerNode", nodeId: 2 }]);
});

test("a change whose time passed while it waited for its turn is not made", async () => {
  const gate = Promise.withResolvers<void>();
  cluster.gate = gate.promise;
  const first = membership.admit("a:1", "", 0, { timeoutMs: 5_000 });
  const others = [
    membership.admit("b:1", "", 0, LIMIT),
    membership.remove(1, LIMIT),
    membership.readdress(1, "c:1", LIMIT),
  ];
  for (const other of others) other.catch(() => {});
  await vi.advanceTimersByTimeAsync(1_500);
  gate.resolve();
  await first;
  for (const other of others) await expect(other).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  expect(cluster.changes).toEqual([{ type: "AddLearnerNode", nodeId: 2 }]);
});

test("J6: an address that is announced is a hint before a quorum is asked, for other members alone", async () => {
  cluster.confState = { ...EMPTY_CONF_STATE, voters: [1, 2] };
  cluster.addresses.set(2, "two:1");
  cluster.readIndex = () => Promise.reject(new Error("no quorum"));
  for (const nodeId of [1, 2, 9])
    await expect(membership.readdress(nodeId, "new:1", LIMIT)).rejects.toThrow("no quorum");
  expect(suggest.mock.calls).toEqual([[2, "new:1"]]);
});
