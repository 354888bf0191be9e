/** What coalesced heartbeats need of a group. None of these may throw. */
import type { GroupId, LogIndex, NodeId, Term } from "../../types.ts";

export interface HeartbeatGroup {
  readonly groupId: GroupId;
  /** Whether it leads, in `term`, and runs. */
  leads(term: Term): boolean;
  /**
   * A heartbeat from the leader of `term`. True if it is dealt with and the group's answer is "heard"; false if the group
   * answers by itself, or not at all.
   */
  heard(leader: NodeId, term: Term, commit: LogIndex): boolean;
  /** A member answered a heartbeat of `term` with nothing but that it had heard it. */
  answered(member: NodeId, term: Term): void;
}
