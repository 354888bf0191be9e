import { describe, expect, test } from "vitest";
import { message } from "../message.ts";
import { bytes, entriesOfTerms, LockstepNetwork, text } from "../testing/internal/groups/lockstep-network.ts";
import type { NodeId } from "../types.ts";

const THREE: readonly NodeId[] = [1, 2, 3];

function reads(network: LockstepNetwork, id: NodeId): string[] {
  return network.node(id).readStates.map(({ index, context }) => `${text(context)}@${index}`);
}

describe("linearizable reads (thesis §6.4)", () => {
  test("confirms a read on the leader with a round of heartbeats", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.propose(1, "x");
    const before = network.sent.length;
    network.raw(1).readIndex(bytes("r"));
    network.stabilize();
    expect(reads(network, 1)).toEqual(["r@2"]);
    const kinds = new Set(network.sent.slice(before).map(({ type }) => type));
    expect(kinds).toEqual(new Set(["MsgHeartbeat", "MsgHeartbeatResp"]));
  });

  test("answers a follower that passed its read on", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.raw(3).readIndex(bytes("r"));
    network.stabilize();
    expect(reads(network, 3)).toEqual(["r@1"]);
    expect(reads(network, 1)).toEqual([]);
  });

  test("holds a bounded number of others' reads while no quorum answers, and its own all the same", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.propose(1, "x");
    network.isolate(1);
    const read = { term: 0, index: 0, type: "EntryNormal", data: bytes("theirs") } as const;
    for (let asked = 0; asked < 3000; asked++) {
      const outcome = network.raw(1).step(message({ type: "MsgReadIndex", from: 2, to: 1, entries: [read] }));
      expect(outcome).toEqual(asked < 1024 ? { ok: true } : { ok: false, reason: "read-limit", leaderHint: 1 });
    }
    network.raw(1).readIndex(bytes("own"));
    const { raft } = network.raw(1);
    expect(raft.reads.waiting.length + raft.postponedReads.length).toBe(1025);
  });

  test("answers at once when there is only one voter", () => {
    const network = new LockstepNetwork({ voters: [1] });
    network.elect(1);
    network.raw(1).readIndex(bytes("r"));
    network.stabilize();
    expect(reads(network, 1)).toEqual(["r@1"]);
  });

  test("answers a read that waits when the last other voter is removed", () => {
    const network = new LockstepNetwork({ voters: [1, 2] });
    network.elect(1);
    network.propose(1, "x");
    // Node 2 acknowledges its own removal, and answers no heartbeat any more.
    network.deliverOnly(({ type }) => type === "MsgApp" || type === "MsgAppResp");
    network.raw(1).readIndex(bytes("r"));
    network.raw(1).proposeConfChange({ id: 0, type: "RemoveNode", nodeId: 2, context: bytes("") });
    network.stabilize();
    expect(network.node(1).confState.voters).toEqual([1]);
    expect(reads(network, 1)).toEqual(["r@2"]);
  });

  test("confirms nothing without a quorum: another leader may have committed more", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.isolate(1);
    network.raw(1).readIndex(bytes("r"));
    network.tick(1, 3);
    network.stabilize();
    expect(reads(network, 1)).toEqual([]);
  });

  test("waits for the first commit of the leader's own term, for its commit index may be behind (Q1)", () => {
    const hardState = { term: 1, vote: 0, commit: 0 };
    const entries = entriesOfTerms(1, 1);
    const contents = new Map(THREE.map((id) => [id, { hardState, entries }]));
    const network = new LockstepNetwork({ voters: THREE, contents });
    // The leader is elected and its heartbeats are answered, but no entry of its term is committed.
    network.deliverOnly(({ type }) => type !== "MsgApp");
    network.elect(1);
    network.raw(1).readIndex(bytes("early"));
    network.tick(1, 2);
    network.stabilize();
    expect(network.raw(1).basicStatus().hardState.commit).toBe(0);
    expect(reads(network, 1)).toEqual([]);
    // The commit releases the postponed reads, at an index that includes all earlier entries.
    network.heal();
    network.tick(1, 1);
    network.stabilize();
    expect(reads(network, 1)).toEqual(["early@3"]);
  });

  test("a single voter waits for it, too: after a restart its commit index may be older than what it committed (Q1)", () => {
    const contents = { hardState: { term: 1, vote: 1, commit: 1 }, entries: entriesOfTerms(1, 1) };
    const network = new LockstepNetwork({
      voters: [1],
      config: { asyncStorageWrites: true },
      contents: new Map([[1, contents]]),
    });
    const { raw, storage } = network.node(1);
    raw.campaign();
    const [vote] = raw.ready().messages;
    for (const response of vote?.responses ?? []) raw.step(response);
    expect(raw.basicStatus()).toMatchObject({ softState: { role: "StateLeader" }, hardState: { commit: 1 } });
    raw.readIndex(bytes("r"));
    const ready = raw.ready();
    expect(ready.readStates).toEqual([]);
    storage.writeSync({ entries: ready.entries });
    for (const m of ready.messages) for (const response of m.responses) raw.step(response);
    expect(raw.ready().readStates.map(({ index }) => index)).toEqual([3]);
  });

  test("a leader that was removed does not answer for the only voter that is left", () => {
    const network = new LockstepNetwork({ voters: [1, 2] });
    network.elect(1);
    network.raw(1).proposeConfChange({ id: 0, type: "RemoveNode", nodeId: 1, context: bytes("") });
    network.stabilize();
    network.isolate(1);
    network.elect(2);
    network.propose(2, "newer");
    expect(network.raw(1).basicStatus().softState.role).toBe("StateLeader");
    network.raw(1).readIndex(bytes("r"));
    network.stabilize();
    expect(reads(network, 1)).toEqual([]);
  });

  test("numbers its heartbeats itself, so that equal contexts of two callers are two reads", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.raw(2).readIndex(bytes("same"));
    network.raw(3).readIndex(bytes("same"));
    network.stabilize();
    expect(reads(network, 2)).toEqual(["same@1"]);
    expect(reads(network, 3)).toEqual(["same@1"]);
  });

  test("does not take a repeated answer to an earlier read for an answer to a later one", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.raw(1).readIndex(bytes("r"));
    network.stabilize();
    const answers = network.sent.filter(({ type, context }) => type === "MsgHeartbeatResp" && context !== undefined);
    expect(answers.length).toBe(2);
    network.isolate(1);
    network.raw(1).readIndex(bytes("r"));
    network.stabilize();
    for (const answer of answers) network.raw(1).step(answer);
    network.stabilize();
    expect(reads(network, 1)).toEqual(["r@1"]);
  });

  test("an answer to an earlier office of the same leader confirms nothing in a later one (Q2)", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.deliverOnly(({ type }) => type !== "MsgHeartbeatResp");
    network.raw(1).readIndex(bytes("of term 1"));
    network.stabilize();
    const late = network.sent.filter(({ type, from }) => type === "MsgHeartbeatResp" && from === 2);
    expect(late.map(({ context }) => context?.[0])).toEqual([1]);
    network.heal();
    network.elect(2);
    network.elect(1);
    network.isolate(1);
    network.raw(1).readIndex(bytes("of term 3"));
    network.stabilize();
    for (const m of late) network.raw(1).step(m);
    network.stabilize();
    expect(reads(network, 1)).toEqual([]);
  });

  test("one answer confirms all reads before it, in order", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    const lost = new Set<string>();
    network.deliverOnly((m) => m.type !== "MsgHeartbeat" || lost.size > 5 || !lost.add(`${lost.size}`));
    for (const context of ["a", "b", "c"]) network.raw(1).readIndex(bytes(context));
    network.stabilize();
    expect(reads(network, 1)).toEqual([]);
    network.heal();
    network.tick(1, 1);
    network.stabilize();
    expect(reads(network, 1)).toEqual(["a@1", "b@1", "c@1"]);
  });

  test("ignores positions it never sent (Q3) and contexts of other lengths", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.isolate(1);
    network.raw(1).readIndex(bytes("r"));
    network.stabilize();
    const answer = (context: Uint8Array) => {
      for (const from of [2, 3]) {
        network.raw(1).step(message({ type: "MsgHeartbeatResp", from, to: 1, term: 1, context }));
      }
    };
    answer(bytes("r"));
    network.stabilize();
    expect(reads(network, 1)).toEqual([]);
    answer(new Uint8Array(8).fill(255));
    network.stabilize();
    expect(reads(network, 1)).toEqual(["r@1"]);
    expect(network.raw(1).raft.reads.confirmed).toBe(1);
  });

  test("a learner's answer does not count towards the quorum", () => {
    const network = new LockstepNetwork({ voters: THREE, learners: [4] });
    network.elect(1);
    network.isolate(2);
    network.isolate(3);
    network.raw(1).readIndex(bytes("r"));
    network.stabilize();
    expect(reads(network, 1)).toEqual([]);
  });

  test("by lease, a follower does not forget its leader", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { checkQuorum: true, readOnly: "lease-based" } });
    network.elect(1);
    network.raw(2).forgetLeader();
    expect(network.raw(2).basicStatus().softState.lead).toBe(1);
  });
});
