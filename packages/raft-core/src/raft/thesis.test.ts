// Additions of the thesis to the paper that no test beside one of the parts shows; each test names its section.
import { describe, expect, test } from "vitest";
import { MemoryStorage } from "../memory/memory-storage.ts";
import { LOCAL_APPEND_THREAD, type Message, message } from "../message.ts";
import { seededRng } from "../ports/rng.ts";
import { RawNode } from "../raw-node.ts";
import { bytes, commands, entriesOfTerms, LockstepNetwork } from "../testing/internal/groups/lockstep-network.ts";
import type { NodeId } from "../types.ts";

const THREE: readonly NodeId[] = [1, 2, 3];

function roleOf(network: LockstepNetwork, id: NodeId): string {
  return network.raw(id).basicStatus().softState.role;
}

describe("leadership transfer (thesis §3.10)", () => {
  test("to a node that dies before it campaigns costs an election timeout of proposals, and not the leadership", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { checkQuorum: true } });
    network.elect(1);
    network.isolate(3);
    network.raw(1).transferLeader(3);
    expect(network.propose(1, "meanwhile")).toBe(false);
    for (let i = 0; i < 10; i++) {
      network.tick(1, 1);
      network.stabilize();
    }
    expect(roleOf(network, 1)).toBe("StateLeader");
    expect(network.propose(1, "afterwards")).toBe(true);
    expect(commands(network.node(2).applied)).toEqual(["afterwards"]);
  });

  test("leaves no gap: what the old leader had committed is in the new leader's log, and a late write of the old one is not", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.propose(1, "a");
    network.raw(1).transferLeader(2);
    network.stabilize();
    expect(roleOf(network, 2)).toBe("StateLeader");
    // A late message of the old leader's term.
    const late = entriesOfTerms(1, 1, 1, 1).slice(3);
    network.raw(3).step(message({ type: "MsgApp", from: 1, to: 3, term: 1, index: 3, logTerm: 1, entries: late }));
    network.propose(2, "b");
    for (const id of THREE) expect(commands(network.node(id).applied)).toEqual(["a", "b"]);
  });
});

describe("membership (thesis §4)", () => {
  test("§4.2.1: a newcomer that learns first is made a voter when it has caught up, and holds nothing up meanwhile", () => {
    const network = new LockstepNetwork({ voters: [1, 2], learners: [3] });
    network.elect(1);
    network.cut(1, 3);
    expect(network.propose(1, "without it")).toBe(true);
    expect(commands(network.node(2).applied)).toEqual(["without it"]);
    network.heal();
    network.tick(1, 1);
    network.stabilize();
    const { progress } = network.raw(1).status();
    expect(progress.get(3)?.match).toBe(progress.get(1)?.match);
    network.raw(1).proposeConfChange({ id: 0, type: "AddNode", nodeId: 3, context: bytes("") });
    network.stabilize();
    network.isolate(2);
    network.propose(1, "with it");
    expect(commands(network.node(3).applied)).toEqual(["without it", "with it"]);
  });

  test("§4.2.3: a removed node that does not know of its removal cannot depose anyone, with leases or with pre-votes", () => {
    for (const config of [{ checkQuorum: true }, { preVote: true, checkQuorum: true }]) {
      const network = new LockstepNetwork({ voters: [1, 2, 3, 4], config });
      network.elect(1);
      network.isolate(4);
      network.raw(1).proposeConfChange({ id: 0, type: "RemoveNode", nodeId: 4, context: bytes("") });
      network.stabilize();
      network.heal();
      for (let i = 0; i < 60; i++) {
        for (const id of [1, 4]) network.tick(id, 1);
        network.stabilize();
      }
      expect(network.raw(1).basicStatus()).toMatchObject({
        softState: { role: "StateLeader" },
        hardState: { term: 1 },
      });
    }
  });
});

describe("reads (thesis §6.4)", () => {
  test("that wait for a quorum end with the leadership: the next leader's commit index may be higher", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.isolate(1);
    network.raw(1).readIndex(bytes("old"));
    network.stabilize();
    network.elect(2);
    network.propose(2, "newer");
    network.heal();
    for (let i = 0; i < 3; i++) {
      network.tick(2, 1);
      network.tick(1, 1);
      network.stabilize();
    }
    expect(roleOf(network, 1)).toBe("StateFollower");
    network.elect(1);
    network.tick(1, 1);
    network.stabilize();
    expect(network.node(1).readStates).toEqual([]);
  });

  test("name an index that includes every write acknowledged before they were asked", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    for (const id of THREE) {
      network.propose(1, `before ${id}`);
      const { commit } = network.raw(1).basicStatus().hardState;
      network.raw(id).readIndex(bytes("r"));
      network.stabilize();
      expect(network.node(id).readStates.at(-1)?.index).toBeGreaterThanOrEqual(commit);
    }
  });
});

