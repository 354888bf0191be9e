/**
 * The state that the driver itself replicates: sessions, members, the configuration, and the index up to which they and the executor are applied.
 * Only the apply thread and the restoring of a snapshot change it.
 */
import {
  type ConfState,
  EMPTY_CONF_STATE,
  type LogIndex,
  type NodeId,
  type SnapshotMetadata,
  type Term,
} from "../../types.ts";
import { Members, membersOf } from "../membership/members.ts";
import type { SnapshotHeader } from "../snapshots/snapshot-header.ts";
import { Sessions } from "./sessions.ts";

/** The driver's replicated state of one group on one node. */
export class ReplicatedState {
  readonly sessions = new Sessions();
  readonly members = new Members();
  #confState: ConfState = EMPTY_CONF_STATE;
  #memberIds: readonly NodeId[] = [];
  /** Index of the last applied entry. */
  appliedIndex: LogIndex = 0;
  /** Term of the last applied entry. */
  appliedTerm: Term = 0;
  /** Index of the last command that the executor has, from the log or from a snapshot. */
  commandIndex: LogIndex = 0;

  /** The configuration as of `appliedIndex`. */
  get confState(): ConfState {
    return this.#confState;
  }

  set confState(confState: ConfState) {
    this.#confState = confState;
    this.#memberIds = membersOf(confState);
  }

  /** Every id in {@link confState}, ascending. Kept, because each tick reads it. */
  get memberIds(): readonly NodeId[] {
    return this.#memberIds;
  }

  /** The metadata of a snapshot taken now. */
  metadata(): SnapshotMetadata {
    return { index: this.appliedIndex, term: this.appliedTerm, confState: this.confState };
  }

  /** The header of a snapshot taken now. */
  header(): SnapshotHeader {
    return { sessions: this.sessions.toRecords(), members: this.members.toRecord() };
  }

  /** Replaces the state by that of a snapshot. */
  restore(header: SnapshotHeader, metadata: SnapshotMetadata): void {
    this.sessions.restore(header.sessions);
    this.members.restore(header.members);
    this.confState = metadata.confState;
    this.appliedIndex = metadata.index;
    this.appliedTerm = metadata.term;
    this.commandIndex = header.stateIndex ?? metadata.index;
  }
}
