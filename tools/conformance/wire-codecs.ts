// The codecs that wire vectors are checked with: the ones this project runs on, not generated code.

import { message } from "@raftoral/raft-core/core";
import { decodeCommand, encodeCommand, type WorkflowCommand } from "@raftoral/workflow";
import * as eraftpb from "../../packages/raft-core/src/eraftpb/index.ts";
import {
  EntrySchema,
  MessageSchema,
  SnapshotMetadataSchema,
  SnapshotSchema,
} from "../../packages/raft-core/src/testing/internal/gen/eraftpb/eraftpb_pb.ts";
import { varintBytes, writeVarint } from "../../packages/raft-core/src/wire/varint.ts";
import * as service from "../../packages/transport-grpc/src/wire/raft-service-codec.ts";
import { type Domain, enumOf, type Fields, fromHex, type Table, toDomain, toFields, toHex } from "./fields.ts";
import { withDetails } from "./wire-details.ts";

export interface WireCodec {
  encode(fields: Fields): Uint8Array;
  decode(bytes: Uint8Array): Fields;
}

/** A codec whose domain type is described by a table. */
function codec<T extends object>(
  table: Table,
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array) => T,
): WireCodec {
  return {
    encode: (fields) => encode(toDomain(table, fields) as T),
    decode: (bytes) => toFields(table, decode(bytes)),
  };
}

const ENTRY: Table = [
  ["entry_type", "type", enumOf("EntryNormal", "EntryConfChange", "EntryConfChangeV2")],
  ["term", "term", "uint"],
  ["index", "index", "uint"],
  ["data", "data", "bytes"],
  ["context", "context", "optional-bytes"],
];
const CONF_STATE: Table = [
  ["voters", "voters", "uints"],
  ["learners", "learners", "uints"],
  ["voters_outgoing", "votersOutgoing", "uints"],
  ["learners_next", "learnersNext", "uints"],
  ["auto_leave", "autoLeave", "bool"],
];
const METADATA: Table = [
  ["conf_state", "confState", { message: CONF_STATE, presence: "always" }],
  ["index", "index", "uint"],
  ["term", "term", "uint"],
];
const SNAPSHOT: Table = [
  ["data", "data", "bytes"],
  ["metadata", "metadata", { message: METADATA, presence: "always" }],
];
const HARD_STATE: Table = [
  ["term", "term", "uint"],
  ["vote", "vote", "uint"],
  ["commit", "commit", "uint"],
];
const CHANGE_TYPE = enumOf("AddNode", "RemoveNode", "AddLearnerNode");
const CONF_CHANGE: Table = [
  ["id", "id", "uint"],
  ["change_type", "type", CHANGE_TYPE],
  ["node_id", "nodeId", "uint"],
  ["context", "context", "bytes"],
];
const CONF_CHANGE_SINGLE: Table = [
  ["change_type", "type", CHANGE_TYPE],
  ["node_id", "nodeId", "uint"],
];
const CONF_CHANGE_V2: Table = [
  ["transition", "transition", enumOf("Auto", "Implicit", "Explicit")],
  ["changes", "changes", { message: CONF_CHANGE_SINGLE, presence: "repeated" }],
  ["context", "context", "bytes"],
];
/** raft-rs's names and this project's, in the order of their numbers. */
const MESSAGE_TYPES: readonly (readonly [proto: string, domain: string])[] = [
  ["MsgHup", "MsgHup"],
  ["MsgBeat", "MsgBeat"],
  ["MsgPropose", "MsgProp"],
  ["MsgAppend", "MsgApp"],
  ["MsgAppendResponse", "MsgAppResp"],
  ["MsgRequestVote", "MsgVote"],
  ["MsgRequestVoteResponse", "MsgVoteResp"],
  ["MsgSnapshot", "MsgSnap"],
  ["MsgHeartbeat", "MsgHeartbeat"],
  ["MsgHeartbeatResponse", "MsgHeartbeatResp"],
  ["MsgUnreachable", "MsgUnreachable"],
  ["MsgSnapStatus", "MsgSnapStatus"],
  ["MsgCheckQuorum", "MsgCheckQuorum"],
  ["MsgTransferLeader", "MsgTransferLeader"],
  ["MsgTimeoutNow", "MsgTimeoutNow"],
  ["MsgReadIndex", "MsgReadIndex"],
  ["MsgReadIndexResp", "MsgReadIndexResp"],
  ["MsgRequestPreVote", "MsgPreVote"],
  ["MsgRequestPreVoteResponse", "MsgPreVoteResp"],
];
const MESSAGE: Table = [
  [
    "msg_type",
    "type",
    { proto: MESSAGE_TYPES.map(([proto]) => proto), domain: MESSAGE_TYPES.map(([, domain]) => domain) },
  ],
  ["to", "to", "uint"],
  ["from", "from", "uint"],
  ["term", "term", "uint"],
  ["log_term", "logTerm", "uint"],
  ["index", "index", "uint"],
  ["entries", "entries", { message: ENTRY, presence: "repeated" }],
  ["commit", "commit", "uint"],
  ["commit_term", "commitTerm", "uint"],
  ["snapshot", "snapshot", { message: SNAPSHOT, presence: "optional" }],
  ["request_snapshot", "requestSnapshot", "uint"],
  ["reject", "reject", "bool"],
  ["reject_hint", "rejectHint", "uint"],
  ["context", "context", "optional-bytes"],
  ["priority", "priority", "uint"],
];

