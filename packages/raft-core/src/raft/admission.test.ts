import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeMessage, encodeMessage } from "../eraftpb/message.ts";
import { RaftError } from "../errors.ts";
import { MemoryStorage } from "../memory/memory-storage.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message, message } from "../message.ts";
import { seededRng } from "../ports/rng.ts";
import { RawNode } from "../raw-node.ts";
import { commands, entriesOfTerms, LockstepNetwork } from "../testing/internal/groups/lockstep-network.ts";
import { anyHostileMessage } from "../testing/internal/wire/hostile-messages.ts";
import type { ConfState } from "../types.ts";

const TRIO: ConfState = { voters: [1, 2, 3], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };

interface Options {
  readonly flags: boolean;
  readonly asyncStorageWrites: boolean;
}

/** Node 1 of three, with an application that turns down every change of the configuration. */
class Target {
  readonly node: RawNode;
  readonly #storage = new MemoryStorage({
    confState: TRIO,
    entries: entriesOfTerms(1, 1, 2),
    hardState: { term: 2, vote: 0, commit: 2 },
  });
  readonly #isAsync: boolean;

  constructor({ flags, asyncStorageWrites }: Options) {
    this.#isAsync = asyncStorageWrites;
    this.node = new RawNode({
      id: 1,
      storage: this.#storage,
      rng: seededRng(1),
      electionTicks: 3,
      heartbeatTicks: 1,
      maxMessageBytes: 100,
      maxInflightMessages: 3,
      maxUncommittedBytes: 100,
      preVote: flags,
      checkQuorum: flags,
      asyncStorageWrites,
    });
  }

  /** Makes the node leader of its next term. */
  elect(): void {
    for (let round = 0; round < 2; round++) {
      this.node.campaign();
      this.carryOut();
      const { term } = this.node.basicStatus().hardState;
      this.node.step(message({ type: "MsgPreVoteResp", from: 2, to: 1, term: term + 1 }));
      this.node.step(message({ type: "MsgVoteResp", from: 2, to: 1, term }));
      this.carryOut();
      this.node.step(message({ type: "MsgVoteResp", from: 2, to: 1, term: this.node.basicStatus().hardState.term }));
      this.carryOut();
    }
    expect(this.node.basicStatus().softState.role).toBe("StateLeader");
  }

  /** Carries out all Readys. Every message that the node sends must be encodable. */
  carryOut(): void {
    while (this.node.hasReady()) {
      const { hardState, snapshot, entries, messages } = this.node.ready();
      if (snapshot !== undefined) this.#storage.applySnapshot(snapshot);
      this.#storage.writeSync({ ...(hardState === undefined ? {} : { hardState }), entries });
      for (const m of messages) {
        const isWork = m.to === LOCAL_APPEND_THREAD || m.to === LOCAL_APPLY_THREAD;
        for (const sent of isWork ? m.responses : [m]) {
          if (sent.to === 1) this.node.step(sent);
          else encodeMessage(sent);
        }
      }
      if (!this.#isAsync) this.node.advance();
    }
  }

  /** The state that a message could have changed. */
  state(): unknown {
    const { raft } = this.node;
    return [this.node.status(), raft.log.lastIndex(), raft.electionElapsed, raft.leadTransferee, this.node.hasReady()];
  }
}

const anyOptions = fc.record({ flags: fc.boolean(), asyncStorageWrites: fc.boolean() });
const anyStart = fc.constantFrom("follower", "candidate", "leader");

/** A node in the given role, without pending work. */
function started(start: "follower" | "candidate" | "leader", options: Options): Target {
  const target = new Target(options);
  if (start === "candidate") target.node.campaign();
  if (start === "leader") target.elect();
  target.carryOut();
  return target;
}

