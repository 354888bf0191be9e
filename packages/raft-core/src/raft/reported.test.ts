import { describe, expect, test } from "vitest";
import { message } from "../message.ts";
import {
  bytes,
  commands,
  entriesOfTerms,
  LockstepNetwork,
  type NetworkOptions,
} from "../testing/internal/groups/lockstep-network.ts";
import type { ConfChangeSingle, NodeId } from "../types.ts";

// Faults that were reported of other implementations of Raft, each tried on this one. The names are theirs.

const CAREFUL = { preVote: true, checkQuorum: true } as const;
const voters = [1, 2, 3];

function trio(options: Partial<NetworkOptions> = {}): LockstepNetwork {
  const network = new LockstepNetwork({ voters, ...options });
  network.elect(1);
  expect(network.propose(1, "a")).toBe(true);
  return network;
}

function change(network: LockstepNetwork, at: NodeId, ...changes: readonly ConfChangeSingle[]): void {
  network.raw(at).proposeConfChange({ transition: "Auto", changes, context: bytes("") });
  network.stabilize();
}

function leaderOf(network: LockstepNetwork, ids: readonly NodeId[] = [...network.nodes.keys()]): NodeId | undefined {
  return ids.find((id) => network.raw(id).basicStatus().softState.role === "StateLeader");
}

/** A node that joins gets the state as a snapshot: it does not know how the group began. */
function join(network: LockstepNetwork, leader: NodeId, id: NodeId): void {
  network.node(leader).compact(network.raw(leader).raft.log.applied + 1);
  network.join(id, CAREFUL);
}

/** Ticks the given nodes alike and stabilizes after each tick. */
function pass(network: LockstepNetwork, ticks: number, ids: readonly NodeId[] = [...network.nodes.keys()]): void {
  for (let tick = 0; tick < ticks; tick++) {
    for (const id of ids) network.tick(id, 1);
    network.stabilize();
  }
}

describe("changes of the configuration, as reported", () => {
  test("a leader demotes itself for a newcomer that it cannot reach, and finds its way back to lead (scylladb 10618)", () => {
    const network = new LockstepNetwork({ voters: [1], config: { ...CAREFUL, stepDownOnRemoval: true } });
    network.elect(1);
    join(network, 1, 2);
    network.cut(1, 2);
    change(network, 1, { type: "AddLearnerNode", nodeId: 1 }, { type: "AddNode", nodeId: 2 });
    expect(network.raw(1).raft.tracker.confState()).toMatchObject({ voters: [2], votersOutgoing: [1] });
    pass(network, 25);
    expect(leaderOf(network)).toBeUndefined();
    network.heal();
    pass(network, 80);
    expect(leaderOf(network)).toBe(2);
    expect(network.raw(2).raft.tracker.confState()).toMatchObject({ voters: [2], learners: [1], votersOutgoing: [] });
  });

  test("a received snapshot replaces a change that was never committed, also after a restart (openraft 1808, scylladb 9551)", () => {
    const network = trio();
    network.isolate(3);
    network.raw(3).step(message({ type: "MsgApp", from: 1, to: 3, term: 1, index: 2, logTerm: 1, commit: 2 }));
    // Node 3 leads a term of its own with a change that no other node has.
    const stale = { type: "EntryConfChangeV2", term: 1, index: 3, data: bytes("") } as const;
    network.raw(3).step(message({ type: "MsgApp", from: 1, to: 3, term: 1, index: 2, logTerm: 1, entries: [stale] }));
    network.stabilize();
    expect(network.raw(3).raft.log.lastIndex()).toBe(3);
    network.elect(2);
    change(network, 2, { type: "AddLearnerNode", nodeId: 3 });
    network.node(2).compact(network.raw(2).raft.log.committed + 1);
    network.heal();
    pass(network, 3, [2]);
    for (let restart = 0; restart < 2; restart++) {
      expect(network.raw(3).raft.tracker.confState()).toMatchObject({ voters: [1, 2], learners: [3] });
      expect(network.raw(3).raft.log.termOrZero(3)).not.toBe(1);
      network.node(3).restart();
    }
  });

  test("a server that was removed without hearing of it does not disturb the others when it is back (hashicorp/raft 524)", () => {
    const network = trio({ config: CAREFUL });
    network.isolate(3);
    change(network, 1, { type: "RemoveNode", nodeId: 3 });
    pass(network, 60, [3]);
    network.heal();
    const { term } = network.raw(1).basicStatus().hardState;
    pass(network, 100);
    expect(leaderOf(network)).toBe(1);
    expect(network.raw(1).basicStatus().hardState.term).toBe(term);
  });

  test("who is told to take over before it knows of its promotion does not fall over, nor does its leader (openraft 1805)", () => {
    const network = trio();
    join(network, 1, 4);
    change(network, 1, { type: "AddLearnerNode", nodeId: 4 });
    pass(network, 3, [1]);
    expect(network.raw(4).raft.isLearner).toBe(true);
    network.cut(1, 4);
    change(network, 1, { type: "AddNode", nodeId: 4 });
    network.raw(1).transferLeader(4);
    network.raw(4).step(message({ type: "MsgTimeoutNow", from: 1, to: 4, term: 1 }));
    network.stabilize();
    expect(network.raw(4).basicStatus().softState.role).toBe("StateFollower");
    // A vote of a node that is no voter does not count.
    network.raw(1).step(message({ type: "MsgVoteResp", from: 9, to: 1, term: 1 }));
    expect(network.raw(1).propose(bytes("meanwhile")).ok).toBe(false);
    pass(network, 11, [1, 2, 3]);
    expect(network.propose(1, "after")).toBe(true);
    expect(commands(network.node(2).applied)).toEqual(["a", "after"]);
  });
});

