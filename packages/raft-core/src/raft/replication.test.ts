import { describe, expect, test } from "vitest";
import { message } from "../message.ts";
import { bytes, commands, entriesOfTerms, LockstepNetwork } from "../testing/internal/groups/lockstep-network.ts";
import type { Entry, NodeId } from "../types.ts";

const THREE: readonly NodeId[] = [1, 2, 3];

function logOf(network: LockstepNetwork, id: NodeId): string[] {
  const { storage } = network.node(id);
  const entries = storage.entries(storage.firstIndex(), storage.lastIndex() + 1, Number.POSITIVE_INFINITY);
  return (entries as readonly Entry[]).map(({ term, index }) => `${term}/${index}`);
}

describe("log replication (Raft paper §5.3)", () => {
  test("commits and applies in the same order everywhere", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    for (const command of ["a", "b", "c"]) network.propose(1, command);
    for (const node of network.nodes.values()) expect(commands(node.applied)).toEqual(["a", "b", "c"]);
  });

  test("goes on with a minority missing, and brings it up to date later", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.isolate(3);
    network.propose(1, "a");
    expect(commands(network.node(1).applied)).toEqual(["a"]);
    network.heal();
    network.tick(1, 1);
    network.stabilize();
    expect(commands(network.node(3).applied)).toEqual(["a"]);
  });

  test("commits nothing without a majority", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.isolate(1);
    expect(network.propose(1, "a")).toBe(true);
    expect(commands(network.node(1).applied)).toEqual([]);
  });

  test("passes a follower's proposal on to the leader", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    expect(network.propose(3, "a")).toBe(true);
    expect(commands(network.node(3).applied)).toEqual(["a"]);
  });

  test("drops proposals that no leader would get, and says who leads", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { disableProposalForwarding: true } });
    expect(network.raw(2).propose(bytes("a"))).toEqual({ ok: false, reason: "no-leader", leaderHint: 0 });
    network.elect(1);
    expect(network.raw(2).propose(bytes("a"))).toEqual({ ok: false, reason: "forwarding-disabled", leaderHint: 1 });
  });

  test("does not acknowledge an append before it is durable (R2)", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { asyncStorageWrites: true } });
    const follower = network.raw(2);
    follower.step(message({ type: "MsgApp", from: 1, to: 2, term: 1, entries: entriesOfTerms(1) }));
    const messages = follower.ready().messages;
    expect(messages.map(({ type }) => type)).toEqual(["MsgStorageAppend"]);
    expect(messages[0]?.responses).toMatchObject([
      { type: "MsgAppResp", to: 1, index: 1 },
      { type: "MsgStorageAppendResp" },
    ]);
  });

  test("refuses an append whose predecessor it does not have, and leaves its log alone (A1, Log Matching)", () => {
    const contents = { hardState: { term: 2, vote: 0, commit: 0 }, entries: entriesOfTerms(1, 1) };
    const network = new LockstepNetwork({ voters: THREE, contents: new Map([[2, contents]]) });
    const follower = network.node(2);
    for (const [index, logTerm] of [
      [2, 2],
      [3, 2],
    ] as const) {
      const entries = [{ term: 2, index: index + 1, type: "EntryNormal", data: bytes("x") }] as const;
      follower.raw.step(message({ type: "MsgApp", from: 1, to: 2, term: 2, index, logTerm, entries }));
      expect(follower.carryOut()).toMatchObject([
        { type: "MsgAppResp", reject: true, index, rejectHint: 2, logTerm: 1 },
      ]);
    }
    expect(logOf(network, 2)).toEqual(["1/1", "1/2"]);
  });

  test("takes a repeated or shortened append without losing what came after (A2)", () => {
    const contents = { hardState: { term: 1, vote: 0, commit: 0 }, entries: entriesOfTerms(1, 1, 1) };
    const network = new LockstepNetwork({ voters: THREE, contents: new Map([[2, contents]]) });
    const follower = network.node(2);
    follower.raw.step(message({ type: "MsgApp", from: 1, to: 2, term: 1, entries: entriesOfTerms(1), commit: 3 }));
    expect(follower.carryOut()).toMatchObject([{ type: "MsgAppResp", index: 1 }]);
    expect(logOf(network, 2)).toEqual(["1/1", "1/2", "1/3"]);
    // A3: committed only up to the entries that the message showed to be shared.
    expect(follower.raw.basicStatus().hardState.commit).toBe(1);
  });

  // Raft paper, figure 7: every way in which a follower's log may differ from a new leader's.
  const leaderTerms = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
  const followers: readonly (readonly number[])[] = [
    [1, 1, 1, 4, 4, 5, 5, 6, 6],
    [1, 1, 1, 4],
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    [1, 1, 1, 4, 4, 4, 4],
    [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  ];
  for (const [at, terms] of followers.entries()) {
    test(`makes the log of follower (${"abcdef"[at]}) of figure 7 equal to the leader's`, () => {
      const hardState = { term: 7, vote: 0, commit: 0 };
      const contents = new Map([
        [1, { hardState, entries: entriesOfTerms(...leaderTerms) }],
        [2, { hardState, entries: entriesOfTerms(...terms) }],
      ]);
      const network = new LockstepNetwork({ voters: THREE, contents });
      // Follower 2 may be ahead of 1 and then refuse its vote; the empty third one decides.
      network.elect(1);
      network.propose(1, "x");
      expect(network.raw(1).basicStatus().softState.role).toBe("StateLeader");
      const expected = [...leaderTerms.map((term, i) => `${term}/${i + 1}`), "8/11", "8/12"];
      for (const id of THREE) expect(logOf(network, id)).toEqual(expected);
    });
  }

  test("needs at most one probe per term to find where the logs meet", () => {
    const hardState = { term: 3, vote: 0, commit: 0 };
    const contents = new Map([
      [1, { hardState, entries: entriesOfTerms(1, ...new Array<number>(50).fill(3)) }],
      [2, { hardState, entries: entriesOfTerms(1, ...new Array<number>(50).fill(2)) }],
    ]);
    const network = new LockstepNetwork({ voters: THREE, contents });
    network.elect(1);
    const refusals = network.sent.filter(({ type, reject, from }) => type === "MsgAppResp" && reject && from === 2);
    expect(refusals.length).toBe(1);
    expect(logOf(network, 2)).toEqual(logOf(network, 1));
  });
});

