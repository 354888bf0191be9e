/**
 * The one message type of the core: everything that is stepped into a RawNode and everything that comes out of it.
 *
 * Names are etcd/raft's; the wire names of raft-rs (MsgAppend, MsgRequestVote, ...) exist only inside `eraftpb/`.
 */
import type { Entry, LogIndex, NodeId, Snapshot, Term } from "./types.ts";

/** Messages that travel between nodes. */
export type PeerMessageType =
  | "MsgProp"
  | "MsgApp"
  | "MsgAppResp"
  | "MsgVote"
  | "MsgVoteResp"
  | "MsgSnap"
  | "MsgHeartbeat"
  | "MsgHeartbeatResp"
  | "MsgTransferLeader"
  | "MsgTimeoutNow"
  | "MsgReadIndex"
  | "MsgReadIndexResp"
  | "MsgPreVote"
  | "MsgPreVoteResp";

/** Messages that never leave the node: stepped in by the node's driver, or exchanged with the node's storage. */
export type LocalMessageType =
  | "MsgHup"
  | "MsgBeat"
  | "MsgUnreachable"
  | "MsgSnapStatus"
  | "MsgCheckQuorum"
  | "MsgForgetLeader"
  | "MsgStorageAppend"
  | "MsgStorageAppendResp"
  | "MsgStorageApply"
  | "MsgStorageApplyResp";

/** Every type of message. */
export type MessageType = PeerMessageType | LocalMessageType;

/** Target of MsgStorageAppend. Negative, so that no node has this id. Never encoded. */
export const LOCAL_APPEND_THREAD: NodeId = -1;
/** Target of MsgStorageApply. Negative, so that no node has this id. Never encoded. */
export const LOCAL_APPLY_THREAD: NodeId = -2;

/** Every field is always present (one hidden class, no megamorphic reads); build messages with {@link message}. */
export interface Message {
  readonly type: MessageType;
  readonly to: NodeId;
  readonly from: NodeId;
  /** 0 on messages that carry no term: MsgProp, MsgReadIndex and local ones. */
  readonly term: Term;
  /** Term of the entry at `index`. */
  readonly logTerm: Term;
  readonly index: LogIndex;
  readonly entries: readonly Entry[];
  readonly commit: LogIndex;
  /** MsgStorageAppend only: the vote to persist. */
  readonly vote: NodeId;
  readonly snapshot: Snapshot | undefined;
  readonly reject: boolean;
  readonly rejectHint: LogIndex;
  readonly context: Uint8Array | undefined;
  /** The messages to deliver once the write is durable (MsgStorageAppend) or the entries are applied (MsgStorageApply). */
  readonly responses: readonly Message[];
  /** MsgVote, MsgPreVote and their answers: term of the entry at `commit`, or 0 when the message tells no commit index (`election.ts E4`). */
  readonly commitTerm: Term;
  /** Carried for raft-rs peers; the core does not use it. */
  readonly requestSnapshot: LogIndex;
  /** Carried for raft-rs peers; the core does not use it. */
  readonly priority: number;
}

const NO_ENTRIES: readonly Entry[] = Object.freeze([]);
const NO_MESSAGES: readonly Message[] = Object.freeze([]);

/** A message with every field set. Fields that `fields` leaves out are zero, false, empty or undefined. */
export function message(fields: Partial<Message> & Pick<Message, "type">): Message {
  return {
    type: fields.type,
    to: fields.to ?? 0,
    from: fields.from ?? 0,
    term: fields.term ?? 0,
    logTerm: fields.logTerm ?? 0,
    index: fields.index ?? 0,
    entries: fields.entries ?? NO_ENTRIES,
    commit: fields.commit ?? 0,
    vote: fields.vote ?? 0,
    snapshot: fields.snapshot,
    reject: fields.reject ?? false,
    rejectHint: fields.rejectHint ?? 0,
    context: fields.context,
    responses: fields.responses ?? NO_MESSAGES,
    commitTerm: fields.commitTerm ?? 0,
    requestSnapshot: fields.requestSnapshot ?? 0,
    priority: fields.priority ?? 0,
  };
}