describe("elections, as reported", () => {
  test("a leader that follows a later term has not voted in it (openraft 1220)", () => {
    const network = trio();
    network.isolate(3);
    network.propose(1, "b");
    network.raw(1).step(message({ type: "MsgVote", from: 3, to: 1, term: 5, index: 1, logTerm: 1 }));
    expect(network.raw(1).basicStatus().hardState).toMatchObject({ term: 5, vote: 0 });
    // Not even the second time, when its term is known.
    network.raw(1).step(message({ type: "MsgVote", from: 3, to: 1, term: 5, index: 1, logTerm: 1 }));
    const answers = network
      .node(1)
      .carryOut()
      .filter(({ type }) => type === "MsgVoteResp");
    expect(answers.map(({ reject }) => reject)).toEqual([true, true]);
  });

  test("a leader that gave up its office is elected again by the only other node that is up (hashicorp/raft 606)", () => {
    const network = trio({ config: CAREFUL });
    network.isolate(3);
    // The messages of node 2 are lost until node 1 gives up; node 2 hears node 1 all the time.
    network.deliverOnly(({ from, to }) => !(from === 2 && to === 1));
    pass(network, 25, [1]);
    expect(leaderOf(network)).toBeUndefined();
    network.deliverOnly(() => true);
    pass(network, 60, [1, 2]);
    expect(leaderOf(network)).toBeDefined();
    expect(network.propose(leaderOf(network) ?? 0, "on")).toBe(true);
  });

  test("pre-votes of a node that cannot win do not put off the campaigns of the others (hashicorp/raft 609)", () => {
    const network = trio({ config: CAREFUL });
    network.isolate(1);
    // Node 3 asks again in every tick, and node 2 hears only these requests.
    network.deliverOnly(({ type, from }) => !(from === 2 && type === "MsgPreVoteResp"));
    for (let tick = 0; tick < 25; tick++) {
      network.tick(2, 1);
      network.raw(3).campaign();
      network.stabilize();
    }
    network.deliverOnly(() => true);
    pass(network, 25, [2, 3]);
    expect(leaderOf(network, [2, 3])).toBeDefined();
  });

  test("a node that comes back in an earlier term helps to elect a leader with pre-votes (canonical/raft 279)", () => {
    const four = [1, 2, 3, 4];
    const network = new LockstepNetwork({ voters: four, config: CAREFUL });
    network.elect(1);
    network.isolate(2);
    network.elect(3);
    network.propose(1, "a");
    network.isolate(1);
    for (let round = 0; round < 4; round++) {
      network.elect(3);
      network.elect(4);
    }
    network.heal();
    network.isolate(1);
    pass(network, 80, [2, 3, 4]);
    expect(leaderOf(network, [2, 3, 4])).toBeDefined();
  });

  test("a hand-over goes through with pre-votes on, heartbeats of the old leader or not (canonical/raft 203)", () => {
    const network = trio({ config: CAREFUL });
    network.raw(1).transferLeader(2);
    const invitation = network.node(1).carryOut();
    network.raw(1).tick();
    const heartbeats = network.node(1).carryOut();
    // The heartbeat arrives when node 2 stands already.
    for (const m of [...invitation, ...heartbeats]) network.nodes.get(m.to)?.raw.step(m);
    network.stabilize();
    expect(leaderOf(network)).toBe(2);
  });

  test("leadership is handed over in a group of two, and not lost when the other does not take it (rabbitmq/ra 251)", () => {
    const network = new LockstepNetwork({ voters: [1, 2], config: CAREFUL });
    network.elect(1);
    network.raw(1).transferLeader(2);
    network.stabilize();
    expect(leaderOf(network)).toBe(2);
    network.deliverOnly(({ type }) => type !== "MsgTimeoutNow");
    network.raw(2).transferLeader(1);
    pass(network, 11);
    expect(leaderOf(network)).toBe(2);
    expect(network.propose(2, "on")).toBe(true);
  });

  test("a node that is a term ahead after a hand-over that failed is taken in again (redpanda 31547)", () => {
    const network = trio({ config: CAREFUL });
    // Node 2 is told to take over, and its requests are lost.
    network.deliverOnly(({ type }) => type !== "MsgVote");
    network.raw(1).transferLeader(2);
    network.stabilize();
    network.deliverOnly(() => true);
    const ahead = network.raw(2).basicStatus().hardState.term;
    expect(ahead).toBeGreaterThan(network.raw(1).basicStatus().hardState.term);
    pass(network, 80);
    const leader = leaderOf(network) ?? 0;
    expect(network.propose(leader, "on")).toBe(true);
    for (const { applied } of network.nodes.values()) expect(commands(applied).at(-1)).toBe("on");
  });
});

