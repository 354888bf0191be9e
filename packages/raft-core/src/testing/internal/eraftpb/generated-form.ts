/** Encodes values with the generated code, so that tests can compare the hand-written codec with it. */
import { create, toBinary } from "@bufbuild/protobuf";
import type { Message, MessageType } from "../../../message.ts";
import {
  type ConfChange,
  type ConfChangeType,
  type ConfChangeV2,
  type ConfState,
  EMPTY_BYTES,
  type Entry,
  type HardState,
  type Snapshot,
  type SnapshotMetadata,
} from "../../../types.ts";
import {
  ConfChangeSchema,
  ConfChangeSingleSchema,
  ConfChangeTransition,
  ConfChangeV2Schema,
  ConfStateSchema,
  EntrySchema,
  EntryType,
  type ConfState as GeneratedConfState,
  type Entry as GeneratedEntry,
  type SnapshotMetadata as GeneratedMetadata,
  type Snapshot as GeneratedSnapshot,
  HardStateSchema,
  MessageSchema,
  SnapshotMetadataSchema,
  SnapshotSchema,
} from "../gen/eraftpb/eraftpb_pb.ts";

/** The numbers of raft-rs. A second table, so that a test finds a mistake in the codec's own table. */
const MESSAGE_TYPES: Readonly<Partial<Record<MessageType, number>>> = {
  MsgHup: 0,
  MsgBeat: 1,
  MsgProp: 2,
  MsgApp: 3,
  MsgAppResp: 4,
  MsgVote: 5,
  MsgVoteResp: 6,
  MsgSnap: 7,
  MsgHeartbeat: 8,
  MsgHeartbeatResp: 9,
  MsgUnreachable: 10,
  MsgSnapStatus: 11,
  MsgCheckQuorum: 12,
  MsgTransferLeader: 13,
  MsgTimeoutNow: 14,
  MsgReadIndex: 15,
  MsgReadIndexResp: 16,
  MsgPreVote: 17,
  MsgPreVoteResp: 18,
};
/** UpdateNode is not in the contract, but an open enum can carry its number. */
const CHANGE_TYPES: Readonly<Record<ConfChangeType, number>> = {
  AddNode: 0,
  RemoveNode: 1,
  AddLearnerNode: 2,
  UpdateNode: 3,
};

function entryForm(entry: Entry): GeneratedEntry {
  return create(EntrySchema, {
    entryType: EntryType[entry.type],
    term: BigInt(entry.term),
    index: BigInt(entry.index),
    data: entry.data,
    context: entry.context ?? EMPTY_BYTES,
  });
}

function confStateForm(confState: ConfState): GeneratedConfState {
  return create(ConfStateSchema, {
    voters: confState.voters.map(BigInt),
    learners: confState.learners.map(BigInt),
    votersOutgoing: confState.votersOutgoing.map(BigInt),
    learnersNext: confState.learnersNext.map(BigInt),
    autoLeave: confState.autoLeave,
  });
}

/** An empty submessage is left out, as the codec does. */
function unlessEmpty<T extends object, K extends string>(key: K, form: T, bytes: Uint8Array): { [key in K]?: T } {
  return bytes.length === 0 ? {} : ({ [key]: form } as { [key in K]?: T });
}

function metadataForm({ confState, index, term }: SnapshotMetadata): GeneratedMetadata {
  const form = confStateForm(confState);
  return create(SnapshotMetadataSchema, {
    ...unlessEmpty("confState", form, toBinary(ConfStateSchema, form)),
    index: BigInt(index),
    term: BigInt(term),
  });
}

function snapshotForm({ metadata, data }: Snapshot): GeneratedSnapshot {
  const form = metadataForm(metadata);
  return create(SnapshotSchema, { data, ...unlessEmpty("metadata", form, toBinary(SnapshotMetadataSchema, form)) });
}

/** The encoders by type. */
export const GENERATED = {
  entry: (entry: Entry): Uint8Array => toBinary(EntrySchema, entryForm(entry)),
  confState: (confState: ConfState): Uint8Array => toBinary(ConfStateSchema, confStateForm(confState)),
  metadata: (metadata: SnapshotMetadata): Uint8Array => toBinary(SnapshotMetadataSchema, metadataForm(metadata)),
  snapshot: (snapshot: Snapshot): Uint8Array => toBinary(SnapshotSchema, snapshotForm(snapshot)),
  hardState: ({ term, vote, commit }: HardState): Uint8Array =>
    toBinary(
      HardStateSchema,
      create(HardStateSchema, { term: BigInt(term), vote: BigInt(vote), commit: BigInt(commit) }),
    ),
  confChange: ({ id, type, nodeId, context }: ConfChange): Uint8Array =>
    toBinary(
      ConfChangeSchema,
      create(ConfChangeSchema, {
        id: BigInt(id),
        changeType: CHANGE_TYPES[type] as 0,
        nodeId: BigInt(nodeId),
        context,
      }),
    ),
  confChangeV2: ({ transition, changes, context }: ConfChangeV2): Uint8Array => {
    const forms = changes.map(({ type, nodeId }) =>
      create(ConfChangeSingleSchema, { changeType: CHANGE_TYPES[type] as 0, nodeId: BigInt(nodeId) }),
    );
    const form = create(ConfChangeV2Schema, { transition: ConfChangeTransition[transition], changes: forms, context });
    return toBinary(ConfChangeV2Schema, form);
  },
  message: (m: Message): Uint8Array =>
    toBinary(
      MessageSchema,
      create(MessageSchema, {
        msgType: MESSAGE_TYPES[m.type] as 0,
        to: BigInt(m.to),
        from: BigInt(m.from),
        term: BigInt(m.term),
        logTerm: BigInt(m.logTerm),
        index: BigInt(m.index),
        entries: m.entries.map(entryForm),
        commit: BigInt(m.commit),
        commitTerm: BigInt(m.commitTerm),
        ...(m.snapshot === undefined ? {} : { snapshot: snapshotForm(m.snapshot) }),
        requestSnapshot: BigInt(m.requestSnapshot),
        reject: m.reject,
        rejectHint: BigInt(m.rejectHint),
        context: m.context ?? EMPTY_BYTES,
        priority: BigInt(m.priority),
      }),
    ),
};
