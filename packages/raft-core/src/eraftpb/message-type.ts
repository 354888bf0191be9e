/**
 * The numbers of `eraftpb.MessageType`, and which of them may come from another node.
 *
 * raft-rs numbers its local messages, too, so they can be encoded. MsgForgetLeader and the storage messages of etcd/raft cannot.
 */
import { RaftError } from "../errors.ts";
import type { MessageType } from "../message.ts";
import { malformed } from "../wire/refusal.ts";

/** The core's name of each wire value; raft-rs's name is beside it if it differs. */
const BY_NUMBER: readonly MessageType[] = [
  "MsgHup",
  "MsgBeat",
  "MsgProp", // MsgPropose
  "MsgApp", // MsgAppend
  "MsgAppResp", // MsgAppendResponse
  "MsgVote", // MsgRequestVote
  "MsgVoteResp", // MsgRequestVoteResponse
  "MsgSnap", // MsgSnapshot
  "MsgHeartbeat",
  "MsgHeartbeatResp", // MsgHeartbeatResponse
  "MsgUnreachable",
  "MsgSnapStatus",
  "MsgCheckQuorum",
  "MsgTransferLeader",
  "MsgTimeoutNow",
  "MsgReadIndex",
  "MsgReadIndexResp",
  "MsgPreVote", // MsgRequestPreVote
  "MsgPreVoteResp", // MsgRequestPreVoteResponse
];

const NUMBERS: ReadonlyMap<MessageType, number> = new Map(BY_NUMBER.map((type, number) => [type, number]));
const LOCAL: ReadonlySet<MessageType> = new Set<MessageType>([
  "MsgHup",
  "MsgBeat",
  "MsgUnreachable",
  "MsgSnapStatus",
  "MsgCheckQuorum",
]);

/** The wire value of a type. Throws RaftError CODEC_INVALID for a type that cannot be encoded. */
export function numberOfType(type: MessageType): number {
  const number = NUMBERS.get(type);
  if (number === undefined) {
    throw new RaftError("CODEC_INVALID", `${type} cannot be encoded; it is local to a node and must not be sent.`);
  }
  return number;
}

/** The type of a wire value. Throws RaftError CODEC_INVALID for an unknown one. */
export function typeOfNumber(number: number): MessageType {
  const type = BY_NUMBER[number];
  if (type === undefined) throw malformed(`message type ${number} is unknown`);
  return type;
}

/** Whether a type can be encoded but must not be accepted from another node. */
export function isLocalType(type: MessageType): boolean {
  return LOCAL.has(type);
}
