import { describe, expect, test } from "vitest";
import { message } from "../message.ts";
import { entriesOfTerms, LockstepNetwork } from "../testing/internal/groups/lockstep-network.ts";
import type { NodeId } from "../types.ts";
import { CAMPAIGN_TRANSFER } from "./election.ts";

const THREE: readonly NodeId[] = [1, 2, 3];

function roles(network: LockstepNetwork): string[] {
  return [...network.nodes.values()].map((node) => node.raw.basicStatus().softState.role);
}

describe("leader election (Raft paper §5.2)", () => {
  test("elects a candidate with a majority, and everyone follows it", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    expect(roles(network)).toEqual(["StateLeader", "StateFollower", "StateFollower"]);
    for (const node of network.nodes.values()) expect(node.raw.basicStatus().softState.lead).toBe(1);
  });

  test("does not elect without a majority", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.isolate(1);
    network.elect(1);
    expect(roles(network)[0]).toBe("StateCandidate");
  });

  test("elects the only voter by its own vote", () => {
    const network = new LockstepNetwork({ voters: [1] });
    network.elect(1);
    expect(roles(network)).toEqual(["StateLeader"]);
  });

  test("starts an election when the randomized timeout runs out, and not before", () => {
    const network = new LockstepNetwork({ voters: THREE });
    const raw = network.raw(2);
    const timeout = raw.raft.randomizedElectionTicks;
    expect(timeout).toBeGreaterThanOrEqual(10);
    expect(timeout).toBeLessThan(20);
    network.tick(2, timeout - 1);
    expect(raw.basicStatus().softState.role).toBe("StateFollower");
    network.tick(2, 1);
    expect(raw.basicStatus().softState.role).toBe("StateCandidate");
    expect(raw.basicStatus().hardState.term).toBe(1);
  });

  test("gives one vote per term, first come first served, also after a restart (R1)", () => {
    const network = new LockstepNetwork({ voters: THREE });
    const voter = network.node(3);
    const request = (from: NodeId) => message({ type: "MsgVote", from, to: 3, term: 1 });
    voter.raw.step(request(1));
    expect(voter.carryOut()).toMatchObject([{ type: "MsgVoteResp", to: 1, reject: false }]);
    voter.raw.step(request(2));
    expect(voter.carryOut()).toMatchObject([{ type: "MsgVoteResp", to: 2, reject: true }]);
    voter.restart();
    voter.raw.step(request(2));
    expect(voter.carryOut()).toMatchObject([{ type: "MsgVoteResp", to: 2, reject: true }]);
    voter.raw.step(request(1));
    expect(voter.carryOut()).toMatchObject([{ type: "MsgVoteResp", to: 1, reject: false }]);
  });

  test("does not let a vote out before it is durable (R2)", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { asyncStorageWrites: true } });
    const voter = network.raw(3);
    voter.step(message({ type: "MsgVote", from: 1, to: 3, term: 1 }));
    const [append, ...others] = voter.ready().messages;
    expect(others).toEqual([]);
    expect(append).toMatchObject({ type: "MsgStorageAppend", term: 1, vote: 1 });
    expect(append?.responses).toMatchObject([{ type: "MsgVoteResp", to: 1 }]);
  });

  test("tells a candidate of an older term the newer one, so that its next attempt counts (§5.1)", () => {
    const at = (term: number) => ({ hardState: { term, vote: 0, commit: 0 } });
    const contents = new Map([1, 2, 3].map((id) => [id, at(id === 1 ? 1 : 5)]));
    const network = new LockstepNetwork({ voters: THREE, contents });
    network.elect(1);
    expect(network.raw(1).basicStatus()).toMatchObject({
      hardState: { term: 5 },
      softState: { role: "StateFollower" },
    });
    network.elect(1);
    expect(roles(network)).toEqual(["StateLeader", "StateFollower", "StateFollower"]);
  });

  test("returns to follower when the majority refuses, in the same term", () => {
    const network = new LockstepNetwork({
      voters: THREE,
      contents: new Map([
        [2, { hardState: { term: 1, vote: 0, commit: 0 }, entries: entriesOfTerms(1) }],
        [3, { hardState: { term: 1, vote: 0, commit: 0 }, entries: entriesOfTerms(1) }],
      ]),
    });
    network.elect(1);
    network.elect(1);
    expect(network.raw(1).basicStatus()).toMatchObject({
      softState: { role: "StateFollower" },
      hardState: { term: 2 },
    });
  });
});

describe("election restriction (Raft paper §5.4.1)", () => {
  const cases: readonly { own: readonly number[]; index: number; logTerm: number; granted: boolean }[] = [
    { own: [1], index: 1, logTerm: 1, granted: true },
    { own: [1], index: 2, logTerm: 1, granted: true },
    { own: [1, 1], index: 1, logTerm: 1, granted: false },
    { own: [1, 1, 1], index: 1, logTerm: 2, granted: true },
    { own: [1, 2], index: 5, logTerm: 1, granted: false },
  ];
  for (const { own, index, logTerm, granted } of cases) {
    test(`${granted ? "grants" : "refuses"} a log that ends at ${index}/${logTerm} against own terms ${own} (E1)`, () => {
      const contents = { hardState: { term: 2, vote: 0, commit: 0 }, entries: entriesOfTerms(...own) };
      const network = new LockstepNetwork({ voters: THREE, contents: new Map([[1, contents]]) });
      const voter = network.node(1);
      voter.raw.step(message({ type: "MsgVote", from: 2, to: 1, term: 3, index, logTerm }));
      expect(voter.carryOut()).toMatchObject([{ type: "MsgVoteResp", reject: !granted }]);
    });
  }
});

