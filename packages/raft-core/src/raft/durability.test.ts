import { describe, expect, test } from "vitest";
import { type Message, message } from "../message.ts";
import { seededRng } from "../ports/rng.ts";
import { bytes, commands } from "../testing/internal/groups/lockstep-network.ts";
import { ORDINARY, SlowDiskGroup } from "../testing/internal/groups/slow-disk-group.ts";
import { SlowDiskNode, votersOnly } from "../testing/internal/groups/slow-disk-node.ts";
import type { NodeId } from "../types.ts";

// Nothing may leave a node before what it claims is durable (raft.ts R2). The claims are the table in DESIGN.md; the group of
// slow-disk-group.ts compares them with what the sender's storage holds at the moment in which the message leaves.

/** Three voters, as the fault was found: node 1's disk is slow. */
function three(): Record<1 | 2 | 3, SlowDiskNode> {
  const start = (id: NodeId) => new SlowDiskNode(id, { confState: votersOnly([1, 2, 3]) });
  return { 1: start(1), 2: start(2), 3: start(3) };
}

/** Carries out all pending work of `node`, including its disk's. */
function finish(node: SlowDiskNode): Message[] {
  const out: Message[] = [];
  while (node.raw.hasReady() || node.pendingWrites > 0) {
    out.push(...node.takeReady(), ...node.write());
    while (node.apply());
  }
  return out;
}

/** Delivers messages between nodes with fast disks until there are none; drops those to other nodes. */
function exchange(nodes: readonly SlowDiskNode[], messages: readonly Message[]): void {
  for (let left = [...messages]; left.length > 0; ) {
    for (const m of left.splice(0)) nodes.find(({ id }) => id === m.to)?.raw.step(m);
    left = nodes.flatMap(finish);
  }
}

describe("a candidate's request for votes", () => {
  test("leaves only when its term, its vote and its log are durable (R2)", () => {
    const node = three()[1];
    node.raw.campaign();
    expect(node.takeReady()).toEqual([]);
    expect(node.write()).toMatchObject([
      { type: "MsgVote", to: 2, term: 1 },
      { type: "MsgVote", to: 3, term: 1 },
    ]);
    expect(node.storage.initialState().hardState).toMatchObject({ term: 1, vote: 1 });
  });

  test("waits for earlier writes of the log that it names", () => {
    const node = three()[2];
    const append = {
      type: "MsgApp",
      from: 1,
      to: 2,
      term: 1,
      entries: [{ term: 1, index: 1, type: "EntryNormal", data: bytes("x") }],
    } as const;
    node.raw.step(message(append));
    node.takeReady();
    node.raw.step(message({ type: "MsgTimeoutNow", from: 1, to: 2, term: 1 }));
    expect(node.takeReady()).toEqual([]);
    expect(node.write().map(({ type }) => type)).toEqual(["MsgAppResp"]);
    expect(node.write()).toMatchObject([{ type: "MsgVote", index: 1, logTerm: 1, term: 2 }, { type: "MsgVote" }]);
  });

  test("does not wait for a pre-vote, on which no election relies", () => {
    const node = new SlowDiskNode(1, { confState: votersOnly([1, 2, 3]) }, { preVote: true });
    node.raw.campaign();
    expect(node.takeReady().map(({ type }) => type)).toEqual(["MsgPreVote", "MsgPreVote"]);
  });

  test("that a crash loses was never sent: no node leads one term twice, and no entry is applied in two versions", () => {
    const { 1: slow, 2: second, 3: third } = three();
    slow.raw.campaign();
    // Both others would grant at once, and the entry would reach only node 2.
    const requests = slow.takeReady();
    for (const m of requests) [second, third].find(({ id }) => id === m.to)?.raw.step(m);
    for (const m of [...finish(second), ...finish(third)]) slow.raw.step(m);
    slow.raw.propose(bytes("x"));
    for (const m of slow.takeReady()) if (m.to === 2) second.raw.step(m);
    finish(second);
    slow.crash();
    slow.raw.campaign();
    exchange([slow, third], finish(slow));
    slow.raw.propose(bytes("y"));
    exchange([slow, third], finish(slow));
    // Node 2 is back.
    for (let at = 0; at < 3; at++) slow.raw.tick();
    exchange([slow, second, third], finish(slow));
    expect(commands(slow.applied)).toEqual(["y"]);
    for (const node of [second, third]) expect(commands(node.applied)).toEqual(commands(slow.applied));
  });

  test("does not earn votes for a candidate that crashed and came back without what it asked with", () => {
    const { 1: slow, 2: second, 3: third } = three();
    slow.raw.campaign();
    for (const m of slow.takeReady()) if (m.to === 2) second.raw.step(m);
    const grants = finish(second);
    slow.crash();
    // Another leader commits an entry with node 2, in the term that node 1 has forgotten or in a later one.
    third.raw.campaign();
    exchange([second, third], finish(third));
    third.raw.propose(bytes("committed"));
    exchange([second, third], finish(third));
    // Node 1 stands again, and the old answer arrives.
    slow.raw.campaign();
    finish(slow);
    for (const m of grants) slow.raw.step(m);
    expect(slow.raw.basicStatus().softState.role).not.toBe("StateLeader");
  });
});

describe("a leader", () => {
  test("is one only when its own vote is durable and counted, whichever others have granted", () => {
    const node = three()[1];
    node.raw.campaign();
    node.takeReady();
    // No voter can have been asked yet. Even so, forged votes do not make a leader of a term that a crash
    // would make this node forget.
    for (const from of [2, 3]) node.raw.step(message({ type: "MsgVoteResp", from, to: 1, term: 1 }));
    expect(node.raw.basicStatus().softState.role).toBe("StateCandidate");
    node.write();
    expect(node.raw.basicStatus().softState.role).toBe("StateLeader");
  });
});

describe("with slow disks, crashes, and a network that loses, repeats and reorders", () => {
  test("no message leaves before what it claims is durable, and nodes apply the same entries", () => {
    let sent = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const rng = seededRng(seed);
      const flag = () => rng.below(2) === 0;
      const voters = Array.from({ length: 1 + rng.below(5) }, (_, at) => at + 1);
      const config = {
        electionTicks: 5,
        preVote: flag(),
        checkQuorum: flag(),
        maxMessageBytes: flag() ? 0 : 100,
        asyncStorageWrites: rng.below(3) > 0,
      };
      const group = new SlowDiskGroup(seed, votersOnly(voters), config);
      for (let step = 0; step < 1500; step++) group.step(ORDINARY);
      group.heal(60);
      expect(group.leader?.raw.propose(bytes("healed")).ok, `seed ${seed}: a leader`).toBe(true);
      group.heal(10);
      expect(group.findings, `seed ${seed}`).toEqual([]);
      for (const { applied } of group.nodes) expect(commands(applied).at(-1), `seed ${seed}`).toBe("healed");
      sent += group.sent;
    }
    expect(sent).toBeGreaterThan(20_000);
  });
});
