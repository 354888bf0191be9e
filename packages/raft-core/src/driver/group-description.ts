/** The description that a group gives to callers outside of it (`Discover`). */
import type { GroupDescription } from "../ports/peer-transport.ts";
import type { ConfState, NodeId, RaftRole } from "../types.ts";

/** The facts that a description is made of. */
export interface DescribedGroup {
  readonly nodeId: NodeId;
  readonly role: RaftRole;
  readonly leader: NodeId;
  readonly confState: ConfState;
  readonly highestNodeId: NodeId;
}

/** The description of a group. A pre-candidate counts as a candidate. A learner is always described as a learner. */
export function describeGroup({ nodeId, role, leader, confState, highestNodeId }: DescribedGroup): GroupDescription {
  const plain = role === "StateLeader" ? "LEADER" : role === "StateFollower" ? "FOLLOWER" : "CANDIDATE";
  return {
    role: confState.learners.includes(nodeId) ? "LEARNER" : plain,
    leader,
    highestKnownNodeId: highestNodeId,
  };
}