describe("commit rule (Raft paper §5.4.2, figure 8)", () => {
  test("does not commit an entry of an earlier term by counting, only with one of its own (R4)", () => {
    // S1 led term 2, wrote entry 2 on itself and S2, and is elected again in term 4.
    const hardState = { term: 3, vote: 0, commit: 0 };
    const contents = new Map([
      [1, { hardState, entries: entriesOfTerms(1, 2) }],
      [2, { hardState, entries: entriesOfTerms(1) }],
      [3, { hardState, entries: entriesOfTerms(1) }],
    ]);
    const network = new LockstepNetwork({ voters: THREE, contents });
    // All entries except the new leader's own one arrive: entry 2 gets to a majority, entry 3 does not.
    network.deliverOnly((m) => m.type !== "MsgApp" || m.entries.every((entry) => entry.term < 4));
    network.raw(1).campaign();
    network.stabilize();
    const old = entriesOfTerms(1, 2).slice(1);
    network.raw(2).step(message({ type: "MsgApp", from: 1, to: 2, term: 4, index: 1, logTerm: 1, entries: old }));
    network.stabilize();
    expect(logOf(network, 2)).toEqual(["1/1", "2/2"]);
    expect(network.raw(1).status().progress.get(2)?.match).toBe(2);
    expect(network.raw(1).basicStatus().hardState.commit).toBe(0);
    // The entry of its own term commits both (figure 8e).
    network.heal();
    network.tick(1, 1);
    network.stabilize();
    expect(network.raw(1).basicStatus().hardState.commit).toBe(3);
  });
});

