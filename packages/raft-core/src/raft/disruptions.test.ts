// Known situations in which groups got stuck, split or were disturbed: several options and several nodes at once.
import { describe, expect, test } from "vitest";
import { message } from "../message.ts";
import {
  bytes,
  commands,
  entriesOfTerms,
  LockstepNetwork,
  type NodeConfig,
} from "../testing/internal/groups/lockstep-network.ts";
import type { NodeId } from "../types.ts";

const THREE: readonly NodeId[] = [1, 2, 3];

function roleAndTerm(network: LockstepNetwork, id: NodeId): [string, number] {
  const { softState, hardState } = network.raw(id).basicStatus();
  return [softState.role, hardState.term];
}

describe("two candidates at once (Raft paper §5.2)", () => {
  /** 1 and 3 cannot hear each other and both stand; 2 decides. Then all nodes hear 3, the loser, again. */
  function duel(config: NodeConfig): LockstepNetwork {
    const network = new LockstepNetwork({ voters: THREE, config });
    network.cut(1, 3);
    network.raw(1).campaign();
    network.raw(3).campaign();
    network.stabilize();
    network.heal();
    network.raw(3).campaign();
    network.stabilize();
    return network;
  }

  test("the one that lost deposes the winner when it stands again, though its log keeps it from winning", () => {
    const network = duel({});
    expect(THREE.map((id) => roleAndTerm(network, id))).toEqual(THREE.map(() => ["StateFollower", 2]));
  });

  test("with pre-votes it does not even ask for votes, and the winner stays", () => {
    const network = duel({ preVote: true });
    expect(THREE.map((id) => roleAndTerm(network, id)[1])).toEqual([1, 1, 1]);
    expect(roleAndTerm(network, 1)[0]).toBe("StateLeader");
  });
});

describe("a node that comes back with a term of its own", () => {
  function cameBack(config: NodeConfig): LockstepNetwork {
    const network = new LockstepNetwork({ voters: THREE, config });
    network.elect(1);
    network.isolate(3);
    network.propose(1, "missed");
    // Elections whose messages reach no node.
    network.elect(3);
    network.elect(3);
    network.heal();
    for (let i = 0; i < 3; i++) {
      network.tick(1, 1);
      network.stabilize();
    }
    return network;
  }

  test("is taken in again where leases keep it from disturbing: the leader hears of its term and is elected again (§6.2)", () => {
    const network = cameBack({ checkQuorum: true });
    // The leader stepped down at the answer of 3, whose log is too short to win; 2 or 1 can.
    expect(roleAndTerm(network, 1)).toEqual(["StateFollower", 3]);
    network.elect(1);
    network.tick(1, 1);
    network.stabilize();
    expect(roleAndTerm(network, 1)).toEqual(["StateLeader", 4]);
    expect(commands(network.node(3).applied)).toEqual(["missed"]);
  });

  test("without leases the old leader hears of its term, too, because no other node may tell it (§5.1)", () => {
    const network = cameBack({});
    expect(roleAndTerm(network, 1)).toEqual(["StateFollower", 3]);
    network.elect(1);
    network.tick(1, 1);
    network.stabilize();
    expect(commands(network.node(3).applied)).toEqual(["missed"]);
  });

  test("with pre-votes it has none, and nothing happens (thesis §9.6)", () => {
    const network = cameBack({ checkQuorum: true, preVote: true });
    expect(roleAndTerm(network, 1)).toEqual(["StateLeader", 1]);
    expect(commands(network.node(3).applied)).toEqual(["missed"]);
  });
});

describe("a group that is moved to pre-votes node by node", () => {
  test("elects a leader also when the node that is ahead in term is behind in its log", () => {
    // While it was cut off, and without pre-votes, 3 reached a later term with a short log.
    const log = entriesOfTerms(1, 1);
    const contents = new Map([
      [1, { hardState: { term: 1, vote: 1, commit: 2 }, entries: log }],
      [2, { hardState: { term: 1, vote: 1, commit: 2 }, entries: log }],
      [3, { hardState: { term: 5, vote: 3, commit: 1 }, entries: log.slice(0, 1) }],
    ]);
    const network = new LockstepNetwork({ voters: THREE, config: { preVote: true }, contents });
    network.isolate(1);
    // 2 and 3 must agree without 1: the refusal of its pre-vote tells 2 the term.
    for (let i = 0; i < 3 && roleAndTerm(network, 2)[0] !== "StateLeader"; i++) {
      network.elect(3);
      network.elect(2);
    }
    expect(roleAndTerm(network, 2)[0]).toBe("StateLeader");
    expect(network.propose(2, "goes on")).toBe(true);
    expect(commands(network.node(3).applied)).toContain("goes on");
  });
});

