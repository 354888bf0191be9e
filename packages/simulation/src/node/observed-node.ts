/**
 * A running node as the invariants see it: the driver's core, state and disk.
 *
 * It looks into the driver through the receiver that the driver gives to its transport.
 */
import type { ConfState, LogIndex, NodeId, SnapshotMetadata } from "@raftoral/raft-core";
import { type Entry, LOCAL_APPLY_THREAD, type RawNode } from "@raftoral/raft-core/core";
import type { GroupReceiver } from "@raftoral/raft-core/transport";
import type { Disk } from "../disk/disk.ts";
import type { LogImage } from "../disk/log-image.ts";
import { type CoreListener, probeCore } from "../invariants/core-probe.ts";
import { memoryOf, type Observed, type Remembered } from "../invariants/observed.ts";

/** Where a driver shows its core (raft-core's driver/inside.ts). */
const INSIDE = Symbol.for("@raftoral/raft-core inside");

/** What of a driver's loop is looked at. */
interface Inside {
  readonly raw: RawNode;
  readonly state: {
    readonly appliedIndex: LogIndex;
    readonly confState: ConfState;
    restore(header: unknown, metadata: SnapshotMetadata): void;
  };
}

/** Hears what is done to a node's log, configuration and state. */
export interface NodeListener extends CoreListener {
  configured(node: Observed, index: LogIndex, confState: ConfState): void;
  applied(node: Observed, entry: Entry): void;
}

/** One process of a node, observed. */
export class ObservedNode implements Observed {
  readonly id: NodeId;
  readonly incarnation: number;
  readonly before: Remembered;
  readonly #disk: Disk;
  readonly #inside: Inside;
  readonly #listener: NodeListener;
  /** Entries that the core has handed out for applying, from the first that was not applied when last looked at. */
  #handedOut: Entry[] = [];

  constructor(id: NodeId, incarnation: number, disk: Disk, receiver: GroupReceiver, listener: NodeListener) {
    const inside = (receiver as { [INSIDE]?: Inside })[INSIDE];
    if (inside?.raw.raft === undefined) throw new Error("the driver's loop does not show its core any more");
    this.id = id;
    this.incarnation = incarnation;
    this.#disk = disk;
    this.#inside = inside;
    this.#listener = listener;
    this.before = memoryOf(this.raft);
    this.#listen();
  }

  get raft(): RawNode["raft"] {
    return this.#inside.raw.raft;
  }

  get platter(): LogImage {
    return this.#disk.platter;
  }

  get appliedIndex(): LogIndex {
    return this.#inside.state.appliedIndex;
  }

  get confState(): ConfState {
    return this.#inside.state.confState;
  }

  /** Tells of the entries that were applied since it was last called. */
  tellApplied(): void {
    const { appliedIndex } = this;
    let applied = 0;
    for (const entry of this.#handedOut) {
      if (entry.index > appliedIndex) break;
      this.#listener.applied(this, entry);
      applied++;
    }
    if (applied > 0) this.#handedOut = this.#handedOut.slice(applied);
  }

  #listen(): void {
    const { raw, state } = this.#inside;
    probeCore(this, raw, this.#listener);
    const ready = raw.ready.bind(raw);
    raw.ready = () => {
      const work = ready();
      for (const message of work.messages) {
        if (message.to === LOCAL_APPLY_THREAD) this.#handedOut.push(...message.entries);
      }
      return work;
    };
    const applyConfChange = raw.applyConfChange.bind(raw);
    raw.applyConfChange = (change) => {
      const confState = applyConfChange(change);
      this.#listener.configured(this, state.appliedIndex + 1, confState);
      return confState;
    };
    const restoreState = state.restore.bind(state);
    state.restore = (header, metadata) => {
      restoreState(header, metadata);
      // What was handed out before is part of it, or was applied before it.
      this.#handedOut = [];
      this.#listener.configured(this, metadata.index, metadata.confState);
    };
  }
}
