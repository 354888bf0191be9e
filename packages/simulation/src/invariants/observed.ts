/** A running process as the invariants see it: the core's state beside what the state was after the event before. */
import type { ConfState, LogIndex, NodeId, RaftRole, Term } from "@raftoral/raft-core";
import type { RawNode } from "@raftoral/raft-core/core";
import type { LogImage } from "../disk/log-image.ts";

/** What a process was after the latest event that may have changed it. */
export interface Remembered {
  term: Term;
  vote: NodeId;
  committed: LogIndex;
  applied: LogIndex;
  role: RaftRole;
  /** The core's configuration: another object after each change. */
  config: RawNode["raft"]["tracker"]["config"];
  /** A received snapshot waits to be stored, and the application is still at an older configuration. */
  isSuperseded: boolean;
  /** Of a leader that lost its vote, the entry that must be committed before the others can go on without it; 0 of all others. */
  votelessUntil: LogIndex;
}

export interface Observed {
  readonly id: NodeId;
  /** Which process of its node: 1 for the first. A node that was started again is another process, with another memory. */
  readonly incarnation: number;
  readonly raft: RawNode["raft"];
  /** What a crash now would leave, at least. */
  readonly platter: LogImage;
  /** How far the application has applied, which the core may hear of a little later. */
  readonly appliedIndex: LogIndex;
  /** The configuration as the application has it. */
  readonly confState: ConfState;
  readonly before: Remembered;
}

/** What `raft` is now. */
export function memoryOf(raft: RawNode["raft"]): Remembered {
  return {
    term: raft.term,
    vote: raft.vote,
    committed: raft.log.committed,
    applied: raft.log.applied,
    role: raft.role,
    config: raft.tracker.config,
    isSuperseded: raft.supersededConfState !== undefined,
    votelessUntil: leadsWithoutVote({ raft }) ? raft.lossOfVotesAt : 0,
  };
}

/** Brings `before` up to what `raft` is now. */
export function remember(before: Remembered, raft: RawNode["raft"]): void {
  before.term = raft.term;
  before.vote = raft.vote;
  before.committed = raft.log.committed;
  before.applied = raft.log.applied;
  before.role = raft.role;
  before.config = raft.tracker.config;
  before.isSuperseded = raft.supersededConfState !== undefined;
  before.votelessUntil = leadsWithoutVote({ raft }) ? raft.lossOfVotesAt : 0;
}

/** `n3.2`: the second process of node 3. */
export function nameOf({ id, incarnation }: Pick<Observed, "id" | "incarnation">): string {
  return `n${id}.${incarnation}`;
}

/** Whether a leader has lost its own vote, and leads only as long as the others need it (raft-core's removal.ts RV2). */
export function leadsWithoutVote({ raft }: Pick<Observed, "raft">): boolean {
  return raft.role === "StateLeader" && raft.lossOfVotesAt > 0 && !raft.tracker.config.voters.has(raft.id);
}