describe("pre-vote (thesis §9.6)", () => {
  test("lets an isolated node come back without raising anyone's term", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { preVote: true } });
    network.elect(1);
    network.isolate(3);
    for (let i = 0; i < 5; i++) {
      network.tick(3, 20);
      network.stabilize();
    }
    expect(network.raw(3).basicStatus()).toMatchObject({
      softState: { role: "StatePreCandidate" },
      hardState: { term: 1 },
    });
    network.heal();
    network.tick(1, 1);
    network.stabilize();
    expect(roles(network)).toEqual(["StateLeader", "StateFollower", "StateFollower"]);
    expect(network.raw(1).basicStatus().hardState.term).toBe(1);
  });

  test("does not record a pre-vote as a vote", () => {
    const network = new LockstepNetwork({ voters: THREE });
    const voter = network.node(3);
    voter.raw.step(message({ type: "MsgPreVote", from: 1, to: 3, term: 1 }));
    voter.raw.step(message({ type: "MsgPreVote", from: 2, to: 3, term: 1 }));
    expect(voter.carryOut()).toMatchObject([
      { type: "MsgPreVoteResp", to: 1, reject: false, term: 1 },
      { type: "MsgPreVoteResp", to: 2, reject: false, term: 1 },
    ]);
    expect(voter.raw.basicStatus().hardState).toEqual({ term: 0, vote: 0, commit: 0 });
  });

  test("elects in two rounds", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { preVote: true } });
    network.elect(2);
    expect(roles(network)).toEqual(["StateFollower", "StateLeader", "StateFollower"]);
    const kinds = network.sent.map(({ type }) => type);
    expect(kinds.indexOf("MsgPreVote")).toBeLessThan(kinds.indexOf("MsgVote"));
  });
});

describe("check quorum (thesis §6.2) and the leader's lease (§4.2.3)", () => {
  test("a leader that hears from no quorum steps down after an election timeout", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { checkQuorum: true } });
    network.elect(1);
    network.isolate(1);
    // The first check still finds the answers of the election.
    network.tick(1, 10);
    expect(network.raw(1).basicStatus().softState.role).toBe("StateLeader");
    network.tick(1, 10);
    expect(network.raw(1).basicStatus().softState).toEqual({ role: "StateFollower", lead: 0 });
  });

  test("a leader that hears from a quorum stays", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { checkQuorum: true } });
    network.elect(1);
    network.isolate(3);
    for (let i = 0; i < 40; i++) {
      network.tick(1, 1);
      network.stabilize();
    }
    expect(network.raw(1).basicStatus().softState.role).toBe("StateLeader");
  });

  test("followers ignore a vote request while they hear from a leader, but not that of a transfer", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { checkQuorum: true } });
    network.elect(1);
    const voter = network.node(2);
    const request = { type: "MsgVote", from: 3, to: 2, term: 5, index: 9, logTerm: 4 } as const;
    voter.raw.step(message(request));
    expect(voter.carryOut()).toEqual([]);
    expect(voter.raw.basicStatus().hardState.term).toBe(1);
    voter.raw.step(message({ ...request, context: CAMPAIGN_TRANSFER }));
    expect(voter.carryOut()).toMatchObject([{ type: "MsgVoteResp", reject: false }]);
  });

  test("answers a leader of an older term, so that it steps down", () => {
    const contents = new Map([[3, { hardState: { term: 7, vote: 0, commit: 0 } }]]);
    const network = new LockstepNetwork({ voters: THREE, config: { checkQuorum: true }, contents });
    network.elect(1);
    network.stabilize();
    expect(network.raw(1).basicStatus()).toMatchObject({
      softState: { role: "StateFollower" },
      hardState: { term: 7 },
    });
  });

  test("a follower that forgets its leader grants a pre-vote at once", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { checkQuorum: true, preVote: true } });
    network.elect(1);
    const request = message({ type: "MsgPreVote", from: 3, to: 2, term: 2, index: 9, logTerm: 1 });
    const voter = network.node(2);
    voter.raw.step(request);
    expect(voter.carryOut()).toEqual([]);
    voter.raw.forgetLeader();
    voter.raw.step(request);
    expect(voter.carryOut()).toMatchObject([{ type: "MsgPreVoteResp", reject: false }]);
  });
});

describe("standing for election", () => {
  test("waits until committed configuration changes are applied (E2)", () => {
    const entries = entriesOfTerms(1, 1).map((entry) => ({ ...entry, type: "EntryConfChange" as const }));
    const contents = new Map([[1, { hardState: { term: 1, vote: 0, commit: 2 }, entries }]]);
    const network = new LockstepNetwork({ voters: THREE, contents });
    network.raw(1).campaign();
    expect(network.raw(1).basicStatus()).toMatchObject({
      softState: { role: "StateFollower" },
      hardState: { term: 1 },
    });
  });

  test("is not for learners", () => {
    const network = new LockstepNetwork({ voters: [1, 2], learners: [3] });
    network.tick(3, 100);
    network.raw(3).campaign();
    expect(network.raw(3).basicStatus().softState.role).toBe("StateFollower");
  });
});
