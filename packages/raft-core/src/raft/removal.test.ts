import { describe, expect, test } from "vitest";
import { type Message, message } from "../message.ts";
import { bytes, LockstepNetwork, type NetworkOptions } from "../testing/internal/groups/lockstep-network.ts";
import type { ConfChangeSingle, ConfChangeV2, LogIndex, NodeId } from "../types.ts";

const remove = (nodeId: NodeId): ConfChangeSingle => ({ type: "RemoveNode", nodeId });
const demote = (nodeId: NodeId): ConfChangeSingle => ({ type: "AddLearnerNode", nodeId });
const change = (...changes: readonly ConfChangeSingle[]): ConfChangeV2 => ({
  transition: "Auto",
  changes,
  context: bytes(""),
});

/** Node 1 leads, and steps down when it has lost its vote. */
function led(options: NetworkOptions): LockstepNetwork {
  const network = new LockstepNetwork({ ...options, config: { stepDownOnRemoval: true, ...options.config } });
  network.elect(1);
  return network;
}

const roleOf = (network: LockstepNetwork, id: NodeId) => network.raw(id).basicStatus().softState.role;

/** Lets the leader send a heartbeat, and stabilizes. */
function beat(network: LockstepNetwork, id: NodeId, times = 3): void {
  for (let at = 0; at < times; at++) {
    network.raw(id).tick();
    network.stabilize();
  }
}

/** The commit index that survives a crash of `id`. */
const durableCommit = (network: LockstepNetwork, id: NodeId): LogIndex =>
  network.node(id).storage.initialState().hardState.commit;

describe("a leader that loses its vote", () => {
  test.each([
    ["by its removal", [1, 2, 3], change(remove(1))],
    ["by its removal, of two", [1, 2], change(remove(1))],
    ["by its demotion", [1, 2, 3], change(demote(1))],
    ["by a joint change", [1, 2, 3, 4], change(remove(1), demote(2))],
    ["by a joint change to a learner", [1, 2, 3, 4], change(demote(1), remove(2))],
  ])("%s: steps down once the others can go on without it, and one of them leads at once (RV2)", (_, voters, asked) => {
    const network = led({ voters });
    network.raw(1).proposeConfChange(asked);
    network.stabilize();
    expect(roleOf(network, 1)).toBe("StateFollower");
    const left = network.node(1).confState.voters;
    expect(left).not.toContain(1);
    expect(left.filter((id) => roleOf(network, id) === "StateLeader")).toHaveLength(1);
  });

  test("keeps its office while the others do not know that the change is committed (RV2)", () => {
    const network = led({ voters: [1, 2] });
    network.raw(1).proposeConfChange(change(remove(1)));
    network.raw(1).propose(bytes("an entry more than node 2 has"));
    network.deliverOnly((m) => m.type !== "MsgApp" || (m.commit < 3 && m.index < 3));
    network.stabilize();
    expect(network.node(1).confState.voters).toEqual([2]);
    expect(network.node(2).confState.voters).toEqual([1, 2]);
    expect(roleOf(network, 1)).toBe("StateLeader");
    expect(network.raw(1).propose(bytes("late"))).toMatchObject({ ok: false, reason: "not-a-member" });
    beat(network, 1);
    expect(roleOf(network, 1)).toBe("StateLeader");
    network.heal();
    beat(network, 1);
    expect([roleOf(network, 1), roleOf(network, 2)]).toEqual(["StateFollower", "StateLeader"]);
    network.isolate(1);
    expect(network.propose(2, "alone")).toBe(true);
    expect(network.node(2).applied.map(({ data }) => String.fromCharCode(...data))).toContain("alone");
  });

  test("is not released by an acknowledgement of what was sent before the change was committed (RV2)", () => {
    const network = led({ voters: [1, 2] });
    network.raw(1).proposeConfChange(change(remove(1)));
    network.raw(1).propose(bytes("on its way"));
    network.deliverOnly((m) => m.type !== "MsgApp" || m.index < 2);
    network.stabilize();
    expect(network.node(1).confState.voters).toEqual([2]);
    // The entry after the change arrives late, with the old commit index, and its acknowledgement commits it.
    const late = network.sent.find(({ type, index, commit }) => type === "MsgApp" && index === 2 && commit < 2);
    network.raw(2).step(late as Message);
    network.deliverOnly((m) => m.type === "MsgAppResp");
    network.stabilize();
    expect(network.raw(1).basicStatus().hardState.commit).toBe(3);
    expect(network.node(2).confState.voters).toEqual([1, 2]);
    expect(roleOf(network, 1)).toBe("StateLeader");
    network.heal();
    beat(network, 1);
    expect([roleOf(network, 1), roleOf(network, 2)]).toEqual(["StateFollower", "StateLeader"]);
  });

  test("steps down when no quorum of the others answers, as any leader does", () => {
    const network = led({ voters: [1, 2, 3], config: { stepDownOnRemoval: true, checkQuorum: true } });
    network.raw(1).proposeConfChange(change(remove(1)));
    network.deliverOnly((m) => m.type !== "MsgApp" || m.commit < 2);
    network.stabilize();
    expect(roleOf(network, 1)).toBe("StateLeader");
    network.isolate(1);
    beat(network, 1, 21);
    expect(roleOf(network, 1)).toBe("StateFollower");
  });

  /** Node 1 has applied its removal and lost the leadership before any other node knows of the removal. */
  const deposed = (voters: readonly NodeId[]): LockstepNetwork => {
    const network = led({ voters, config: { stepDownOnRemoval: true, checkQuorum: true, preVote: true } });
    network.raw(1).proposeConfChange(change(remove(1)));
    network.deliverOnly((m) => m.type !== "MsgApp" || m.commit < 2);
    network.stabilize();
    expect(network.raw(1).needsThoseRemoved()).toBe(true);
    network.isolate(1);
    beat(network, 1, 21);
    expect([roleOf(network, 1), network.raw(1).needsThoseRemoved()]).toEqual(["StateFollower", true]);
    network.heal();
    // No other node keeps a promise to it any more.
    for (const id of voters) if (id > 2) network.tick(id, 10);
    return network;
  };

  test("and its office before it has told the others is needed by them, and nothing tells it when that is over (RV3)", () => {
    const network = deposed([1, 2]);
    // The first time node 2 learns of the change, which it must apply before it stands.
    network.elect(2);
    expect(network.node(2).confState.voters).toEqual([2]);
    network.elect(2);
    expect(network.propose(2, "on")).toBe(true);
    expect(network.raw(1).needsThoseRemoved()).toBe(true);
  });

  test("and its office before it has told the others is needed until it learns of a later leader's commit (RV3)", () => {
    const network = deposed([1, 2, 3]);
    network.deliverOnly(({ type, from }) => from !== 1 || !type.endsWith("VoteResp"));
    network.elect(2);
    expect(roleOf(network, 2)).toBe("StateLeader");
    expect(network.raw(1).needsThoseRemoved()).toBe(false);
  });

  test("is not needed once it has stepped down (RV3)", () => {
    const network = led({ voters: [1, 2] });
    network.raw(1).proposeConfChange(change(remove(1)));
    network.stabilize();
    expect([roleOf(network, 1), network.raw(1).needsThoseRemoved()]).toEqual(["StateFollower", false]);
  });
});