describe("flow control (thesis §10.2.1)", () => {
  test("has at most maxInflightMessages appends under way, and goes on when they are acknowledged", () => {
    const network = new LockstepNetwork({ voters: [1, 2], config: { maxInflightMessages: 2, maxMessageBytes: 0 } });
    network.elect(1);
    network.isolate(2);
    for (const command of ["a", "b", "c", "d"]) network.raw(1).propose(bytes(command));
    network.stabilize();
    expect(String(network.raw(1).status().progress.get(2))).toBe(
      "StateReplicate match=1 next=4 paused inflight=2[full]",
    );
    network.heal();
    // The answer to an empty append shows that both were lost.
    network.tick(1, 1);
    network.stabilize();
    expect(commands(network.node(2).applied)).toEqual(["a", "b", "c", "d"]);
    expect(String(network.raw(1).status().progress.get(2))).toBe("StateReplicate match=5 next=6");
  });

  test("limits the payload bytes under way", () => {
    const config = { maxInflightBytes: 10, maxMessageBytes: 10 };
    const network = new LockstepNetwork({ voters: [1, 2], config });
    network.elect(1);
    network.isolate(2);
    for (let i = 0; i < 5; i++) network.raw(1).propose(bytes("12345"));
    network.stabilize();
    expect(network.raw(1).status().progress.get(2)?.inflights.count).toBe(2);
  });

  test("refuses proposals over maxUncommittedBytes until earlier ones are applied, but takes one of any size alone", () => {
    const network = new LockstepNetwork({ voters: THREE, config: { maxUncommittedBytes: 10 } });
    network.elect(1);
    const raw = network.raw(1);
    expect(raw.propose(bytes("more than ten bytes")).ok).toBe(true);
    expect(raw.propose(bytes("x"))).toEqual({ ok: false, reason: "uncommitted-limit", leaderHint: 1 });
    expect(raw.propose(bytes("")).ok).toBe(true);
    network.stabilize();
    expect(raw.propose(bytes("x")).ok).toBe(true);
  });

  test("goes back to probing when a member is reported unreachable, and to replicating when it answers", () => {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.raw(1).reportUnreachable(2);
    expect(network.raw(1).status().progress.get(2)?.state).toBe("StateProbe");
    network.tick(1, 1);
    network.stabilize();
    expect(network.raw(1).status().progress.get(2)?.state).toBe("StateReplicate");
  });
});

describe("snapshots (Raft paper §7)", () => {
  function compacted(): LockstepNetwork {
    const network = new LockstepNetwork({ voters: THREE });
    network.elect(1);
    network.isolate(3);
    for (const command of ["a", "b", "c"]) network.propose(1, command);
    network.node(1).compact(4);
    network.heal();
    return network;
  }

  test("brings a follower up to date whose entries are compacted away", () => {
    const network = compacted();
    network.tick(1, 1);
    network.stabilize();
    expect(network.sent.some(({ type, to }) => type === "MsgSnap" && to === 3)).toBe(true);
    expect(network.raw(3).basicStatus().hardState.commit).toBe(4);
    expect(String(network.raw(1).status().progress.get(3))).toBe("StateReplicate match=4 next=5");
    network.propose(1, "d");
    expect(commands(network.node(3).applied)).toEqual(["d"]);
  });

  test("sends nothing else while one is under way, and probes again when it failed", () => {
    const network = compacted();
    network.deliverOnly(({ type }) => type !== "MsgSnap");
    network.tick(1, 1);
    network.stabilize();
    expect(network.raw(1).status().progress.get(3)).toMatchObject({ state: "StateSnapshot", pendingSnapshot: 4 });
    const before = network.sent.length;
    network.propose(1, "d");
    expect(network.sent.slice(before).filter(({ type, to }) => to === 3 && type === "MsgApp")).toEqual([]);
    network.raw(1).reportSnapshot(3, "failure");
    expect(network.raw(1).status().progress.get(3)).toMatchObject({ state: "StateProbe", next: 2 });
    network.heal();
    network.tick(1, 1);
    network.stabilize();
    expect(network.raw(3).basicStatus().hardState.commit).toBe(5);
  });

  test("is refused by a node that its configuration does not name (SN2), and by one that is further", () => {
    const network = compacted();
    const snapshot = network.node(1).storage.snapshot();
    if (snapshot === "unavailable") throw new Error("no snapshot");
    const offer = { type: "MsgSnap", from: 1, term: 1, snapshot } as const;
    network.raw(2).step(message({ ...offer, to: 2 }));
    expect(network.node(2).carryOut()).toMatchObject([{ type: "MsgAppResp", index: 4 }]);
    const stranger = network.join(9);
    stranger.raw.step(message({ ...offer, to: 9 }));
    expect(stranger.carryOut()).toMatchObject([{ type: "MsgAppResp", index: 0 }]);
    expect(stranger.raw.raft.log.lastIndex()).toBe(0);
  });
});