describe("replication, as reported", () => {
  test("a single node that restarts without a stored commit index applies its log again (openraft 1246, braft 64)", () => {
    const contents = new Map([[1, { hardState: { term: 2, vote: 1, commit: 0 }, entries: entriesOfTerms(1, 1, 2) }]]);
    const network = new LockstepNetwork({ voters: [1], contents });
    pass(network, 25);
    expect(commands(network.node(1).applied)).toEqual(["t1i1", "t1i2", "t2i3"]);
  });

  test("a follower with an entry of its own at its end catches up one entry at a time (yugabyte 32876)", () => {
    const more = entriesOfTerms(1, 1, 1, 3, 3, 3, 3);
    const own = entriesOfTerms(1, 1, 1, 2);
    const contents = new Map([
      [1, { hardState: { term: 3, vote: 1, commit: 3 }, entries: more }],
      [2, { hardState: { term: 3, vote: 1, commit: 3 }, entries: more }],
      [3, { hardState: { term: 2, vote: 3, commit: 3 }, entries: own }],
    ]);
    const network = new LockstepNetwork({ voters, contents, config: { maxMessageBytes: 0, maxInflightMessages: 1 } });
    network.elect(1);
    const { log } = network.raw(1).raft;
    expect(network.raw(3).raft.log.lastIndex()).toBe(log.lastIndex());
    expect(network.raw(3).raft.log.lastTerm()).toBe(log.lastTerm());
  });

  test("a follower that refuses every append still takes its leader for alive (redpanda 30817)", () => {
    const network = trio({ config: CAREFUL });
    const { term } = network.raw(1).basicStatus().hardState;
    for (let tick = 0; tick < 60; tick++) {
      network.raw(3).step(message({ type: "MsgApp", from: 1, to: 3, term, index: 90, logTerm: term }));
      network.raw(3).tick();
      for (const m of network.node(3).carryOut()) expect(m.type).toBe("MsgAppResp");
    }
    expect(network.raw(3).basicStatus()).toMatchObject({ softState: { role: "StateFollower", lead: 1 } });
  });

  test("an append that was lost is sent again although nothing else is proposed (etcd 13951)", () => {
    const network = trio();
    network.deliverOnly(({ type, to }) => !(type === "MsgApp" && to === 3));
    network.propose(1, "lost");
    network.deliverOnly(() => true);
    pass(network, 3, [1]);
    expect(commands(network.node(3).applied)).toEqual(["a", "lost"]);
  });

  test("entries that were replaced while they were being written are written again (etcd 1690)", () => {
    const network = trio({ config: { asyncStorageWrites: true } });
    const { raw } = network.node(3);
    const append = (term: number, data: string) => {
      const entries = [{ type: "EntryNormal", term, index: 3, data: bytes(data) } as const];
      raw.step(message({ type: "MsgApp", from: term, to: 3, term, index: 2, logTerm: 1, entries }));
      return raw.ready().messages.filter(({ type }) => type === "MsgStorageAppend");
    };
    const [first] = append(1, "old");
    const [second] = append(2, "new");
    // The report of the first write comes when the second is under way.
    for (const m of first?.responses ?? []) if (m.to === 3) raw.step(m);
    expect(raw.raft.log.unstable.offset).toBe(3);
    expect(second?.entries.map(({ data }) => String.fromCharCode(...data))).toEqual(["new"]);
    for (const m of second?.responses ?? []) if (m.to === 3) raw.step(m);
    expect(raw.raft.log.unstable.offset).toBe(4);
  });
});
