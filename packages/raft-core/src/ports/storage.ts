/**
 * What the core reads and what the driver writes.
 *
 * Role: the border between consensus and disk. Reads are synchronous (the core is); writes are one batch at a time,
 * acknowledged only when durable.
 *
 * Invariants every implementation keeps (`storageConformance` in `./testing` proves them):
 * S1. `firstIndex() <= lastIndex() + 1`; entries in `[firstIndex, lastIndex]` are contiguous.
 * S2. `term(firstIndex() - 1)` is known: it is the term at the compaction point (0 at index 0).
 * S3. When `write` resolves, everything in that batch and in every earlier batch survives a crash. Batches take effect in
 *     call order, each wholly or not at all.
 * S4. Reads see a batch at the latest when its `write` resolves.
 * S5. After a failed `write` the storage refuses all further writes: a failed flush is never retried.
 */

import type { ConfState, Entry, HardState, LogIndex, Snapshot, SnapshotMetadata, Term } from "../types.ts";
import type { SnapshotStream } from "./snapshot-stream.ts";

/** Why a read has no answer: dropped by compaction, or beyond what the storage holds. */
export type Missing = "compacted" | "unavailable";

/** The core's view: synchronous reads of what has been written. */
export interface LogStorage {
  /** What a restarting node begins from. */
  initialState(): { readonly hardState: HardState; readonly confState: ConfState };
  /**
   * Entries in `[lo, hi)`, cut off before the first entry that would take the sum of their sizes over `maxBytes`; at least
   * one entry is returned. Sizes are as counted by `entrySize` of the log.
   */
  entries(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[] | Missing;
  /** Term of the entry at `index`, which may be one before {@link firstIndex}. */
  term(index: LogIndex): Term | Missing;
  firstIndex(): LogIndex;
  lastIndex(): LogIndex;
  /**
   * A snapshot for a member that needs more than the log holds; "unavailable" while one is being prepared (the core asks again
   * with that member's next answer to a heartbeat).
   *
   * It stands at an applied index, at or beyond the compaction point (`firstIndex() - 1`), so that the log goes on from it, and its
   * configuration is the one as of that index. A member refuses a snapshot whose configuration does not have it, and the core
   * asks again with that member's next answer to a heartbeat. So a storage must come to a snapshot of after the change that added the
   * member: where the latest one is older, take another.
   */
  snapshot(): Snapshot | "unavailable";
}

/** One atomic, durable change of a group's storage. */
export interface WriteBatch {
  readonly hardState?: HardState;
  /** Replaces everything from `entries[0].index` on. */
  readonly entries?: readonly Entry[];
  /**
   * Makes a snapshot the group's latest one. Its content was spooled before through {@link GroupStorage.createSnapshot}.
   * `reset: true` (a received one): the log now starts after it. `reset: false` (a local one): the log is untouched.
   * One that is older than the latest is refused.
   */
  readonly snapshot?: { readonly metadata: SnapshotMetadata; readonly reset: boolean };
  /** Entries below this index may be dropped; `firstIndex()` becomes it. At most `lastIndex + 1`. */
  readonly compactTo?: LogIndex;
}

/** Where a snapshot's content is spooled. Chunks are copied before `write` resolves. */
export interface SnapshotSink {
  write(chunk: Uint8Array): Promise<void>;
  /** Makes the content durable. It becomes the group's snapshot only through a {@link WriteBatch}. */
  finish(): Promise<void>;
  /** Drops what was spooled. Safe to call at any time. */
  abort(): Promise<void>;
}

/** One group's durable state on one node. */
export interface GroupStorage extends LogStorage {
  /**
   * Resolves once the batch is durable (S3). Rejects with a StorageError when it is not; the caller must stop the node (S5).
   * The batch's objects stay the caller's and must not change until then.
   */
  write(batch: WriteBatch): Promise<void>;
  /** Spools a snapshot's content. A crash before the batch that names it leaves nothing but garbage to be collected. */
  createSnapshot(metadata: SnapshotMetadata): Promise<SnapshotSink>;
  /**
   * The content of the latest snapshot, which must be the one of `metadata`; it stays readable until the reader ends. A storage
   * that says that the content is `fixed` lets transfers of it be resumed.
   */
  openSnapshot(metadata: SnapshotMetadata): SnapshotStream;
  close(): Promise<void>;
}
