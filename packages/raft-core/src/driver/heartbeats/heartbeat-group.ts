/** The interface between coalesced heartbeats and a group. */
import type { GroupId, LogIndex, NodeId, Term } from "../../types.ts";

/** A group as coalesced heartbeats see it. No method may throw. */
export interface HeartbeatGroup {
  readonly groupId: GroupId;
  /** Whether the group runs and this node leads it in `term`. */
  leads(term: Term): boolean;
  /**
   * Takes a heartbeat of the leader of `term`. Returns true if the heartbeat told nothing new, so that the common answer may speak for the
   * group. Returns false if the group answers by itself or not at all.
   */
  heard(leader: NodeId, term: Term, commit: LogIndex): boolean;
  /** Takes a member's answer to a heartbeat of `term`, which tells only that the member is alive. */
  answered(member: NodeId, term: Term): void;
}
