/**
 * A running node as the invariants see it: the core's state beside what the state was after the event before.
 *
 * It looks into the driver through the receiver that the driver gives to its transport; nothing in the driver knows of it.
 */
import type {
  ConfState,
  Entry,
  GroupReceiver,
  LogIndex,
  NodeId,
  RaftRole,
  RawNode,
  SnapshotMetadata,
  Term,
} from "@raftoral/raft-core";
import type { Disk } from "../disk/disk.ts";

/** What of a driver's loop is looked at. */
interface Inside {
  readonly raw: RawNode;
  readonly state: {
    readonly appliedIndex: LogIndex;
    readonly confState: ConfState;
    restore(header: unknown, metadata: SnapshotMetadata): void;
  };
}

export interface Remembered {
  term: Term;
  vote: NodeId;
  committed: LogIndex;
  applied: LogIndex;
  role: RaftRole;
}

/** Hears what is done to a node's log and configuration. */
export interface LogListener {
  appended(node: ObservedNode, entries: readonly Entry[]): void;
  restored(node: ObservedNode): void;
  configured(node: ObservedNode, index: LogIndex, confState: ConfState): void;
}

export class ObservedNode {
  readonly id: NodeId;
  readonly disk: Disk;
  readonly before: Remembered;
  readonly #inside: Inside;

  constructor(id: NodeId, disk: Disk, receiver: GroupReceiver, listener: LogListener) {
    const inside = receiver as unknown as Inside;
    if (inside.raw?.raft === undefined) throw new Error("the driver's loop does not show its core any more");
    this.id = id;
    this.disk = disk;
    this.#inside = inside;
    const { term, vote, role, log } = this.raft;
    this.before = { term, vote, role, committed: log.committed, applied: log.applied };
    this.#listen(listener);
  }

  get raft(): RawNode["raft"] {
    return this.#inside.raw.raft;
  }

  /** How far the driver has applied, which the core may hear of a little later. */
  get appliedIndex(): LogIndex {
    return this.#inside.state.appliedIndex;
  }

  /** The configuration as the driver's replicated state has it. */
  get confState(): ConfState {
    return this.#inside.state.confState;
  }

  remember(): void {
    const { before, raft } = this;
    before.term = raft.term;
    before.vote = raft.vote;
    before.role = raft.role;
    before.committed = raft.log.committed;
    before.applied = raft.log.applied;
  }

  /** Every way into the log and to another configuration leads through these. */
  #listen(listener: LogListener): void {
    const { raw, state } = this.#inside;
    const applyConfChange = raw.applyConfChange.bind(raw);
    raw.applyConfChange = (change) => {
      const confState = applyConfChange(change);
      listener.configured(this, state.appliedIndex + 1, confState);
      return confState;
    };
    const restoreState = state.restore.bind(state);
    state.restore = (header, metadata) => {
      restoreState(header, metadata);
      listener.configured(this, metadata.index, metadata.confState);
    };
    const { unstable } = this.raft.log;
    const append = unstable.truncateAndAppend.bind(unstable);
    const restore = unstable.restore.bind(unstable);
    unstable.truncateAndAppend = (entries) => {
      listener.appended(this, entries);
      append(entries);
    };
    unstable.restore = (snapshot) => {
      restore(snapshot);
      listener.restored(this);
    };
  }
}
