/**
 * What a node says about itself and its cluster.
 */
import type { NodeId, SnapshotTransferStatus } from "@raftoral/raft-core";

export type NodeRole = "leader" | "follower" | "candidate" | "learner";

export interface MemberInfo {
  readonly nodeId: NodeId;
  readonly address: string;
  /** A learner does not vote; the leader makes it a voter once it has caught up. */
  readonly voter: boolean;
  /** Last log index known to be on that node. Only the leader knows it: without the property nobody was asked who does. */
  readonly match?: number;
  /** Whether the leader heard from it lately. Only the leader knows it. */
  readonly recentlyActive?: boolean;
}

export interface NodeStatus {
  readonly clusterId: string;
  readonly nodeId: NodeId;
  /** Where others reach it. */
  readonly address: string;
  readonly role: NodeRole;
  /** 0 when none is known: an election is under way, or there is no quorum. */
  readonly leader: NodeId;
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** By id. */
  readonly members: readonly MemberInfo[];
  /** Runs of the cluster that have not ended, as far as this node has applied the log. */
  readonly runningRuns: number;
  /** Those of them that this node executes. */
  readonly ownedRuns: number;
  /** `type@version` of the workflows registered here, sorted. */
  readonly workflows: readonly string[];
  /** Version of the software. */
  readonly version: string;
  /** Snapshots on their way at the moment, from or to this node or in its place. */
  readonly transfers: readonly SnapshotTransferStatus[];
}

/** A backup of a node. */
export interface BackupSummary {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  /** The backup's folder, on the node's machine. */
  readonly path: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly files: number;
  readonly bytes: number;
  /** How far the log of each group goes in it. */
  readonly groups: readonly { readonly group: number; readonly commit: number; readonly lastIndex: number }[];
}
