/**
 * Admission: which messages from outside may reach consensus.
 *
 * Every admitted message is one that a working node could have sent. A refused message has changed nothing. The checks
 * read one message and the size of the log; whether the message fits the state is checked by the roles.
 */
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message } from "../message.ts";
import { type ConfState, NONE, type NodeId, type Snapshot } from "../types.ts";
import type { RefusalReason } from "./outcome.ts";
import type { Raft } from "./raft.ts";
import { isReadableChange } from "./reconfigure.ts";

/**
 * Highest term or index that a message may carry. No group reaches it. A node only ever counts up from received terms and indexes, so
 * with this bound they stay safe integers.
 */
export const HIGHEST_TERM_OR_INDEX = 2 ** 52;
/** Highest index of a snapshot. Its receiver continues from there, so there must be room behind it for more entries than any group appends. */
const HIGHEST_SNAPSHOT_INDEX = 2 ** 51;

/** Why `m` is refused; undefined when it is admitted. */
export function refusalOf(raft: Raft, m: Message): RefusalReason | undefined {
  if (m.term > HIGHEST_TERM_OR_INDEX || m.index > HIGHEST_TERM_OR_INDEX) return "malformed";
  if (m.term > raft.term && !raft.termDoubt.takes(m.term, raft.term, raft.ticks)) return "doubtful-term";
  if (m.from === raft.id && !isOfOneself(raft, m)) return "malformed";
  const fromThread = isThread(m.from);
  switch (m.type) {
    case "MsgHup":
    case "MsgBeat":
    case "MsgUnreachable":
    case "MsgSnapStatus":
    case "MsgCheckQuorum":
    case "MsgForgetLeader":
    case "MsgStorageAppend":
    case "MsgStorageAppendResp":
    case "MsgStorageApply":
    case "MsgStorageApplyResp":
      return fromThread ? undefined : "local-message";
    case "MsgProp":
      return m.entries.length > 0 ? undefined : "malformed";
    case "MsgReadIndex":
      return m.entries.length === 1 ? undefined : "malformed";
    case "MsgTransferLeader":
      return undefined;
    case "MsgAppResp":
      if (m.term === raft.term && m.index > raft.log.lastIndex() && raft.role === "StateLeader") return "malformed";
      break;
    case "MsgApp":
      if (m.term === 0 || !isContinuation(m)) return "malformed";
      break;
    case "MsgHeartbeat":
      if (m.term === 0) return "malformed";
      // A leader tells each member at most what that member has acknowledged.
      if (m.term >= raft.term && m.commit > raft.log.lastIndex()) return "lost-entries";
      break;
    case "MsgSnap":
      if (m.snapshot === undefined || !isPossible(m.snapshot, m)) return "malformed";
      break;
    case "MsgVote":
    case "MsgPreVote":
      if (m.term === 0) return "malformed";
      break;
  }
  // Every other message belongs to a term. A message without one would pass for a local message and escape the rules about terms.
  if (m.term === 0 && raft.term > 0) return "malformed";
  // A leader that was removed must still learn that its own writes are durable.
  return isResponse(m) && m.from !== raft.id && raft.tracker.get(m.from) === undefined ? "unknown-peer" : undefined;
}

/**
 * Whether a node may receive `m` from itself: the report that its own write is durable (an acknowledgement, a vote), or a request of its own
 * that other nodes forwarded back to it. Any other message would make the node answer itself.
 */
function isOfOneself(raft: Raft, m: Message): boolean {
  switch (m.type) {
    case "MsgAppResp":
    case "MsgVoteResp":
      return !m.reject && m.term <= raft.term;
    case "MsgPreVoteResp":
      return !m.reject;
    case "MsgProp":
    case "MsgReadIndex":
    case "MsgTransferLeader":
      return true;
    default:
      return false;
  }
}

function isThread(id: NodeId): boolean {
  return id === LOCAL_APPEND_THREAD || id === LOCAL_APPLY_THREAD;
}

function isResponse(m: Message): boolean {
  switch (m.type) {
    case "MsgAppResp":
    case "MsgVoteResp":
    case "MsgPreVoteResp":
    case "MsgHeartbeatResp":
    case "MsgReadIndexResp":
      return true;
    default:
      return false;
  }
}

function isPossible({ metadata }: Snapshot, { term }: Message): boolean {
  // At term 0 there is nothing to compare with: the snapshot that a group begins with has a term of its own.
  if (metadata.index > HIGHEST_SNAPSHOT_INDEX || (term > 0 && metadata.term > term)) return false;
  return isSound(metadata.confState);
}

/** Whether a configuration can have been in force (C1 to C3 in tracker/config.ts). */
function isSound({ voters, learners, votersOutgoing, learnersNext, autoLeave }: ConfState): boolean {
  const isJoint = votersOutgoing.length > 0;
  const everyone = new Set([...voters, ...votersOutgoing]);
  return (
    voters.length > 0 &&
    [voters, learners, votersOutgoing, learnersNext].every(
      (ids) => new Set(ids).size === ids.length && !ids.includes(NONE),
    ) &&
    learners.every((id) => !everyone.has(id)) &&
    learnersNext.every((id) => votersOutgoing.includes(id) && !voters.includes(id)) &&
    (isJoint || !autoLeave)
  );
}

/**
 * Whether the entries follow each other and the entry at `index`, no term decreases or exceeds the sender's, and every configuration
 * change can be decoded. A change that cannot be decoded must be refused here, because it could not be refused once it is committed.
 */
function isContinuation(m: Message): boolean {
  let index = m.index;
  let term = m.logTerm;
  for (const entry of m.entries) {
    index += 1;
    if (entry.index !== index || entry.term < term || !isReadableChange(entry)) return false;
    term = entry.term;
  }
  return term <= m.term;
}
