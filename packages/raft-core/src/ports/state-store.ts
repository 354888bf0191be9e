/**
 * State that is derived from the log: an ordered table of records that an executor applies commands to, which may be larger than
 * memory and which outlives the process together with how far of the log is in it.
 *
 * Role: the border between an executor and where its state is kept. Reads and writes are synchronous, because applying is.
 * A store needs no flush of its own: what a crash takes from it is in the log, and is applied again.
 *
 * Invariants every implementation keeps (`stateStoreConformance` in `./testing` proves them):
 * K1. Records and `appliedIndex` become durable together, and only as they stand at a `commit`: after a crash the store is at
 *     some `commit`, not before the last `persist` that resolved.
 * K2. A view shows the store as it was when the view was made, whatever is put, persisted or replaced since.
 * K3. A replacement takes the place of everything at once, also across a crash: the store has all of the old records, or all of
 *     the new ones.
 * K4. What waits in memory for the disk is bounded: beyond the bound `drained` is a promise, and whoever puts waits for it.
 */

import type { LogIndex } from "../types.ts";
import type { StateKey, StateReader } from "./state-reader.ts";

/** The store as it was at one moment (K2). It keeps what it shows from being deleted, so close it soon. */
export interface StateView extends StateReader {
  readonly appliedIndex: LogIndex;
  /** Idempotent. A walk that is under way ends with an error. */
  close(): void;
}

/** The new content of a store, gathered beside the old one (K3). */
export interface StateReplacement {
  get(key: StateKey): Uint8Array | undefined;
  put(key: StateKey, value: Uint8Array): void;
  /** As the store's (K4). */
  readonly drained: Promise<void> | undefined;
  /** Durably takes the place of what the store had, as the state at `appliedIndex`. Reads of the store show it from then on. */
  finish(appliedIndex: LogIndex): Promise<void>;
  /** Drops it. Safe to call at any time. */
  abort(): Promise<void>;
}

/** One state machine's records on one node. */
export interface StateStore extends StateReader {
  /** Whether the records outlive the process. If not, `persist` resolves at once, and means nothing. */
  readonly isDurable: boolean;
  /** The last commit that reads show; 0 for a new store. */
  readonly appliedIndex: LogIndex;
  /** What the store would have after a crash now. */
  readonly durableIndex: LogIndex;
  /** Promise that room is made, while too much waits for the disk (K4). Rejects when the disk failed. */
  readonly drained: Promise<void> | undefined;
  put(key: StateKey, value: Uint8Array): void;
  /** As `put`, for a key that is not there now: deleting it soon again costs nothing. */
  insert(key: StateKey, value: Uint8Array): void;
  /** A key that is not there is as good. */
  delete(key: StateKey): void;
  /** Everything put since the last commit belongs to the log up to `index`. To be called in the turn of the first of the puts. */
  commit(index: LogIndex): void;
  view(): StateView;
  /** Makes everything that is committed now durable, and resolves with the index that is. Rejects when the disk fails. */
  persist(): Promise<LogIndex>;
  /** Begins a replacement; one at a time. */
  replace(): StateReplacement;
  /** Waits for what is being written. What is not persisted is lost, as with a crash. */
  close(): Promise<void>;
}