describe("pre-votes (thesis §9.6)", () => {
  test("a node whose log is behind finds out by asking that it cannot win, and raises no node's term", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { preVote: true } });
    network.elect(1);
    network.isolate(3);
    network.propose(1, "a");
    network.isolate(1);
    network.heal();
    network.cut(1, 3);
    network.cut(1, 2);
    network.elect(3);
    expect([roleOf(network, 2), roleOf(network, 3)]).toEqual(["StateFollower", "StatePreCandidate"]);
    expect(network.raw(3).basicStatus().hardState.term).toBe(1);
    network.elect(2);
    expect(roleOf(network, 2)).toBe("StateLeader");
  });

  test("a node whose term is behind learns of the term from the refusal, and may win the next time", () => {
    const contents = new Map([
      [1, { hardState: { term: 2, vote: 0, commit: 0 }, entries: entriesOfTerms(1, 2) }],
      [2, { hardState: { term: 6, vote: 0, commit: 0 }, entries: entriesOfTerms(1) }],
    ]);
    const network = new LockstepNetwork({ voters: [1, 2], config: { preVote: true }, contents });
    network.elect(1);
    expect(network.raw(1).basicStatus()).toMatchObject({
      softState: { role: "StateFollower" },
      hardState: { term: 6 },
    });
    network.elect(1);
    expect(roleOf(network, 1)).toBe("StateLeader");
  });

  test("late answers to a pre-vote do not count as votes", () => {
    const network = new LockstepNetwork({ voters: [1, 2, 3, 4, 5], config: { preVote: true } });
    const node = network.node(1);
    node.raw.campaign();
    for (const m of node.carryOut()) if (m.to === 1) node.raw.step(m);
    for (const from of [2, 3]) node.raw.step(message({ type: "MsgPreVoteResp", from, to: 1, term: 1 }));
    expect(roleOf(network, 1)).toBe("StateCandidate");
    for (const m of node.carryOut()) if (m.to === 1) node.raw.step(m);
    for (const from of [4, 5]) node.raw.step(message({ type: "MsgPreVoteResp", from, to: 1, term: 1 }));
    expect(roleOf(network, 1)).toBe("StateCandidate");
  });
});

describe("writing in parallel (thesis §10.2.1)", () => {
  function elected(): { node: RawNode; append: Message } {
    const confState = { voters: THREE, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
    const node = new RawNode({
      id: 1,
      storage: new MemoryStorage({ confState }),
      rng: seededRng(1),
      electionTicks: 10,
      heartbeatTicks: 1,
      maxMessageBytes: 1000,
      maxInflightMessages: 10,
      asyncStorageWrites: true,
    });
    node.campaign();
    const own = node.ready().messages.flatMap(({ responses }) => responses);
    for (const m of own) node.step(m);
    node.step(message({ type: "MsgVoteResp", from: 2, to: 1, term: 1 }));
    const { messages } = node.ready();
    // The followers' appends leave together with the leader's own write, not after it.
    expect(messages.filter(({ type }) => type === "MsgApp").map(({ to }) => to)).toEqual([2, 3]);
    return { node, append: messages.find(({ to }) => to === LOCAL_APPEND_THREAD) as Message };
  }
  const ack = (from: NodeId) => message({ type: "MsgAppResp", from, to: 1, term: 1, index: 1 });

  test("a leader does not count itself before its own write is durable", () => {
    const { node, append } = elected();
    node.step(ack(2));
    expect(node.basicStatus().hardState.commit).toBe(0);
    for (const m of append.responses) node.step(m);
    expect(node.basicStatus().hardState.commit).toBe(1);
  });

  test("a majority of followers commits although the leader's disk is still at it; the leader applies only what it has", () => {
    const { node, append } = elected();
    node.step(ack(2));
    node.step(ack(3));
    expect(node.basicStatus().hardState.commit).toBe(1);
    expect(node.ready().committedEntries).toEqual([]);
    for (const m of append.responses) node.step(m);
    expect(node.hasReady()).toBe(true);
  });
});
