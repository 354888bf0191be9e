/** The status of a node, for people and for the driver. Each status describes one moment and does not change afterwards. */
import type { Raft } from "./raft/raft.ts";
import type { Config as TrackerConfig } from "./tracker/config.ts";
import type { Progress } from "./tracker/progress.ts";
import type { HardState, LogIndex, NodeId, SoftState } from "./types.ts";

/** The part of the status that costs almost nothing to make. */
export interface BasicStatus {
  readonly id: NodeId;
  readonly hardState: HardState;
  readonly softState: SoftState;
  /** Index of the last applied entry. */
  readonly applied: LogIndex;
  /** Leader: the node that leadership is being handed to. NONE otherwise. */
  readonly leadTransferee: NodeId;
}

/** The whole status. Making one copies the progress of every member: too expensive for every tick of many groups. */
export interface Status extends BasicStatus {
  readonly config: TrackerConfig;
  /** Leader: every member's progress, ascending by id. Empty otherwise. */
  readonly progress: ReadonlyMap<NodeId, Progress>;
}

/** The {@link BasicStatus} of a node at this moment. */
export function basicStatusOf(raft: Raft): BasicStatus {
  return {
    id: raft.id,
    hardState: { term: raft.term, vote: raft.vote, commit: raft.log.committed },
    softState: { lead: raft.lead, role: raft.role },
    applied: raft.log.applied,
    leadTransferee: raft.leadTransferee,
  };
}

/** The {@link Status} of a node at this moment. Copies the progress of every member. */
/** The {@link Status} of a node at this moment. Copies the progress of every member. */
export function statusOf(raft: Raft): Status {
  const progress = new Map<NodeId, Progress>();
  if (raft.role === "StateLeader") {
    for (const [id, one] of raft.tracker.progress) progress.set(id, one.clone());
  }
  return { ...basicStatusOf(raft), config: raft.tracker.config, progress };
}