describe("after a change that takes votes away", () => {
  test.each([
    ["a follower of two is removed", [1, 2], change(remove(2))],
    ["a follower of four is removed", [1, 2, 3, 4], change(remove(4))],
    ["a follower of four is demoted", [1, 2, 3, 4], change(demote(4))],
    ["two of five are removed", [1, 2, 3, 4, 5], change(remove(4), remove(5))],
  ])("%s: a majority of those left knows so after a crash of all of them (RV1)", (_, voters, asked) => {
    const network = led({ voters });
    network.raw(1).proposeConfChange(asked);
    network.stabilize();
    const { voters: left } = network.node(1).confState;
    const applied = network.node(1).applied;
    const changedAt = applied.filter(({ type }) => type !== "EntryNormal").at(-1)?.index ?? Number.NaN;
    expect(applied.at(-1)?.index, "an entry follows the change").toBe(changedAt + 1);
    const knowing = left.filter((id) => durableCommit(network, id) >= changedAt);
    expect(knowing.length).toBeGreaterThan(left.length / 2);
    // The others are gone for good. A member that knows of the change can be elected by the remaining ones.
    for (const id of voters) if (!left.includes(id)) network.isolate(id);
    for (const id of left) network.node(id).restart();
    network.stabilize();
    network.elect(knowing[0] as NodeId);
    expect(network.propose(knowing[0] as NodeId, "on")).toBe(true);
  });

  test("a change that takes no vote away is followed by nothing", () => {
    const network = led({ voters: [1, 2, 3] });
    network.raw(1).proposeConfChange(change({ type: "UpdateNode", nodeId: 2 }));
    network.stabilize();
    expect(network.node(1).applied.at(-1)?.type).toBe("EntryConfChangeV2");
  });
});

