/** What a group says of itself to who asks for it from outside. */

import type { GroupDescription } from "../ports/peer-transport.ts";
import type { RawNode } from "../raw-node.ts";
import type { NodeId } from "../types.ts";
import type { ReplicatedState } from "./apply/replicated-state.ts";
import type { Leadership } from "./membership/leadership.ts";

export interface DescribedGroup {
  readonly options: { readonly nodeId: NodeId };
  readonly raw: RawNode;
  readonly state: ReplicatedState;
  readonly leadership: Leadership;
}

export function describeGroup({ options, raw, state, leadership }: DescribedGroup): GroupDescription {
  const { role } = raw.basicStatus().softState;
  const isLearner = state.confState.learners.includes(options.nodeId);
  const plain = role === "StateLeader" ? "LEADER" : role === "StateFollower" ? "FOLLOWER" : "CANDIDATE";
  return {
    role: isLearner ? "LEARNER" : plain,
    leader: leadership.leader,
    highestKnownNodeId: state.members.highestNodeId,
  };
}
