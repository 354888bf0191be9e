/** What an implementation of {@link Cluster} has to do itself; `checked-cluster.ts` has the rest. Every call keeps its limit. */
import type { NodeId } from "@raftoral/raft-core";
import type { CallLimit } from "../call-options.ts";
import type { BackupSummary, NodeStatus } from "./cluster.ts";

/** The calls that differ. Ids are checked before; undefined stands for the node asked, or for the voter furthest ahead. */
export interface ClusterPort {
  status(limit: CallLimit): Promise<NodeStatus>;
  waitForLeader(limit: CallLimit): Promise<NodeId>;
  transferLeadership(to: NodeId | undefined, reason: string, limit: CallLimit): Promise<NodeId>;
  removeNode(nodeId: NodeId | undefined, reason: string, limit: CallLimit): Promise<NodeId>;
  backUp(name: string, reason: string, limit: CallLimit): Promise<BackupSummary>;
}