describe("a member that was removed and has entries that the others lack", () => {
  test.each([true, false])(
    "tells them with its refusal that they do not need its vote (E4); pre-vote: %s",
    (preVote) => {
      // As if the leader crashed at the moment in which it had applied its removal.
      const network = led({ voters: [1, 2], config: { stepDownOnRemoval: true, preVote } });
      network.raw(1).proposeConfChange(change(remove(1)));
      network.raw(1).propose(bytes("an entry more than node 2 has"));
      network.deliverOnly((m) => m.type !== "MsgApp" || (m.commit < 3 && m.index < 2));
      network.stabilize();
      expect(network.node(1).confState.voters).toEqual([2]);
      network.node(1).restart();
      network.stabilize();
      network.heal();
      network.raw(1).campaign();
      expect(roleOf(network, 1)).toBe("StateFollower");
      // Node 2 needs the vote of node 1, whose log is longer.
      network.elect(2);
      expect(roleOf(network, 2)).toBe("StateFollower");
      expect(network.node(2).confState.voters).toEqual([2]);
      network.elect(2);
      expect(roleOf(network, 2)).toBe("StateLeader");
      expect(network.propose(2, "alone")).toBe(true);
    },
  );
});

test("a member that was removed tells a candidate of a later term that it does not need its vote (E4)", () => {
  // The leader crashes at the moment in which it has applied its removal. It has one entry more than node 2, which it had asked to lead.
  const network = led({ voters: [1, 2], config: { stepDownOnRemoval: true, preVote: true } });
  network.raw(1).proposeConfChange(change(remove(1)));
  network.raw(1).propose(bytes("an entry more than node 2 has"));
  network.deliverOnly((m) => m.type !== "MsgApp" || (m.commit < 3 && m.index < 2));
  network.stabilize();
  network.node(1).restart();
  network.isolate(1);
  network.raw(2).step(message({ type: "MsgTimeoutNow", from: 1, to: 2, term: 1 }));
  network.stabilize();
  network.node(2).restart();
  network.stabilize();
  network.heal();
  expect(network.raw(2).basicStatus().hardState.term).toBeGreaterThan(network.raw(1).basicStatus().hardState.term);
  // Node 1 refuses pre-votes in its own term, which is an earlier one.
  network.elect(2);
  expect(network.node(2).confState.voters).toEqual([2]);
  network.elect(2);
  expect(network.propose(2, "alone")).toBe(true);
});

describe("what requests for votes and their answers tell of the commit index (E4)", () => {
  const follower = () => {
    const network = new LockstepNetwork({ voters: [1, 2, 3] });
    network.elect(1);
    network.isolate(2);
    network.isolate(3);
    network.propose(1, "not committed");
    return network.raw(1);
  };

  test("is taken if this node has the entry, whatever becomes of the request", () => {
    const raw = follower();
    raw.step(message({ type: "MsgPreVote", from: 2, to: 1, term: 3, index: 1, logTerm: 1, commit: 1, commitTerm: 1 }));
    expect(raw.basicStatus().hardState.commit).toBe(1);
    // A leader commits only by counting (R4).
    raw.step(message({ type: "MsgPreVote", from: 2, to: 1, term: 3, index: 1, logTerm: 1, commit: 2, commitTerm: 1 }));
    expect(raw.basicStatus().hardState.commit).toBe(1);
    raw.step(message({ type: "MsgVote", from: 2, to: 1, term: 3, index: 1, logTerm: 1, commit: 2, commitTerm: 1 }));
    expect(raw.basicStatus().hardState.commit).toBe(2);
  });

  test.each(["MsgVote", "MsgVoteResp", "MsgPreVote", "MsgPreVoteResp"] as const)(
    "is taken from a %s of an earlier term",
    (type) => {
      const raw = follower();
      raw.step(message({ type: "MsgVote", from: 2, to: 1, term: 5, index: 1, logTerm: 1 }));
      const reject = type.endsWith("Resp");
      raw.step(message({ type, from: 3, to: 1, term: 2, index: 1, logTerm: 1, reject, commit: 2, commitTerm: 1 }));
      expect(raw.basicStatus().hardState).toMatchObject({ term: 5, commit: 2 });
    },
  );

  test.each([
    ["another entry", { commit: 2, commitTerm: 2 }],
    ["an entry beyond the log", { commit: 9, commitTerm: 1 }],
    ["nothing", { commit: 2, commitTerm: 0 }],
  ])("is passed over where it tells of %s", (_, told) => {
    const raw = follower();
    raw.step(message({ type: "MsgVoteResp", from: 2, to: 1, term: 3, reject: true, ...told }));
    expect(raw.basicStatus()).toMatchObject({ hardState: { commit: 1, term: 3 } });
  });
});
