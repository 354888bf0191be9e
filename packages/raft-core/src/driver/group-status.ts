/** Collects the status of a group from its parts. */
import type { GroupStorage } from "../ports/storage.ts";
import type { Status } from "../status.ts";
import type { GroupId, NodeId } from "../types.ts";
import type { ReplicatedState } from "./apply/replicated-state.ts";
import type { SnapshotTransferStatus } from "./snapshots/snapshot-transfers.ts";
import type { ClusterStatus } from "./status.ts";

/** The parts of a group that its status is made of. */
export interface StatusSources {
  readonly options: {
    readonly nodeId: NodeId;
    readonly groupId: GroupId;
    readonly storage: Pick<GroupStorage, "firstIndex" | "lastIndex" | "snapshot">;
    readonly timing: { readonly tickMs: number };
  };
  readonly state: Pick<ReplicatedState, "confState" | "appliedIndex" | "members">;
  readonly raw: { status(): Status };
  readonly calls: { readonly pendingProposals: number; readonly pendingReads: number };
  readonly received: { readonly refused: number };
  readonly leadership: { silentTicks(member: NodeId): number };
  readonly snapshots: { status(): readonly SnapshotTransferStatus[] };
}

/** The status of the group at this moment, as plain data. */
export function statusOf(sources: StatusSources): ClusterStatus {
  const { state, calls, received, leadership, snapshots } = sources;
  const { nodeId, groupId, storage, timing } = sources.options;
  const { softState, hardState, progress } = sources.raw.status();
  const snapshot = storage.snapshot();
  return {
    nodeId,
    groupId,
    role: softState.role,
    isLearner: state.confState.learners.includes(nodeId),
    leader: softState.lead,
    term: hardState.term,
    commit: hardState.commit,
    applied: state.appliedIndex,
    firstIndex: storage.firstIndex(),
    lastIndex: storage.lastIndex(),
    snapshotIndex: snapshot === "unavailable" ? 0 : snapshot.metadata.index,
    confState: state.confState,
    members: state.members.toRecord().addresses,
    highestNodeId: state.members.highestNodeId,
    pendingProposals: calls.pendingProposals,
    pendingReads: calls.pendingReads,
    refusedMessages: received.refused,
    progress: Array.from(progress, ([member, { state: progressState, match, recentActive }]) => ({
      nodeId: member,
      state: progressState,
      match,
      recentActive,
      silentMs: leadership.silentTicks(member) * timing.tickMs,
    })),
    transfers: snapshots.status(),
  };
}