describe("whatever comes from outside", () => {
  test("is taken or refused, and never stops a node; what is refused has changed nothing", () => {
    const property = fc.property(
      fc.array(anyHostileMessage, { minLength: 1, maxLength: 12 }),
      anyStart,
      anyOptions,
      (hostile, start, options) => {
        const target = started(start, options);
        for (const m of hostile) {
          const before = target.state();
          const outcome = target.node.step(decodeMessage(encodeMessage(m)));
          // A dropped proposal of a later term still raises the node's term.
          if (!outcome.ok && m.type !== "MsgProp") expect(target.state()).toEqual(before);
          target.carryOut();
          target.node.tick();
          target.carryOut();
        }
      },
    );
    fc.assert(property, { numRuns: 3000 });
  });

  test("may be any bytes: they are no message, or one that is taken or refused", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 80 }), anyStart, anyOptions, (bytes, start, options) => {
      const target = started(start, options);
      stepBytes(target, bytes);
    });
    fc.assert(property, { numRuns: 3000 });
  });

  test("may be a real message that was damaged on its way", () => {
    const traffic = realTraffic();
    const damage = fc.record({ at: fc.nat(), to: fc.nat({ max: 255 }), cut: fc.nat({ max: 2 }) });
    const property = fc.property(
      fc.array(fc.record({ which: fc.nat(), damage }), { minLength: 1, maxLength: 20 }),
      anyStart,
      anyOptions,
      (choices, start, options) => {
        const target = started(start, options);
        for (const { which, damage } of choices) {
          const bytes = (traffic[which % traffic.length] as Uint8Array).slice();
          if (bytes.length > 0) bytes[damage.at % bytes.length] = damage.to;
          stepBytes(target, bytes.subarray(0, bytes.length - Math.min(damage.cut, bytes.length)));
        }
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });
});

function stepBytes(target: Target, bytes: Uint8Array): void {
  let m: Message;
  try {
    m = decodeMessage(bytes);
  } catch (error) {
    if (error instanceof RaftError && error.code === "CODEC_INVALID") return;
    throw error;
  }
  target.node.step({ ...m, to: 1 });
  target.carryOut();
}

/** The bytes of all messages that three nodes exchange in normal operation. */
function realTraffic(): readonly Uint8Array[] {
  const network = new LockstepNetwork({ voters: [1, 2, 3] });
  network.elect(2);
  network.propose(3, "forwarded");
  network.isolate(1);
  network.propose(2, "missed");
  network.node(2).compact(3);
  network.heal();
  network.propose(2, "caught up with a snapshot");
  network.raw(1).readIndex(Uint8Array.of(7));
  network.raw(2).transferLeader(3);
  network.tick(2, 1);
  network.stabilize();
  const toPeers = network.sent.filter(({ from, to }) => from > 0 && to > 0 && from !== to);
  expect(new Set(toPeers.map(({ type }) => type)).size).toBeGreaterThan(8);
  return toPeers.map(encodeMessage);
}

