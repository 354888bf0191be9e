/** What a running group tells about itself. Plain data, structured-cloneable. */
import type { ConfState, GroupId, LogIndex, NodeAddress, NodeId, RaftRole, Term } from "../types.ts";
import type { SnapshotTransferStatus } from "./snapshot-transfers.ts";

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
  /** On the leader only. */
  readonly progress: readonly MemberProgress[];
  /** Snapshots on their way from or to this node, or on the leader's behalf, at the moment. */
  readonly transfers: readonly SnapshotTransferStatus[];
}

/** What an observer of a group hears of, in order. */
export type ClusterEvent =
  | { readonly type: "leader"; readonly leader: NodeId; readonly term: Term; readonly role: RaftRole }
  | { readonly type: "members"; readonly confState: ConfState; readonly members: readonly NodeAddress[] }
  | { readonly type: "node-lost"; readonly nodeId: NodeId }
  | { readonly type: "node-returned"; readonly nodeId: NodeId }
  | { readonly type: "snapshot-restored"; readonly index: LogIndex }
  /** This node was removed from the configuration and will not be heard any more. */
  | { readonly type: "removed" }
  /** The node stopped because it could not go on safely. */
  | { readonly type: "failed"; readonly error: Error };
