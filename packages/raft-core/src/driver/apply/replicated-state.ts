/**
 * What the driver itself replicates: sessions, members, the configuration, and how far all of it (and the executor) is applied.
 * Changed by the apply thread and by restoring a snapshot, by nothing else.
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

export class ReplicatedState {
  readonly sessions = new Sessions();
  readonly members = new Members();
  #confState: ConfState = EMPTY_CONF_STATE;
  #memberIds: readonly NodeId[] = [];
  appliedIndex: LogIndex = 0;
  appliedTerm: Term = 0;
  /** The last command that the executor has, be it from the log or from a snapshot. */
  commandIndex: LogIndex = 0;

  get confState(): ConfState {
    return this.#confState;
  }

  set confState(confState: ConfState) {
    this.#confState = confState;
    this.#memberIds = membersOf(confState);
  }

  /** Every id in {@link confState}, ascending. Looked at in each tick, so it is not put together each time. */
  get memberIds(): readonly NodeId[] {
    return this.#memberIds;
  }

  /** Where a snapshot taken now stands. */
  metadata(): SnapshotMetadata {
    return { index: this.appliedIndex, term: this.appliedTerm, confState: this.confState };
  }

  header(): SnapshotHeader {
    return { sessions: this.sessions.toRecords(), members: this.members.toRecord() };
  }

  restore(header: SnapshotHeader, metadata: SnapshotMetadata): void {
    this.sessions.restore(header.sessions);
    this.members.restore(header.members);
    this.confState = metadata.confState;
    this.appliedIndex = metadata.index;
    this.appliedTerm = metadata.term;
    this.commandIndex = header.stateIndex ?? metadata.index;
  }
}
