import { describe, expect, test } from "vitest";
import type { Config } from "./config.ts";
import { InvariantViolation, RaftError } from "./errors.ts";
import { entrySize } from "./log/entry-size.ts";
import { MemoryStorage } from "./memory/memory-storage.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message, message } from "./message.ts";
import { seededRng } from "./ports/rng.ts";
import { RawNode } from "./raw-node.ts";
import type { Ready } from "./ready.ts";
import { bytes, commands, entriesOfTerms } from "./testing/internal/groups/lockstep-network.ts";
import type { ConfState, Entry } from "./types.ts";

const ALONE: ConfState = { voters: [1], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
const TRIO: ConfState = { ...ALONE, voters: [1, 2, 3] };

function configOf(storage: MemoryStorage, config: Partial<Config> = {}): Config {
  return {
    id: 1,
    storage,
    rng: seededRng(1),
    electionTicks: 10,
    heartbeatTicks: 1,
    maxMessageBytes: Number.POSITIVE_INFINITY,
    maxInflightMessages: 256,
    ...config,
  };
}

/** Stores the parts of a Ready that must be durable. */
function store(storage: MemoryStorage, { hardState, entries }: Ready): void {
  if (hardState !== undefined) storage.writeSync({ hardState });
  if (entries.length > 0) storage.writeSync({ entries });
}

/** Synchronous mode: carries out all Readys; returns the applied entries. */
function run(node: RawNode, storage: MemoryStorage): Entry[] {
  const applied: Entry[] = [];
  while (node.hasReady()) {
    const ready = node.ready();
    store(storage, ready);
    applied.push(...ready.committedEntries);
    node.advance();
  }
  return applied;
}

function thread(messages: readonly Message[], to: number): Message {
  const found = messages.find((m) => m.to === to);
  if (found === undefined) throw new Error(`no message for ${to}`);
  return found;
}

describe("Ready", () => {
  test("is there only when there is something to do", () => {
    const storage = new MemoryStorage({ confState: ALONE });
    const node = new RawNode(configOf(storage));
    expect(node.hasReady()).toBe(false);
    node.campaign();
    expect(node.hasReady()).toBe(true);
    run(node, storage);
    expect(node.hasReady()).toBe(false);
  });

  test("says what must be flushed: entries, terms and votes, but not a commit index alone", () => {
    const storage = new MemoryStorage({ confState: ALONE });
    const node = new RawNode(configOf(storage));
    node.campaign();
    const flushes: boolean[] = [];
    const whats: string[] = [];
    while (node.hasReady()) {
      const ready = node.ready();
      flushes.push(ready.mustSync);
      whats.push(ready.entries.length > 0 ? "entries" : `commit ${ready.hardState?.commit}`);
      store(storage, ready);
      node.advance();
    }
    expect(whats).toEqual(["commit 0", "entries", "commit 1"]);
    expect(flushes).toEqual([true, true, false]);
  });

  test("must be followed by advance before the next one", () => {
    const storage = new MemoryStorage({ confState: ALONE });
    const node = new RawNode(configOf(storage));
    node.campaign();
    node.ready();
    expect(() => node.ready()).toThrow(InvariantViolation);
  });

  test("hands out committed entries in pages of maxCommittedBytesPerReady, losing none", () => {
    const entries = entriesOfTerms(1, 1, 1, 1, 1);
    const pageBytes = entrySize(entries[0] as Entry) * 2;
    const hardState = { term: 1, vote: 1, commit: 5 };
    const storage = new MemoryStorage({ confState: ALONE, entries, hardState });
    const node = new RawNode(configOf(storage, { maxCommittedBytesPerReady: pageBytes }));
    const pages: number[][] = [];
    while (node.hasReady()) {
      pages.push(node.ready().committedEntries.map(({ index }) => index));
      node.advance();
    }
    expect(pages).toEqual([[1, 2], [3, 4], [5]]);
  });

  test("proposes several commands as one append, which follow each other", () => {
    const storage = new MemoryStorage({ confState: ALONE });
    const node = new RawNode(configOf(storage));
    node.campaign();
    run(node, storage);
    expect(node.proposeEntries([{ data: bytes("a"), context: bytes("ctx") }, { data: bytes("b") }]).ok).toBe(true);
    const applied = run(node, storage);
    expect(commands(applied)).toEqual(["a", "b"]);
    expect(applied[0]?.context).toEqual(bytes("ctx"));
  });
});

describe("starting", () => {
  test("takes up term, vote and commit where they were left", () => {
    const hardState = { term: 4, vote: 2, commit: 2 };
    const storage = new MemoryStorage({ confState: TRIO, entries: entriesOfTerms(1, 3, 4), hardState });
    const node = new RawNode(configOf(storage, { applied: 1 }));
    expect(node.basicStatus()).toMatchObject({ hardState, applied: 1, softState: { role: "StateFollower", lead: 0 } });
    expect(node.ready().committedEntries.map(({ index }) => index)).toEqual([2]);
  });

  test("takes what was applied for committed, though the commit index was stored before that", () => {
    const hardState = { term: 1, vote: 0, commit: 0 };
    const storage = new MemoryStorage({ confState: TRIO, entries: entriesOfTerms(1, 1), hardState });
    expect(new RawNode(configOf(storage, { applied: 2 })).basicStatus().hardState.commit).toBe(2);
    expect(() => new RawNode(configOf(storage, { applied: 3 }))).toThrow(InvariantViolation);
  });

  test("takes what was compacted for committed, though the commit index was stored before that", () => {
    const hardState = { term: 1, vote: 0, commit: 1 };
    const storage = new MemoryStorage({ confState: TRIO, entries: entriesOfTerms(1, 1, 1), hardState });
    storage.writeSync({ compactTo: 3 });
    expect(new RawNode(configOf(storage)).basicStatus().hardState.commit).toBe(2);
  });

  test("refuses a stored commit index beyond the log: entries were lost", () => {
    const hardState = { term: 1, vote: 0, commit: 9 };
    const storage = new MemoryStorage({ confState: TRIO, entries: entriesOfTerms(1, 1), hardState });
    expect(() => new RawNode(configOf(storage))).toThrow(InvariantViolation);
  });

  const wrong: readonly (readonly [keyof Config, Partial<Config>])[] = [
    ["id", { id: 0 }],
    ["electionTicks", { electionTicks: 1 }],
    ["heartbeatTicks", { heartbeatTicks: 0 }],
    ["maxInflightMessages", { maxInflightMessages: 0 }],
    ["maxInflightBytes", { maxMessageBytes: 10, maxInflightBytes: 9 }],
    ["maxUncommittedBytes", { maxUncommittedBytes: 0 }],
    ["readOnly", { readOnly: "lease-based" }],
  ];
  for (const [field, config] of wrong) {
    test(`refuses a wrong ${field}, and names it`, () => {
      const create = () => new RawNode(configOf(new MemoryStorage({ confState: ALONE }), config));
      expect(create).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", details: { field } }));
      expect(create).toThrow(RaftError);
    });
  }
});

describe("messages that no working node sends", () => {
  const storage = new MemoryStorage({ confState: TRIO, hardState: { term: 2, vote: 0, commit: 0 } });
  const node = new RawNode(configOf(storage));
  const refused: readonly (readonly [string, Message, string])[] = [
    ["a local message of a peer", message({ type: "MsgHup", from: 2, to: 1 }), "local-message"],
    ["a storage report of a peer", message({ type: "MsgStorageAppendResp", from: 2, to: 1, term: 2 }), "local-message"],
    ["a response of a stranger", message({ type: "MsgAppResp", from: 9, to: 1, term: 2 }), "unknown-peer"],
    ["a proposal of nothing", message({ type: "MsgProp", from: 2, to: 1 }), "malformed"],
    ["an append outside all terms", message({ type: "MsgApp", from: 2, to: 1 }), "malformed"],
    ["a snapshot message without a snapshot", message({ type: "MsgSnap", from: 2, to: 1, term: 2 }), "malformed"],
    [
      "a snapshot whose configuration has a voter that learns",
      message({
        type: "MsgSnap",
        from: 2,
        to: 1,
        term: 2,
        snapshot: { metadata: { index: 9, term: 2, confState: { ...TRIO, learners: [2] } }, data: bytes("") },
      }),
      "malformed",
    ],
    [
      "an append with a gap",
      message({ type: "MsgApp", from: 2, to: 1, term: 2, index: 1, entries: entriesOfTerms(1) }),
      "malformed",
    ],
    [
      "an append with a term of the future",
      message({ type: "MsgApp", from: 2, to: 1, term: 2, entries: entriesOfTerms(3) }),
      "malformed",
    ],
  ];
  for (const [what, m, reason] of refused) {
    test(`are refused: ${what}`, () => {
      expect(node.step(m)).toEqual({ ok: false, reason, leaderHint: 0 });
      expect(node.hasReady()).toBe(false);
    });
  }
});

describe("asynchronous storage writes", () => {
  function follower(): { storage: MemoryStorage; node: RawNode } {
    const storage = new MemoryStorage({ confState: TRIO });
    return { storage, node: new RawNode(configOf(storage, { asyncStorageWrites: true })) };
  }

  function append(from: number, term: number, entries: readonly Entry[], commit = 0): Message {
    const first = entries[0] as Entry;
    const logTerm = first.index === 1 ? 0 : 1;
    return message({ type: "MsgApp", from, to: 1, term, index: first.index - 1, logTerm, entries, commit });
  }

  test("does not know advance", () => {
    expect(() => follower().node.advance()).toThrow(InvariantViolation);
  });

  test("applies committed entries only once they are in storage", () => {
    const { storage, node } = follower();
    node.step(append(2, 1, entriesOfTerms(1), 1));
    const first = node.ready();
    expect(first.committedEntries).toEqual([]);
    const write = thread(first.messages, LOCAL_APPEND_THREAD);
    storage.writeSync({ entries: write.entries });
    for (const response of write.responses) if (response.to === 1) node.step(response);
    const second = node.ready();
    expect(second.committedEntries.map(({ index }) => index)).toEqual([1]);
    const apply = thread(second.messages, LOCAL_APPLY_THREAD);
    expect(node.basicStatus().applied).toBe(0);
    for (const response of apply.responses) node.step(response);
    expect(node.basicStatus().applied).toBe(1);
  });

  test("bounds the bytes being applied across Readies, until they are reported applied", () => {
    const entries = entriesOfTerms(1, 1, 1);
    const storage = new MemoryStorage({ confState: TRIO, entries, hardState: { term: 1, vote: 0, commit: 3 } });
    const node = new RawNode(configOf(storage, { asyncStorageWrites: true, maxCommittedBytesPerReady: 1 }));
    const first = thread(node.ready().messages, LOCAL_APPLY_THREAD);
    expect(first.entries.map(({ index }) => index)).toEqual([1]);
    expect(node.hasReady()).toBe(false);
    for (const response of first.responses) node.step(response);
    expect(thread(node.ready().messages, LOCAL_APPLY_THREAD).entries.map(({ index }) => index)).toEqual([2]);
  });

  test("may stand for election although applied entries are compacted before their report has arrived", () => {
    const hardState = { term: 1, vote: 0, commit: 3 };
    const storage = new MemoryStorage({ confState: TRIO, entries: entriesOfTerms(1, 1, 1), hardState });
    const node = new RawNode(configOf(storage, { asyncStorageWrites: true }));
    expect(thread(node.ready().messages, LOCAL_APPLY_THREAD).entries.length).toBe(3);
    storage.writeSync({ compactTo: 3 });
    node.campaign();
    expect(node.basicStatus().softState.role).toBe("StateCandidate");
  });

  test("a change applied while a newer snapshot waits to be stored does not touch the snapshot's configuration (G3)", () => {
    const { node } = follower();
    const removal = { id: 0, type: "RemoveNode", nodeId: 3, context: bytes("") } as const;
    const confState: ConfState = { ...TRIO, voters: [1, 2, 4] };
    // Entry 1 removes node 3 and is still being applied when a snapshot arrives that includes it, and the addition of 4.
    const snapshot = { metadata: { index: 9, term: 1, confState }, data: bytes("") };
    node.step(message({ type: "MsgSnap", from: 2, to: 1, term: 1, snapshot }));
    expect(node.applyConfChange(removal).voters).toEqual([1, 2]);
    expect(node.status().config.voters.incoming.ids).toEqual([1, 2, 4]);
    for (const response of thread(node.ready().messages, LOCAL_APPEND_THREAD).responses) {
      if (response.to === 1) node.step(response);
    }
    // Once the snapshot is stored, changes apply to its configuration.
    expect(node.applyConfChange({ ...removal, nodeId: 4 }).voters).toEqual([1, 2]);
    expect(node.status().config.voters.incoming.ids).toEqual([1, 2]);
  });

  test("a report of an earlier term's write does not vouch for the entries (ABA)", () => {
    const { node } = follower();
    const entry = (term: number, text: string): Entry => ({ term, index: 1, type: "EntryNormal", data: bytes(text) });
    const reportOf = (ready: Ready) =>
      thread(ready.messages, LOCAL_APPEND_THREAD).responses.find(
        ({ type }) => type === "MsgStorageAppendResp",
      ) as Message;
    // Leader 2 (term 1) sends A, leader 3 (term 2) replaces it by B, leader 2 (term 3) replaces that by A again: three writes
    // under way at once.
    node.step(append(2, 1, [entry(1, "A")]));
    const first = reportOf(node.ready());
    node.step(append(3, 2, [entry(2, "B")]));
    const second = reportOf(node.ready());
    node.step(append(2, 3, [entry(1, "A")]));
    const third = reportOf(node.ready());
    // The first write is done, but the second is still to come: storage will hold B for a while.
    node.step(first);
    expect(node.raft.log.unstable.length).toBe(1);
    node.step(second);
    expect(node.raft.log.unstable.length).toBe(1);
    node.step(third);
    expect(node.raft.log.unstable.length).toBe(0);
  });

  test("a write that only changes the term vouches for the entries whose own report came too late", () => {
    const { node } = follower();
    node.step(append(2, 1, entriesOfTerms(1)));
    const late = thread(node.ready().messages, LOCAL_APPEND_THREAD);
    node.step(message({ type: "MsgHeartbeat", from: 3, to: 1, term: 2 }));
    const next = thread(node.ready().messages, LOCAL_APPEND_THREAD);
    for (const response of late.responses) if (response.to === 1) node.step(response);
    expect(node.raft.log.unstable.length).toBe(1);
    for (const response of next.responses) if (response.to === 1) node.step(response);
    expect(node.raft.log.unstable.length).toBe(0);
  });
});
