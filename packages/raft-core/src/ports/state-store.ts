/**
 * State that is derived from the log: an ordered table of records to which an executor applies commands. The table may be larger than
 * memory. A durable store keeps it over restarts, together with the index up to which the log is applied to it.
 *
 * Role: the border between an executor and where its state is kept. Reads and writes are synchronous, because applying is.
 * A store needs no flush of its own: what a crash takes from it is in the log, and is applied again.
 *
 * Invariants every implementation keeps (`stateStoreConformance` in `./testing` proves them):
 * K1. Records and `appliedIndex` become durable together, and only as they were at a `commit`. After a crash the store is at
 *     some `commit`, not before the last `persist` that resolved.
 * K2. A view shows the store as it was when the view was made, whatever was put, persisted or replaced since.
 * K3. A replacement replaces all records at once, also across a crash: the store has all of the old records, or all of
 *     the new ones.
 * K4. The memory for records that wait for the disk is bounded. Beyond the bound `drained` is a promise, and a writer waits for it.
 */

import type { LogIndex } from "../types.ts";
import type { StateKey, StateReader } from "./state-reader.ts";

/** The store as it was at one moment (K2). An open view keeps old records from being deleted, so close it soon. */
export interface StateView extends StateReader {
  /** Index of the commit that the view shows. */
  readonly appliedIndex: LogIndex;
  /** Closes the view. Idempotent. A walk that is under way ends with an error. */
  close(): void;
}

/** The new content of a store, collected beside the old one (K3). */
export interface StateReplacement {
  /** The value of `key` in the new content, or undefined. */
  get(key: StateKey): Uint8Array | undefined;
  /** Puts a record into the new content. */
  put(key: StateKey, value: Uint8Array): void;
  /** As `StateStore.drained`, for the new content (K4). */
  readonly drained: Promise<void> | undefined;
  /** Durably replaces the content of the store, as the state at `appliedIndex`. Reads of the store show the new content from then on. */
  finish(appliedIndex: LogIndex): Promise<void>;
  /** Drops the new content. Safe to call at any time. */
  abort(): Promise<void>;
}

/** One state machine's records on one node. */
export interface StateStore extends StateReader {
  /** Whether the records outlive the process. Otherwise `persist` resolves at once and has no effect. */
  readonly isDurable: boolean;
  /** Index of the last commit; 0 for a new store. */
  readonly appliedIndex: LogIndex;
  /** Index of the commit that the store would have after a crash now. */
  readonly durableIndex: LogIndex;
  /** While too many records wait for the disk: a promise that resolves when there is room (K4). Rejects when the disk failed. */
  readonly drained: Promise<void> | undefined;
  /** Puts a record. */
  put(key: StateKey, value: Uint8Array): void;
  /** Puts a record whose key does not exist now. Deleting such a record before it is written costs no write. */
  insert(key: StateKey, value: Uint8Array): void;
  /** Deletes a record. Deleting a missing key is a no-op. */
  delete(key: StateKey): void;
  /** Assigns all changes since the last commit to the log up to `index`. Call it in the same turn of the event loop as the first of these changes. */
  commit(index: LogIndex): void;
  /** Opens a view of the last commit. There must be no change after that commit. */
  view(): StateView;
  /** Makes all commits durable, and resolves with the index of the last one. Rejects when the disk fails. */
  persist(): Promise<LogIndex>;
  /** Begins a replacement. One replacement at a time. */
  replace(): StateReplacement;
  /** Closes the store and waits for writes under way. Changes that are not persisted are lost, as in a crash. */
  close(): Promise<void>;
}
