/**
 * The door: which messages from outside may reach consensus at all.
 *
 * A message that gets past here is one that a working node could have sent. What is refused has changed nothing. The checks
 * look at one message and the size of the log; whether a message fits the state is for the roles to say.
 */
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message } from "../message.ts";
import { type ConfState, NONE, type NodeId, type Snapshot } from "../types.ts";
import type { RefusalReason } from "./outcome.ts";
import type { Raft } from "./raft.ts";
import { isReadableChange } from "./reconfigure.ts";

/**
 * No group gets here. Terms and indexes that came from elsewhere are only ever counted up from, so that with this bound they
 * stay safe integers.
 */
export const HIGHEST_TERM_OR_INDEX = 2 ** 52;
/** A snapshot takes its receiver to its index at once. Beyond it there must be room for more entries than any group appends. */
const HIGHEST_SNAPSHOT_INDEX = 2 ** 51;

/** Why `m` is refused, or undefined when it is let in. */
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
  // Everything else belongs to a term. Without one it would pass for a local message and escape the rules about terms.
  if (m.term === 0 && raft.term > 0) return "malformed";
  // A leader that was removed still hears that its own writes are durable.
  return isResponse(m) && m.from !== raft.id && raft.tracker.get(m.from) === undefined ? "unknown-peer" : undefined;
}

/**
 * Whether a node says `m` to itself: that its own write is durable (an acknowledgement, a vote), or something of its own that others have
 * passed on and that comes back. The rest would have it answer itself.
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
  // In the first term there is nothing to compare with: what a group starts from has a term of its own.
  if (metadata.index > HIGHEST_SNAPSHOT_INDEX || (term > 0 && metadata.term > term)) return false;
  return isSound(metadata.confState);
}

/** Whether a configuration can have come from one that was in force (C1 to C3 in tracker/config.ts). */
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
 * Entries follow each other and the one they claim to follow, no term goes back or beyond the sender's, and configuration
 * changes can be read: by the time one is applied it is too late to find out that it cannot.
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
