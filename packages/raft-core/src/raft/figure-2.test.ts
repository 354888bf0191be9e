// Figure 2 of the Raft paper, rule by rule, as far as a single message and a single node can show them. Rules that take several nodes
// are in the test beside each part: election.test.ts, replication.test.ts, snapshot.test.ts.
import { describe, expect, test } from "vitest";
import { type Message, message } from "../message.ts";
import {
  bytes,
  entriesOfTerms,
  LockstepNetwork,
  type LockstepNode,
} from "../testing/internal/groups/lockstep-network.ts";
import type { NodeId, RaftRole } from "../types.ts";

const THREE: readonly NodeId[] = [1, 2, 3];
const ROLES: readonly RaftRole[] = ["StateFollower", "StatePreCandidate", "StateCandidate", "StateLeader"];
const OWN_TERM = 4;

/** Node 1 of three, in term 4 and in the given role; its log ends at entry 2 of term 3, or at the empty entry it leads with. */
function nodeIn(role: RaftRole): LockstepNode {
  const term = role === "StateLeader" || role === "StateCandidate" ? OWN_TERM - 1 : OWN_TERM;
  const contents = { hardState: { term, vote: 0, commit: 1 }, entries: entriesOfTerms(1, 3) };
  const network = new LockstepNetwork({
    voters: THREE,
    config: { preVote: role === "StatePreCandidate" },
    contents: new Map([[1, contents]]),
  });
  const node = network.node(1);
  if (role !== "StateFollower") node.raw.campaign();
  carryOutAlone(node);
  if (role === "StateLeader") node.raw.step(message({ type: "MsgVoteResp", from: 2, to: 1, term: OWN_TERM }));
  carryOutAlone(node);
  expect(node.raw.basicStatus()).toMatchObject({ softState: { role }, hardState: { term: OWN_TERM } });
  return node;
}

/** Carries out all Readys; returns the messages to other nodes. */
function carryOutAlone(node: LockstepNode): Message[] {
  return node.carryOut().filter(({ to }) => to !== node.id);
}

function roleAndTerm(node: LockstepNode): [RaftRole, number] {
  const { softState, hardState } = node.raw.basicStatus();
  return [softState.role, hardState.term];
}

describe("rules for all servers (figure 2, §5.1)", () => {
  const OF_LATER_TERMS: readonly Partial<Message>[] = [
    { type: "MsgApp", index: 1, logTerm: 1 },
    { type: "MsgHeartbeat" },
    { type: "MsgVote", index: 9, logTerm: 9 },
    { type: "MsgVoteResp", reject: true },
    { type: "MsgPreVoteResp", reject: true },
    { type: "MsgAppResp", reject: true },
    { type: "MsgHeartbeatResp" },
  ];
  test.each(ROLES)("a %s that hears of a later term follows in it", (role) => {
    for (const fields of OF_LATER_TERMS) {
      const node = nodeIn(role);
      node.raw.step(message({ type: "MsgApp", ...fields, from: 2, to: 1, term: OWN_TERM + 3 }));
      expect(roleAndTerm(node), fields.type).toEqual(["StateFollower", OWN_TERM + 3]);
      const isLeader = fields.type === "MsgApp" || fields.type === "MsgHeartbeat";
      expect(node.raw.basicStatus().softState.lead, fields.type).toBe(isLeader ? 2 : 0);
    }
  });

  test.each(ROLES)("a %s takes nothing from an earlier term: no entries, no votes, no acknowledgements", (role) => {
    for (const type of ["MsgApp", "MsgVote", "MsgVoteResp", "MsgHeartbeat", "MsgAppResp", "MsgTimeoutNow"] as const) {
      const node = nodeIn(role);
      const lastIndex = node.raw.raft.log.lastIndex();
      const entries = type === "MsgApp" ? entriesOfTerms(1, 2).slice(1) : [];
      node.raw.step(message({ type, from: 2, to: 1, term: 3, index: 1, logTerm: 1, commit: 2, entries }));
      expect(roleAndTerm(node), type).toEqual([role, OWN_TERM]);
      expect(node.raw.raft.log.lastIndex(), type).toBe(lastIndex);
      expect(node.raw.basicStatus().hardState.commit, type).toBe(1);
      expect(carryOutAlone(node).filter((m) => m.type === "MsgVoteResp" && !m.reject)).toEqual([]);
    }
  });

  test("entries are applied as soon as they are committed, in order, each once (§5.3)", () => {
    const node = nodeIn("StateFollower");
    const entries = entriesOfTerms(1, 3, 4, 4).slice(2);
    node.raw.step(message({ type: "MsgApp", from: 2, to: 1, term: 4, index: 2, logTerm: 3, entries, commit: 3 }));
    carryOutAlone(node);
    expect(node.applied.map(({ index }) => index)).toEqual([1, 2, 3]);
    node.raw.step(message({ type: "MsgHeartbeat", from: 2, to: 1, term: 4, commit: 4 }));
    carryOutAlone(node);
    expect(node.applied.map(({ index }) => index)).toEqual([1, 2, 3, 4]);
  });
});