describe("a message from a broken node, or from one that knows more than this node does", () => {
  function refused(fields: Partial<Message> & Pick<Message, "type">): unknown {
    const target = started("follower", { flags: false, asyncStorageWrites: false });
    const outcome = target.node.step(message({ from: 2, to: 1, term: 2, ...fields }));
    return outcome.ok ? "taken" : outcome.reason;
  }
  const heartbeat = (term: number) => message({ type: "MsgHeartbeat", from: 2, to: 1, term });
  const unreadable = { term: 2, index: 4, type: "EntryConfChange", data: Uint8Array.of(0xff) } as const;

  test("says so when committed entries that it acknowledged are gone", () => {
    expect(refused({ type: "MsgHeartbeat", commit: 3 })).toBe("taken");
    expect(refused({ type: "MsgHeartbeat", commit: 4 })).toBe("lost-entries");
    expect(refused({ type: "MsgHeartbeat", commit: 4, term: 1 })).toBe("taken");
  });

  test.each([
    ["an append in no term", { type: "MsgApp", term: 0 }],
    ["a heartbeat in no term", { type: "MsgHeartbeat", term: 0 }],
    [
      "a change of the configuration that cannot be read",
      { type: "MsgApp", index: 3, logTerm: 2, entries: [unreadable] },
    ],
    [
      "a snapshot of a later term than its sender's",
      { type: "MsgSnap", snapshot: { metadata: { index: 9, term: 3, confState: TRIO }, data: new Uint8Array(0) } },
    ],
    [
      "a snapshot behind which no entries would have room",
      {
        type: "MsgSnap",
        snapshot: { metadata: { index: 2 ** 52, term: 2, confState: TRIO }, data: new Uint8Array(0) },
      },
    ],
    ["a term that cannot be counted up from", { type: "MsgVote", term: Number.MAX_SAFE_INTEGER }],
    ["a heartbeat's answer of its own", { type: "MsgHeartbeatResp", from: 1 }],
    ["a refusal of its own", { type: "MsgAppResp", from: 1, reject: true }],
    ["an acknowledgement of its own, of a later term", { type: "MsgAppResp", from: 1, term: 3 }],
    ["a vote of its own, of a later term", { type: "MsgVoteResp", from: 1, term: 3 }],
    ["a vote of its own against itself", { type: "MsgVoteResp", from: 1, reject: true }],
    ["a request for a vote of its own", { type: "MsgVote", from: 1, term: 3 }],
    ["its own wish that it campaign", { type: "MsgTimeoutNow", from: 1 }],
    ["an index that cannot be counted up from", { type: "MsgVote", index: Number.MAX_SAFE_INTEGER }],
  ] as const)("is refused: %s", (_what, fields) => {
    expect(refused(fields)).toBe("malformed");
  });

  test.each(["MsgHeartbeatResp", "MsgAppResp", "MsgVoteResp"] as const)(
    "a %s of the leader itself is refused by the leader, too",
    (type) => {
      const target = started("leader", { flags: false, asyncStorageWrites: false });
      const { term } = target.node.basicStatus().hardState;
      const m = message({ type, from: 1, to: 1, term, reject: type !== "MsgHeartbeatResp", index: 1 });
      expect(target.node.step(m)).toMatchObject({ ok: false, reason: "malformed" });
    },
  );

  test("a node that one message took a step ahead is followed by its group", () => {
    const network = new LockstepNetwork({ voters: [1, 2, 3] });
    network.elect(2);
    const { term } = network.raw(1).basicStatus().hardState;
    expect(network.raw(1).step(heartbeat(term + 2 ** 32)).ok).toBe(true);
    network.stabilize();
    // The leader learns the term from the node's answer to its next heartbeat.
    network.tick(2, 1);
    network.stabilize();
    network.elect(3);
    network.elect(3);
    expect(network.propose(3, "on")).toBe(true);
    for (const { applied } of network.nodes.values()) expect(commands(applied)).toEqual(["on"]);
  });

  test("a node that knows no term yet takes its group's, however high, when it hears of it again", () => {
    const high = 2 ** 40;
    const contents = new Map([1, 2].map((id) => [id, { hardState: { term: high, vote: 0, commit: 0 } }]));
    const network = new LockstepNetwork({ voters: [1, 2, 3], contents });
    network.elect(1);
    expect(network.raw(3).basicStatus().hardState.term).toBe(0);
    for (let tick = 0; tick < 2; tick++) {
      network.tick(3, 1);
      network.tick(1, 1);
      network.stabilize();
    }
    expect(network.propose(1, "on")).toBe(true);
    expect(commands(network.node(3).applied)).toEqual(["on"]);
    expect(network.raw(3).basicStatus().hardState.term).toBe(high + 1);
  });

  test("a node that knows no term yet refuses a pre-vote by silence: it has no term to refuse in", () => {
    const storage = new MemoryStorage({
      confState: TRIO,
      snapshot: { metadata: { index: 9, term: 1, confState: TRIO }, data: new Uint8Array(0) },
    });
    const rng = seededRng(1);
    const ticks = { electionTicks: 10, heartbeatTicks: 1 };
    const node = new RawNode({ id: 1, storage, rng, ...ticks, maxMessageBytes: 0, maxInflightMessages: 1 });
    const request = message({ type: "MsgPreVote", from: 2, to: 1, term: 1, index: 5, logTerm: 1 });
    expect(node.step(request)).toEqual({ ok: true });
    expect(node.hasReady()).toBe(false);
    node.step({ ...request, index: 9 });
    expect(node.ready().messages).toMatchObject([{ type: "MsgPreVoteResp", term: 1, reject: false }]);
  });
});