/** The first contract's commands: proto name, kind, fields, and what the domain adds to them. */
const COMMANDS: readonly (readonly [proto: string, kind: WorkflowCommand["kind"], table: Table, added: Domain])[] = [
  [
    "workflow_start",
    "WorkflowStart",
    [
      ["workflow_id", "runId", "string"],
      ["workflow_type", "workflowType", "string"],
      ["version", "version", "uint"],
      ["input", "input", "bytes"],
      ["owner_node_id", "owner", "uint"],
    ],
    { atMs: 0, seed: new Uint8Array(0) },
  ],
  [
    "workflow_end",
    "WorkflowEnd",
    [
      ["workflow_id", "runId", "string"],
      ["result", "result", "bytes"],
    ],
    { atMs: 0, owner: 0, epoch: 0 },
  ],
  [
    "checkpoint",
    "Checkpoint",
    [
      ["workflow_id", "runId", "string"],
      ["key", "path", "string"],
      ["value", "value", "bytes"],
    ],
    { atMs: 0, owner: 0, epoch: 0, recordKind: "step" },
  ],
  [
    "owner_change",
    "OwnerChange",
    [
      ["workflow_id", "runId", "string"],
      ["old_owner_node_id", "oldOwner", "uint"],
      ["new_owner_node_id", "newOwner", "uint"],
      ["reason", "reason", { proto: ["NODE_FAILURE", "LOAD_BALANCING"], domain: ["node-failure", "load-balancing"] }],
    ],
    { atMs: 0, epoch: 0 },
  ],
];

const workflowCommand: WireCodec = {
  encode(fields) {
    for (const [proto, kind, table, added] of COMMANDS) {
      const value = fields[proto];
      if (value === undefined) continue;
      const domain: Domain = { kind, ...toDomain(table, value as Fields), ...added };
      // A run's result is part of its outcome in the domain.
      if (kind === "WorkflowEnd") domain.outcome = { status: "completed", result: domain.result };
      return encodeCommand(domain as unknown as WorkflowCommand);
    }
    throw new Error(`the codec has no command ${Object.keys(fields).join(", ")}`);
  },
  decode(bytes) {
    const command = decodeCommand(bytes);
    for (const [proto, kind, table] of COMMANDS) {
      if (command.kind !== kind) continue;
      const outcome = command.kind === "WorkflowEnd" ? command.outcome : {};
      return { [proto]: toFields(table, { ...command, ...outcome }) };
    }
    throw new Error(`${command.kind} is not a command of the first contract`);
  },
};

const raftMessage: WireCodec = {
  encode: ({ raft_message: raft, command }) =>
    service.encodeRaftMessage({
      ...(raft === undefined ? {} : { raftMessage: fromHex(raft as string) }),
      ...(command === undefined ? {} : { command: workflowCommand.encode(command as Fields) }),
    }),
  decode(bytes) {
    const { raftMessage: raft, command } = service.decodeRaftMessage(bytes);
    return {
      ...(raft === undefined ? {} : { raft_message: toHex(raft) }),
      ...(command === undefined ? {} : { command: workflowCommand.decode(command) }),
    };
  },
};

