/** Random values of every type that the codec encodes. Numbers are often at the edges of a varint's length. */
import fc from "fast-check";
import { type Message, type MessageType, message } from "../../../message.ts";
import type {
  ConfChange,
  ConfChangeSingle,
  ConfChangeV2,
  ConfState,
  Entry,
  HardState,
  Snapshot,
} from "../../../types.ts";

const EDGES = [
  0,
  1,
  127,
  128,
  16383,
  16384,
  2 ** 21,
  2 ** 28 - 1,
  2 ** 28,
  2 ** 31,
  2 ** 32 + 5,
  2 ** 35,
  2 ** 42,
  2 ** 49,
];
const uint = fc.oneof(fc.constantFrom(...EDGES, Number.MAX_SAFE_INTEGER), fc.nat({ max: 1000 }), fc.maxSafeNat());
const bytes = fc.uint8Array({ maxLength: 200 });
const ids = fc.array(uint, { maxLength: 6 });

/** Every type of message that can be encoded. A second list, because the tests check the codec's own one. */
export const TYPES_WITH_BYTES: readonly MessageType[] = [
  "MsgHup",
  "MsgBeat",
  "MsgProp",
  "MsgApp",
  "MsgAppResp",
  "MsgVote",
  "MsgVoteResp",
  "MsgSnap",
  "MsgHeartbeat",
  "MsgHeartbeatResp",
  "MsgUnreachable",
  "MsgSnapStatus",
  "MsgCheckQuorum",
  "MsgTransferLeader",
  "MsgTimeoutNow",
  "MsgReadIndex",
  "MsgReadIndexResp",
  "MsgPreVote",
  "MsgPreVoteResp",
];

export const anyEntry: fc.Arbitrary<Entry> = fc
  .record({
    term: uint,
    index: uint,
    type: fc.constantFrom("EntryNormal", "EntryConfChange", "EntryConfChangeV2"),
    data: bytes,
    context: fc.option(fc.uint8Array({ minLength: 1, maxLength: 30 }), { nil: undefined }),
  })
  .map(({ context, ...entry }): Entry => (context === undefined ? entry : { ...entry, context }));

export const anyConfState: fc.Arbitrary<ConfState> = fc.record({
  voters: ids,
  learners: ids,
  votersOutgoing: ids,
  learnersNext: ids,
  autoLeave: fc.boolean(),
});

export const anySnapshot: fc.Arbitrary<Snapshot> = fc.record({
  data: bytes,
  metadata: fc.record({ confState: anyConfState, index: uint, term: uint }),
});

export const anyHardState: fc.Arbitrary<HardState> = fc.record({ term: uint, vote: uint, commit: uint });

const changeType = fc.constantFrom("AddNode", "RemoveNode", "AddLearnerNode", "UpdateNode");
const single: fc.Arbitrary<ConfChangeSingle> = fc.record({ type: changeType, nodeId: uint });

export const anyConfChange: fc.Arbitrary<ConfChange> = fc.record({
  id: uint,
  type: changeType,
  nodeId: uint,
  context: bytes,
});

export const anyConfChangeV2: fc.Arbitrary<ConfChangeV2> = fc.record({
  transition: fc.constantFrom("Auto", "Implicit", "Explicit"),
  changes: fc.array(single, { maxLength: 5 }),
  context: bytes,
});

export const anyMessage: fc.Arbitrary<Message> = fc
  .record({
    type: fc.constantFrom(...TYPES_WITH_BYTES),
    to: uint,
    from: uint,
    term: uint,
    logTerm: uint,
    index: uint,
    entries: fc.array(anyEntry, { maxLength: 4 }),
    commit: uint,
    snapshot: fc.option(anySnapshot, { nil: undefined }),
    reject: fc.boolean(),
    rejectHint: uint,
    context: fc.option(fc.uint8Array({ minLength: 1, maxLength: 30 }), { nil: undefined }),
    requestSnapshot: uint,
    commitTerm: uint,
    priority: fc.oneof(uint, fc.maxSafeInteger()),
  })
  .map(message);
