/** What a node tells about itself, for people and for the driver. Snapshots of the moment: they do not change afterwards. */
import type { Raft } from "./raft/raft.ts";
import type { Config as TrackerConfig } from "./tracker/config.ts";
import type { Progress } from "./tracker/progress.ts";
import type { HardState, LogIndex, NodeId, SoftState } from "./types.ts";

/** Costs next to nothing. */
export interface BasicStatus {
  readonly id: NodeId;
  readonly hardState: HardState;
  readonly softState: SoftState;
  readonly applied: LogIndex;
  /** Leader: whom leadership is being handed to; NONE otherwise. */
  readonly leadTransferee: NodeId;
}

/** Copies what it shows; not for every tick of many groups. */
export interface Status extends BasicStatus {
  readonly config: TrackerConfig;
  /** Leader: every member's progress, ascending by id. Empty otherwise. */
  readonly progress: ReadonlyMap<NodeId, Progress>;
}

export function basicStatusOf(raft: Raft): BasicStatus {
  return {
    id: raft.id,
    hardState: { term: raft.term, vote: raft.vote, commit: raft.log.committed },
    softState: { lead: raft.lead, role: raft.role },
    applied: raft.log.applied,
    leadTransferee: raft.leadTransferee,
  };
}

export function statusOf(raft: Raft): Status {
  const progress = new Map<NodeId, Progress>();
  if (raft.role === "StateLeader") {
    for (const [id, one] of raft.tracker.progress) progress.set(id, one.clone());
  }
  return { ...basicStatusOf(raft), config: raft.tracker.config, progress };
}
