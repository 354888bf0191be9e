/**
 * The short way of a heartbeat and its answer where there is nothing in them but that somebody is there, as between idle nodes: the same
 * effect as stepping the message, for a driver that carries the heartbeats of many groups together.
 *
 * Invariants:
 * Z1. Where it says true, the state is as after stepping the message, and so is what leaves, but for the answer to a heartbeat.
 * Z2. Where it says false, nothing has changed.
 */
import type { LogIndex, NodeId, Term } from "../types.ts";
import type { Raft } from "./raft.ts";

/** Follower: a heartbeat of the leader it knows, with a commit index that it knows. */
export function heardNothingNew(raft: Raft, leader: NodeId, term: Term, commit: LogIndex): boolean {
  if (raft.term !== term || raft.lead !== leader || raft.role !== "StateFollower") return false;
  if (commit > raft.log.committed) return false;
  raft.electionElapsed = 0;
  raft.leaderHeardAt = raft.ticks;
  return true;
}

/** Leader: an answer, without a read's context, of a member that lacks nothing. */
export function answeredNothingNew(raft: Raft, member: NodeId, term: Term): boolean {
  if (raft.term !== term || raft.role !== "StateLeader") return false;
  const progress = raft.tracker.get(member);
  if (progress === undefined) return false;
  if (progress.state !== "StateReplicate" || progress.match < raft.log.lastIndex()) return false;
  progress.recentActive = true;
  progress.msgAppFlowPaused = false;
  return true;
}