describe("an append's receiver (figure 2, AppendEntries RPC)", () => {
  const follower = () => nodeIn("StateFollower");

  test.each([
    { rule: "no further than the leader has committed", commit: 2, entries: 2, expected: 2 },
    { rule: "no further than the last entry of the append", commit: 9, entries: 1, expected: 2 },
    { rule: "not beyond what is known to match, when there are no entries", commit: 9, entries: 0, expected: 1 },
  ])("commits $rule (A3)", ({ commit, entries: count, expected }) => {
    const node = follower();
    const entries = entriesOfTerms(1, 3, 4).slice(1, 1 + count);
    node.raw.step(message({ type: "MsgApp", from: 2, to: 1, term: 4, index: 1, logTerm: 1, entries, commit }));
    expect(node.raw.basicStatus().hardState.commit).toBe(expected);
  });

  test("deletes an entry that conflicts, and all that follow it, but none otherwise", () => {
    const node = follower();
    const replaced = { term: 4, index: 2, type: "EntryNormal", data: bytes("new") } as const;
    node.raw.step(message({ type: "MsgApp", from: 2, to: 1, term: 4, index: 1, logTerm: 1, entries: [replaced] }));
    expect(node.raw.raft.log.term(2)).toBe(4);
    expect(node.raw.raft.log.lastIndex()).toBe(2);
    // A late append that names only entry 1: the later entries stay.
    node.raw.step(message({ type: "MsgApp", from: 2, to: 1, term: 4, index: 1, logTerm: 1 }));
    expect(node.raw.raft.log.lastIndex()).toBe(2);
  });

  test("never lets its commit index fall, whatever a late message says", () => {
    const node = follower();
    for (const commit of [2, 1, 0]) {
      node.raw.step(message({ type: "MsgHeartbeat", from: 2, to: 1, term: 4, commit }));
      expect(node.raw.basicStatus().hardState.commit).toBe(2);
    }
  });
});

describe("candidates (figure 2, §5.2)", () => {
  test("begin with a higher term, their own vote, and a request to every other voter", () => {
    const network = new LockstepNetwork({ voters: [1, 2, 3, 4, 5] });
    const node = network.node(3);
    node.raw.campaign();
    const requests = node.carryOut().filter(({ type }) => type === "MsgVote");
    expect(requests.map(({ to, term }) => [to, term])).toEqual([1, 2, 4, 5].map((to) => [to, 1]));
    expect(node.raw.basicStatus().hardState).toMatchObject({ term: 1, vote: 3 });
  });

  test.each(["MsgApp", "MsgHeartbeat"] as const)("follow a leader of their own term: %s", (type) => {
    const node = nodeIn("StateCandidate");
    node.raw.step(message({ type, from: 3, to: 1, term: OWN_TERM, index: 1, logTerm: 1 }));
    expect(roleAndTerm(node)).toEqual(["StateFollower", OWN_TERM]);
    expect(node.raw.basicStatus().softState.lead).toBe(3);
  });

  test("begin another election when one ends with a split vote", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.cut(1, 2);
    network.cut(1, 3);
    network.cut(2, 3);
    network.elect(1);
    network.elect(2);
    network.tick(1, 20);
    expect(roleAndTerm(network.node(1))).toEqual(["StateCandidate", 2]);
  });

  test("count each voter once, however often it answers", () => {
    const network = new LockstepNetwork({ voters: [1, 2, 3, 4, 5] });
    const node = network.node(1);
    node.raw.campaign();
    for (const m of node.carryOut()) if (m.to === 1) node.raw.step(m);
    for (let i = 0; i < 4; i++) node.raw.step(message({ type: "MsgVoteResp", from: 2, to: 1, term: 1 }));
    expect(roleAndTerm(node)[0]).toBe("StateCandidate");
    node.raw.step(message({ type: "MsgVoteResp", from: 5, to: 1, term: 1 }));
    expect(roleAndTerm(node)[0]).toBe("StateLeader");
  });

  test("draw their timeouts from the whole of [electionTicks, 2 * electionTicks), so that votes seldom split", () => {
    const { raft } = nodeIn("StateFollower").raw;
    const drawn = new Map<number, number>();
    for (let i = 0; i < 2000; i++) {
      raft.step(message({ type: "MsgHup" }));
      drawn.set(raft.randomizedElectionTicks, (drawn.get(raft.randomizedElectionTicks) ?? 0) + 1);
    }
    expect([...drawn.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, i) => 10 + i));
    for (const count of drawn.values()) expect(count).toBeGreaterThan(100);
  });
});

