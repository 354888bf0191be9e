/** What a running group tells about itself. Plain data, structured-cloneable. */
import type { ConfState, GroupId, LogIndex, NodeAddress, NodeId, RaftRole, Term } from "../types.ts";
import type { SnapshotTransferStatus } from "./snapshots/snapshot-transfers.ts";

/** How far the leader has brought one member. */
export interface MemberProgress {
  readonly nodeId: NodeId;
  readonly state: "StateProbe" | "StateReplicate" | "StateSnapshot";
  /** The member's log is known to match up to here. */
  readonly match: LogIndex;
  readonly recentActive: boolean;
  /** Milliseconds since it was last heard, to the tick. */
  readonly silentMs: number;
}

export interface ClusterStatus {
  readonly nodeId: NodeId;
  readonly groupId: GroupId;
  readonly role: RaftRole;
  readonly isLearner: boolean;
  /** 0 when none is known. */
  readonly leader: NodeId;
  readonly term: Term;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly snapshotIndex: LogIndex;
  readonly confState: ConfState;
  /** Members with an address; those without one are in `confState` only. */
  readonly members: readonly NodeAddress[];
  /** No id up to this one is free. */
  readonly highestNodeId: NodeId;
  /** Proposals of this node that wait. */
  readonly pendingProposals: number;
  /** Linearizable reads of this node that wait. */
  readonly pendingReads: number;
  /** Messages from outside, and entries of proposals from outside, that this node refused since it started. */
  readonly refusedMessages: number;
  /** On the leader only. */
  readonly progress: readonly MemberProgress[];
  /** Snapshots on their way from or to this node, or on the leader's behalf, at the moment. */
  readonly transfers: readonly SnapshotTransferStatus[];
}

/** What an observer of a group hears of, in order. */
export type ClusterEvent =
  /** The node knows another leader, or a later term; `leader` is 0 while it knows none. */
  | { readonly type: "leader"; readonly leader: NodeId; readonly term: Term; readonly role: RaftRole }
  /** A configuration is in force on this node, or a member has another address. */
  | { readonly type: "members"; readonly confState: ConfState; readonly members: readonly NodeAddress[] }
  /** On the leader: a member was silent for `nodeLostTicks`. */
  | { readonly type: "node-lost"; readonly nodeId: NodeId }
  /** On the leader: a member that was lost is heard again. */
  | { readonly type: "node-returned"; readonly nodeId: NodeId }
  /** This node's state was captured up to `index`, and the log before it, but for a tail, may go. */
  | { readonly type: "snapshot-taken"; readonly index: LogIndex }
  /** This node's state was replaced by a snapshot from the leader. */
  | { readonly type: "snapshot-restored"; readonly index: LogIndex }
  /** This node was removed from the configuration and will not be heard any more. */
  | { readonly type: "removed" }
  /** The node stopped because it could not go on safely: a disk that failed, say. */
  | { readonly type: "failed"; readonly error: Error };
