/** Status and events of a running group: plain, structured-cloneable data. */
import type { ConfState, GroupId, LogIndex, NodeAddress, NodeId, RaftRole, Term } from "../types.ts";
import type { SnapshotTransferStatus } from "./snapshots/snapshot-transfers.ts";

/** The leader's view of one member. */
export interface MemberProgress {
  readonly nodeId: NodeId;
  readonly state: "StateProbe" | "StateReplicate" | "StateSnapshot";
  /** Highest index up to which the member's log is known to equal the leader's. */
  readonly match: LogIndex;
  /** Whether the member was heard from since the last check of the quorum. */
  readonly recentActive: boolean;
  /** Milliseconds since the member was last heard, in whole ticks. */
  readonly silentMs: number;
}

/** The status of a group on one node, at one moment. */
export interface ClusterStatus {
  readonly nodeId: NodeId;
  readonly groupId: GroupId;
  readonly role: RaftRole;
  readonly isLearner: boolean;
  /** Id of the leader; 0 when none is known. */
  readonly leader: NodeId;
  readonly term: Term;
  /** The commit index. */
  readonly commit: LogIndex;
  /** Index of the last applied entry. */
  readonly applied: LogIndex;
  /** Index of the first stored entry. */
  readonly firstIndex: LogIndex;
  /** Index of the last stored entry. */
  readonly lastIndex: LogIndex;
  /** Index of the latest snapshot; 0 when there is none. */
  readonly snapshotIndex: LogIndex;
  readonly confState: ConfState;
  /** Members with an address. Members without one are only in `confState`. */
  readonly members: readonly NodeAddress[];
  /** Highest id that was ever given to a node of the group. New nodes need higher ids. */
  readonly highestNodeId: NodeId;
  /** Proposals of this node that wait. */
  readonly pendingProposals: number;
  /** Linearizable reads of this node that wait. */
  readonly pendingReads: number;
  /** Messages from outside, and entries of proposals from outside, that this node refused since it started. */
  readonly refusedMessages: number;
  /** Progress of the members. Empty unless this node leads. */
  readonly progress: readonly MemberProgress[];
  /** Snapshots that are being sent or received by this node at the moment. */
  readonly transfers: readonly SnapshotTransferStatus[];
}

/** The events of a group, in their order. */
export type ClusterEvent =
  /** The node knows another leader or a later term. `leader` is 0 while it knows none. */
  | { readonly type: "leader"; readonly leader: NodeId; readonly term: Term; readonly role: RaftRole }
  /** A configuration is in force on this node, or a member has another address. */
  | { readonly type: "members"; readonly confState: ConfState; readonly members: readonly NodeAddress[] }
  /** On the leader: a member was silent for `nodeLostTicks`. */
  | { readonly type: "node-lost"; readonly nodeId: NodeId }
  /** On the leader: a member that was lost is heard again. */
  | { readonly type: "node-returned"; readonly nodeId: NodeId }
  /** This node took a snapshot at `index`. The log up to there, except for the entries kept for followers, may be deleted. */
  | { readonly type: "snapshot-taken"; readonly index: LogIndex }
  /** This node's state was replaced by a snapshot from the leader. */
  | { readonly type: "snapshot-restored"; readonly index: LogIndex }
  /** This node was removed from the group, and the group can go on without it. */
  | { readonly type: "removed" }
  /** The node stopped because it could not go on safely, for example because a disk failed. */
  | { readonly type: "failed"; readonly error: Error };
