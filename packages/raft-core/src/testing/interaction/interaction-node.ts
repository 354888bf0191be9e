/** A node of an interaction script: a RawNode, its storage, and the pending work of its storage threads. */
import { decodeConfChange, decodeConfChangeV2 } from "../../eraftpb/conf-change.ts";
import type { Message } from "../../message.ts";
import type { RawNode } from "../../raw-node.ts";
import type { Entry, HardState, NodeId, Snapshot } from "../../types.ts";
import { CommandError } from "./command-error.ts";
import { stepDownAtOnce } from "./etcd-form.ts";
import { isEmptySnapshot } from "./format.ts";
import type { InteractionStorage } from "./interaction-storage.ts";

/** The content of a write. A hard state of zeros is not written. */
export interface AppendWork {
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | undefined;
}

/** One node. */
export interface InteractionNode {
  readonly id: NodeId;
  readonly raw: RawNode;
  readonly storage: InteractionStorage;
  readonly asyncStorageWrites: boolean;
  /** Whether it steps down at the moment in which it applies the loss of its vote, like etcd/raft with `step-down-on-removal`. */
  readonly stepsDownAtOnce: boolean;
  /** Pending MsgStorageAppend, oldest first. */
  readonly appendWork: Message[];
  /** Pending MsgStorageApply, oldest first. */
  readonly applyWork: Message[];
}

/** Carries out a write: the hard state, then the snapshot or the entries. Throws CommandError for a write with both. */
export function processAppend({ storage }: InteractionNode, { hardState, entries, snapshot }: AppendWork): void {
  if (hardState !== undefined && (hardState.term > 0 || hardState.vote > 0 || hardState.commit > 0)) {
    storage.setHardState(hardState);
  }
  if (isEmptySnapshot(snapshot)) {
    storage.append(entries);
    return;
  }
  if (entries.length > 0) throw new CommandError("can't apply snapshot and entries at the same time");
  storage.applySnapshot(snapshot);
}

/** Applies entries to the state machine, which appends their data to its content, and configuration changes to the configuration. */
export function processApply(
  { raw, storage, stepsDownAtOnce: atOnce }: InteractionNode,
  entries: readonly Entry[],
): void {
  for (const entry of entries) {
    const before = storage.snapshot();
    let confState = before.metadata.confState;
    let update = entry.data;
    if (entry.type !== "EntryNormal") {
      const change = entry.type === "EntryConfChange" ? decodeConfChange(entry.data) : decodeConfChangeV2(entry.data);
      confState = raw.applyConfChange(change);
      if (atOnce) stepDownAtOnce(raw);
      update = change.context;
    }
    const data = new Uint8Array(before.data.length + update.length);
    data.set(before.data);
    data.set(update, before.data.length);
    storage.push({ metadata: { confState, index: entry.index, term: entry.term }, data });
  }
}
