/**
 * The one API to the cluster: who belongs to it, who leads it, and what operators change. A node and a client implement it alike; see
 * `testing/cluster-conformance.ts`.
 */
import type { NodeId, SnapshotTransferStatus } from "@raftoral/raft-core";
import type { CallOptions } from "../call-options.ts";

/** What a node does in its group at present. */
export type NodeRole = "leader" | "follower" | "candidate" | "learner";

/** A member of the cluster. */
export interface MemberInfo {
  readonly nodeId: NodeId;
  readonly address: string;
  /** A learner does not vote; the leader makes it a voter once it has caught up. */
  readonly voter: boolean;
  /** Last log index known to be on that node. Absent unless the answering node is the leader. */
  readonly match?: number;
  /** Whether the leader heard from it lately. Absent unless the answering node is the leader. */
  readonly recentlyActive?: boolean;
}

/** What a node knows of itself and its cluster. */
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
  /** Up to where the log is in the node's latest snapshot; 0 without one. */
  readonly snapshotIndex: number;
  /** Whether nothing is left to sweep of runs that were pruned or deleted. */
  readonly isSwept: boolean;
  /** What is kept of runs that have ended. */
  readonly retained: RetainedRuns;
}

/** What is kept of runs that have ended, and how much of it may be: beyond that the oldest go, however young. */
export interface RetainedRuns {
  readonly runs: number;
  readonly maxRuns: number;
  readonly bytes: number;
  readonly maxBytes: number;
  /** Ids of runs that were dropped. */
  readonly ids: number;
  readonly maxIds: number;
}

/** Options of a call that changes the cluster. */
export interface ClusterOperationOptions extends CallOptions {
  /** Why, for the audit; text of at most 10,000 characters. */
  readonly reason?: string;
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

/**
 * What can be asked of a cluster. "The node asked" is the node itself where a node implements this, and the node that answers where a client does; calls
 * that change or stop the node asked go to the first address that the client was connected with, and to no other.
 */
export interface Cluster {
  /** What the node asked knows of itself and its cluster. Needs no quorum. */
  status(options?: CallOptions): Promise<NodeStatus>;
  /** Members by id, learners included, as the node asked knows them. Needs no quorum. */
  members(options?: CallOptions): Promise<readonly MemberInfo[]>;
  /** Resolves with the leader once the node asked knows one. Rejects with NO_LEADER when it knows none in time. */
  waitForLeader(options?: CallOptions): Promise<NodeId>;
  /** Hands the leadership to a voter, or to the one furthest ahead. Resolves with the one that leads then. Rejects with NODE_UNKNOWN or NODE_REMOVED. */
  transferLeadership(to?: NodeId, options?: ClusterOperationOptions): Promise<NodeId>;
  /**
   * Removes a member for good, such as one that will not come back; its runs go to others. Without an id the node asked leaves: it hands over its
   * runs and the leadership, and stops afterwards. Resolves with the id of the removed node. Rejects with NODE_UNKNOWN, NODE_REMOVED or LAST_MEMBER.
   */
  removeNode(nodeId?: NodeId, options?: ClusterOperationOptions): Promise<NodeId>;
  /**
   * Has the node asked back itself up on its own machine, under `name` in its `backupDir`. The backup goes on when the time is over. Rejects with
   * BACKUP_REFUSED, REQUEST_INVALID, STORAGE_TARGET_NOT_EMPTY or STORAGE_FULL.
   */
  backUp(name: string, options?: ClusterOperationOptions): Promise<BackupSummary>;
}
