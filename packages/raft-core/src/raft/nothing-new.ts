/**
 * Heartbeats, and answers to them, that tell only that their sender is alive, as between idle nodes. These functions have the same
 * effect as stepping the message. A driver that sends the heartbeats of many groups together calls them without building messages.
 *
 * Invariants:
 * Z1. After `true` the state and the queued messages are as after stepping the message, except that the answer to a heartbeat is missing.
 * Z2. After `false` nothing has changed.
 */
import type { LogIndex, NodeId, Term } from "../types.ts";
import type { Raft } from "./raft.ts";

/** Follower: takes a heartbeat of the leader that it follows, with a commit index that it knows. Returns false for any other heartbeat. */
export function heardNothingNew(raft: Raft, leader: NodeId, term: Term, commit: LogIndex): boolean {
  if (raft.term !== term || raft.lead !== leader || raft.role !== "StateFollower") return false;
  if (commit > raft.log.committed) return false;
  raft.electionElapsed = 0;
  raft.leaderHeardAt = raft.ticks;
  return true;
}

/** Leader: takes a heartbeat's answer, without a read's context, of a member that lacks no entries. Returns false for any other answer. */
export function answeredNothingNew(raft: Raft, member: NodeId, term: Term): boolean {
  if (raft.term !== term || raft.role !== "StateLeader") return false;
  const progress = raft.tracker.get(member);
  if (progress === undefined) return false;
  if (progress.state !== "StateReplicate" || progress.match < raft.log.lastIndex()) return false;
  progress.recentActive = true;
  progress.msgAppFlowPaused = false;
  return true;
}