const MESSAGE_RESPONSE: Table = [
  ["success", "success", "bool"],
  ["error", "error", "string"],
];
const DISCOVERY_RESPONSE: Table = [
  ["node_id", "nodeId", "uint"],
  ["role", "role", enumOf("FOLLOWER", "CANDIDATE", "LEADER", "LEARNER")],
  ["highest_known_node_id", "highestKnownNodeId", "uint"],
  ["address", "address", "string"],
];

const peerMessage = codec(
  MESSAGE,
  (value: Parameters<typeof message>[0]) => eraftpb.encodeMessage(message(value)),
  eraftpb.decodeMessage,
);
const snapshotMetadata = codec(METADATA, eraftpb.encodeSnapshotMetadata, eraftpb.decodeSnapshotMetadata);
const confChangeV2 = codec(CONF_CHANGE_V2, eraftpb.encodeConfChangeV2, eraftpb.decodeConfChangeV2);

/** Wire type of a field that has its length in front. */
const LENGTH_DELIMITED = 2;

/** The codec of a message that only ever travels inside of another one, as the field `name` of number `field` (below 16). */
function inside(outer: WireCodec, name: string, field: number, presence: "single" | "repeated"): WireCodec {
  return {
    encode(fields) {
      const bytes = outer.encode({ [name]: presence === "single" ? fields : [fields] });
      // A tag of one byte, and the length: what follows is the message.
      let at = 1;
      while ((bytes[at] as number) >= 0x80) at++;
      return bytes.subarray(at + 1);
    },
    decode(bytes) {
      const head = 1 + varintBytes(bytes.length);
      const framed = new Uint8Array(head + bytes.length);
      framed[0] = field * 8 + LENGTH_DELIMITED;
      writeVarint(framed, 1, bytes.length);
      framed.set(bytes, head);
      const found = outer.decode(framed)[name];
      return (presence === "single" ? found : (found as readonly Fields[])[0]) as Fields;
    },
  };
}

/** By full name of the message. */
export const WIRE_CODECS: ReadonlyMap<string, WireCodec> = new Map([
  ["eraftpb.Message", withDetails(MessageSchema, peerMessage)],
  ["eraftpb.Entry", withDetails(EntrySchema, codec(ENTRY, eraftpb.encodeEntry, eraftpb.decodeEntry))],
  ["eraftpb.Snapshot", withDetails(SnapshotSchema, codec(SNAPSHOT, eraftpb.encodeSnapshot, eraftpb.decodeSnapshot))],
  ["eraftpb.SnapshotMetadata", withDetails(SnapshotMetadataSchema, snapshotMetadata)],
  ["eraftpb.ConfState", codec(CONF_STATE, eraftpb.encodeConfState, eraftpb.decodeConfState)],
  ["eraftpb.HardState", codec(HARD_STATE, eraftpb.encodeHardState, eraftpb.decodeHardState)],
  ["eraftpb.ConfChange", codec(CONF_CHANGE, eraftpb.encodeConfChange, eraftpb.decodeConfChange)],
  ["eraftpb.ConfChangeSingle", inside(confChangeV2, "changes", 2, "repeated")],
  ["eraftpb.ConfChangeV2", confChangeV2],
  ["raftoral.WorkflowStart", inside(workflowCommand, "workflow_start", 1, "single")],
  ["raftoral.WorkflowEnd", inside(workflowCommand, "workflow_end", 2, "single")],
  ["raftoral.Checkpoint", inside(workflowCommand, "checkpoint", 3, "single")],
  ["raftoral.OwnerChange", inside(workflowCommand, "owner_change", 4, "single")],
  ["raftoral.WorkflowCommand", workflowCommand],
  ["raftoral.RaftMessage", raftMessage],
  ["raftoral.MessageResponse", codec(MESSAGE_RESPONSE, service.encodeMessageResponse, service.decodeMessageResponse)],
  // It has no fields, and the server does not look at it.
  [
    "raftoral.DiscoveryRequest",
    codec(
      [],
      () => new Uint8Array(0),
      () => ({}),
    ),
  ],
  [
    "raftoral.DiscoveryResponse",
    codec(DISCOVERY_RESPONSE, service.encodeDiscoveryResponse, service.decodeDiscoveryResponse),
  ],
]);