describe("the check of the quorum (thesis §6.2)", () => {
  test("gives a voter that was just added the time to be heard from", () => {
    const network = new LockstepNetwork({ voters: [1], config: { checkQuorum: true } });
    network.elect(1);
    network.tick(1, 9);
    network.raw(1).proposeConfChange({ id: 0, type: "AddNode", nodeId: 2, context: bytes("") });
    network.stabilize();
    network.tick(1, 1);
    expect(roleAndTerm(network, 1)[0]).toBe("StateLeader");
    network.tick(1, 10);
    expect(roleAndTerm(network, 1)[0]).toBe("StateFollower");
  });

  test("does not count learners: they cannot make up for voters that are gone", () => {
    const network = new LockstepNetwork({ voters: [1, 2], learners: [3, 4], config: { checkQuorum: true } });
    network.elect(1);
    network.isolate(2);
    for (let i = 0; i < 20; i++) {
      network.tick(1, 1);
      network.stabilize();
    }
    expect(roleAndTerm(network, 1)[0]).toBe("StateFollower");
  });

  test("does not stand in the way of a transfer, or of an election after the leader is dead for an election timeout", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { checkQuorum: true } });
    network.elect(1);
    network.raw(1).transferLeader(3);
    network.stabilize();
    expect(roleAndTerm(network, 3)[0]).toBe("StateLeader");
    network.isolate(3);
    network.elect(2);
    expect(roleAndTerm(network, 2)[0]).toBe("StateCandidate");
    network.tick(1, 10);
    network.elect(2);
    expect(roleAndTerm(network, 2)[0]).toBe("StateLeader");
  });
});

describe("messages that come late", () => {
  test("a call to stand for election that reaches a node after its removal is ignored (thesis §3.10, §4.2.2)", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.raw(1).proposeConfChange({ id: 0, type: "RemoveNode", nodeId: 3, context: bytes("") });
    network.stabilize();
    network.tick(1, 1);
    network.stabilize();
    const removed = network.node(3);
    removed.raw.applyConfChange({ id: 0, type: "RemoveNode", nodeId: 3, context: bytes("") });
    removed.raw.step(message({ type: "MsgTimeoutNow", from: 1, to: 3, term: 1 }));
    expect(roleAndTerm(network, 3)).toEqual(["StateFollower", 1]);
  });

  test("appends and acknowledgements in any order lead to the same log (Raft paper §5.3)", () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
      [2, 0, 1],
      [1, 0, 2],
      [0, 2, 1],
    ] as const) {
      const network = new LockstepNetwork({ voters: [1, 2], config: { maxMessageBytes: 0 } });
      network.elect(1);
      for (const command of ["a", "b", "c"]) network.raw(1).propose(bytes(command));
      const appends = network
        .node(1)
        .carryOut()
        .filter(({ type }) => type === "MsgApp");
      expect(appends.length).toBe(3);
      for (const at of order) network.raw(2).step(appends[at] as (typeof appends)[number]);
      const answers = network.node(2).carryOut();
      for (const at of order) {
        const answer = answers[at];
        if (answer !== undefined) network.raw(1).step(answer);
      }
      network.stabilize();
      network.tick(1, 1);
      network.stabilize();
      for (const id of [1, 2]) expect(commands(network.node(id).applied), `order ${order}`).toEqual(["a", "b", "c"]);
    }
  });
});

describe("snapshots (Raft paper §7)", () => {
  test("are not sent to a member that is silent, but as soon as it is heard from", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { checkQuorum: true } });
    network.elect(1);
    network.isolate(3);
    network.propose(1, "a");
    for (let i = 0; i < 20; i++) {
      network.tick(1, 1);
      network.stabilize();
    }
    // The entries that the node lacks are compacted, and the leader knows that it lacks them.
    network.raw(1).reportUnreachable(3);
    network.node(1).compact(3);
    network.propose(1, "b");
    const toSilent = network.sent.filter(({ type }) => type === "MsgSnap");
    expect(toSilent).toEqual([]);
    network.heal();
    for (let i = 0; i < 3; i++) {
      network.tick(1, 1);
      network.stabilize();
    }
    expect(network.sent.filter(({ type, to }) => type === "MsgSnap" && to === 3).length).toBe(1);
    expect(network.raw(1).status().progress.get(3)).toMatchObject({ state: "StateReplicate", match: 3 });
  });

  test.each([
    ["a voter that it names as a learner learns", { voters: [1, 2], learners: [3] }, true],
    ["a voter that it names as a voter votes", { voters: [1, 2, 3], learners: [] }, false],
  ])("change what a node is: %s", (_what, members, isLearner) => {
    const network = new LockstepNetwork({ voters: THREE });
    const confState = { ...members, votersOutgoing: [], learnersNext: [], autoLeave: false };
    const snapshot = { metadata: { index: 9, term: 1, confState }, data: bytes("") };
    const node = network.node(3);
    node.raw.step(message({ type: "MsgSnap", from: 1, to: 3, term: 1, snapshot }));
    node.carryOut();
    expect(node.raw.raft.isLearner).toBe(isLearner);
    node.raw.campaign();
    expect(roleAndTerm(network, 3)[0]).toBe(isLearner ? "StateFollower" : "StateCandidate");
  });
});
