/** What a group says of itself to anybody who asks from outside (`Discover`). */
import type { GroupDescription } from "../ports/peer-transport.ts";
import type { ConfState, NodeId, RaftRole } from "../types.ts";

/** What a description is made of. */
export interface DescribedGroup {
  readonly nodeId: NodeId;
  readonly role: RaftRole;
  readonly leader: NodeId;
  readonly confState: ConfState;
  readonly highestNodeId: NodeId;
}

/** A candidate is one in any phase of its campaign; a learner is one whatever else it is. */
export function describeGroup({ nodeId, role, leader, confState, highestNodeId }: DescribedGroup): GroupDescription {
  const plain = role === "StateLeader" ? "LEADER" : role === "StateFollower" ? "FOLLOWER" : "CANDIDATE";
  return {
    role: confState.learners.includes(nodeId) ? "LEARNER" : plain,
    leader,
    highestKnownNodeId: highestNodeId,
  };
}
