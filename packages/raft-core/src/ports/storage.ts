/**
 * The port of a storage: the reads of the core and the writes of the driver.
 *
 * Role: the border between consensus and disk. Reads are synchronous, because the core is. Writes are batches that are
 * acknowledged only when they are durable.
 *
 * Invariants every implementation keeps (`storageConformance` in `./testing` proves them):
 * S1. `firstIndex() <= lastIndex() + 1`; entries in `[firstIndex, lastIndex]` are contiguous.
 * S2. `term(firstIndex() - 1)` is known: it is the term at the compaction point (0 at index 0).
 * S3. When `write` resolves, that batch and every earlier one survive a crash. Batches take effect in
 *     call order, each wholly or not at all.
 * S4. Reads see a batch at the latest when its `write` resolves.
 * S5. After a failed `write` the storage refuses all further writes: a failed flush is never retried.
 */

import type { ConfState, Entry, HardState, LogIndex, Snapshot, SnapshotMetadata, Term } from "../types.ts";
import type { SnapshotStream } from "./snapshot-stream.ts";

/** Why a read has no answer: the entries are compacted, or beyond the last index. */
export type Missing = "compacted" | "unavailable";

/** The storage as the core uses it: synchronous reads of written data. */
export interface LogStorage {
  /** The hard state, and the configuration of the latest snapshot, from which a node starts. */
  initialState(): { readonly hardState: HardState; readonly confState: ConfState };
  /**
   * Entries in `[lo, hi)`, cut before the entry with which the sum of their sizes would exceed `maxBytes`; at least
   * one entry is returned. Sizes are as counted by `entrySize` of the log.
   */
  entries(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[] | Missing;
  /** Term of the entry at `index`, which may be one before {@link firstIndex}. */
  term(index: LogIndex): Term | Missing;
  /** Index of the first entry that is not compacted. One beyond {@link lastIndex} when there are no entries. */
  firstIndex(): LogIndex;
  /** Index of the last entry, or of the compaction point when there are no entries. */
  lastIndex(): LogIndex;
  /**
   * A snapshot for a member that needs compacted entries; "unavailable" while one is being prepared. The core then asks again
   * with that member's next answer to a heartbeat.
   *
   * The snapshot is at an applied index, at or beyond the compaction point (`firstIndex() - 1`), so that the log continues from it. Its
   * configuration is the one at that index. A member refuses a snapshot whose configuration does not include it, and the core
   * asks again with that member's next answer to a heartbeat. So the owner of the storage must take a new snapshot when the latest one is
   * older than the change that added the member.
   */
  snapshot(): Snapshot | "unavailable";
}

/** One atomic, durable change of a group's storage. */
export interface WriteBatch {
  /** The new term, vote and commit index. */
  readonly hardState?: HardState;
  /** Entries that replace the log from `entries[0].index` on. */
  readonly entries?: readonly Entry[];
  /**
   * Makes a snapshot the group's latest one. Its content was spooled before through {@link GroupStorage.createSnapshot}.
   * `reset: true` (a received snapshot): the log now starts after it. `reset: false` (a local snapshot): the log does not change.
   * A snapshot older than the latest one is refused.
   */
  readonly snapshot?: { readonly metadata: SnapshotMetadata; readonly reset: boolean };
  /** The new `firstIndex()`: entries below it may be deleted. At most `lastIndex() + 1`. */
  readonly compactTo?: LogIndex;
}

/** Takes the content of a snapshot that is being spooled. */
export interface SnapshotSink {
  /** Appends a chunk. The bytes are copied before the promise resolves. */
  write(chunk: Uint8Array): Promise<void>;
  /** Makes the content durable. It becomes the group's snapshot only through a {@link WriteBatch}. */
  finish(): Promise<void>;
  /** Deletes the spooled content. Safe to call at any time. */
  abort(): Promise<void>;
}

/** One group's durable state on one node. */
export interface GroupStorage extends LogStorage {
  /**
   * Writes a batch and resolves once it is durable (S3). Rejects with a StorageError if that fails; the caller must stop the node (S5).
   * The caller must not change the objects of the batch until then.
   */
  write(batch: WriteBatch): Promise<void>;
  /** Begins to spool a snapshot. After a crash before the batch that names it, the storage deletes the spooled content. */
  createSnapshot(metadata: SnapshotMetadata): Promise<SnapshotSink>;
  /**
   * The content of the latest snapshot, which must be the one of `metadata`. The content stays readable until the reader ends. Transfers of
   * `fixed` content can be resumed.
   */
  openSnapshot(metadata: SnapshotMetadata): SnapshotStream;
  /** Closes the storage and waits for writes under way. */
  close(): Promise<void>;
}