describe("leaders (figure 2, §5.2 to §5.4)", () => {
  test("send an append at once when elected, and heartbeats while idle", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { heartbeatTicks: 2 } });
    network.elect(1);
    const appends = network.sent.filter(({ type, from }) => type === "MsgApp" && from === 1);
    expect(new Set(appends.map(({ to }) => to))).toEqual(new Set([2, 3]));
    const beats: number[] = [];
    for (let i = 0; i < 6; i++) {
      network.tick(1, 1);
      beats.push(
        network
          .node(1)
          .carryOut()
          .filter(({ type }) => type === "MsgHeartbeat").length,
      );
    }
    expect(beats).toEqual([0, 2, 0, 2, 0, 2]);
  });

  test("start with nextIndex behind their last entry and matchIndex 0 for everyone else", () => {
    const node = nodeIn("StateLeader");
    const { progress } = node.raw.status();
    // Entry 3 is the leader's own empty one; entry 2 was its last before that.
    for (const id of [2, 3]) expect(progress.get(id)).toMatchObject({ match: 0, next: 3, state: "StateProbe" });
    expect(progress.get(1)).toMatchObject({ match: 3, next: 4 });
  });

  test("send what a follower lacks until it has everything, however often messages are lost (§5.3)", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.isolate(3);
    network.propose(1, "a");
    for (let i = 0; i < 5; i++) {
      network.tick(1, 1);
      network.stabilize();
    }
    network.heal();
    network.tick(1, 1);
    network.stabilize();
    expect(network.raw(1).status().progress.get(3)?.match).toBe(2);
    expect(network.node(3).applied.length).toBe(2);
  });

  test("never append to a leader's log but at its end (R3): an append from another leader of the term stops nothing", () => {
    const node = nodeIn("StateLeader");
    const entries = [{ term: 4, index: 2, type: "EntryNormal", data: bytes("other") } as const];
    node.raw.step(message({ type: "MsgApp", from: 2, to: 1, term: OWN_TERM, index: 1, logTerm: 1, entries }));
    expect(roleAndTerm(node)).toEqual(["StateLeader", OWN_TERM]);
    expect(node.raw.raft.log.term(2)).toBe(3);
  });

  test.each([
    { voters: 1, acks: [], commits: true },
    { voters: 3, acks: [], commits: false },
    { voters: 3, acks: [2], commits: true },
    { voters: 4, acks: [2], commits: false },
    { voters: 4, acks: [2, 4], commits: true },
    { voters: 5, acks: [3], commits: false },
    { voters: 5, acks: [3, 5], commits: true },
  ])(
    "commit with $voters voters when $acks and they themselves have the entry: $commits",
    ({ voters, acks, commits }) => {
      const network = new LockstepNetwork({ voters: Array.from({ length: voters }, (_, i) => i + 1) });
      network.elect(1);
      network.deliverOnly((m) => acks.includes(m.from) || acks.includes(m.to));
      network.propose(1, "x");
      expect(network.raw(1).basicStatus().hardState.commit).toBe(commits ? 2 : 1);
    },
  );
});
