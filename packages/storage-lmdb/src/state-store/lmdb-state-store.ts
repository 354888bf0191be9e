/**
 * State of one group in the LMDB environment of its node. What is put stays in memory until a checkpoint of the environment, and is then
 * written in one transaction with the index up to which it goes; what a crash takes is in the log.
 *
 * It keeps K1-K4 of raft-core's state-store.ts.
 * U1. A checkpoint writes what is committed, and all of it: layers that are frozen then, and the mark.
 * U2. A layer is read until the transaction that has it is durable; reads of LMDB show it from then on.
 * U3. The generation in use changes with the mark, in the transaction that also holds the last records of the new one.
 * U4. Beyond `bufferBytes` a checkpoint is asked for, beyond twice as much a caller that puts has to wait for it.
 */
import {
  backgroundClock,
  type Cancel,
  type GroupId,
  invariant,
  type LogIndex,
  type StateKey,
  type StateRecord,
  type StateReplacement,
  type StateStore,
  type StateView,
} from "@raftoral/raft-core";
import { type RecordLayer, RecordLayers, RecordView } from "@raftoral/raft-core/storage";
import type { Database } from "lmdb";
import type { CheckpointParticipant, WriteTransaction } from "../commit/checkpoint.ts";
import { corrupt, StorageError } from "../errors.ts";
import { LmdbStateReplacement } from "./lmdb-state-replacement.ts";
import { StateGarbage } from "./state-garbage.ts";
import type { StateHome } from "./state-home.ts";
import { type StatePlace, StoredState } from "./state-reader.ts";
import {
  decodeStateMark,
  encodeStateMark,
  encodeStateRecord,
  markKey,
  STATE_STORE_FORMAT_VERSION,
  type StateKeys,
  type StateMark,
  stateRecordBytes,
} from "./state-records.ts";

/** Pause between two checkpoints that only delete, in milliseconds. */
const GARBAGE_PAUSE_MS = 25;

export const DEFAULT_STATE_BUFFER_BYTES = 2 * 1024 * 1024;

/** Options of an {@link LmdbStateStore}. */
export interface LmdbStateStoreOptions {
  /** What may wait in memory for the next checkpoint before one is asked for, in bytes (2 MiB); twice as much before anyone waits. */
  readonly bufferBytes?: number;
}

/** What a checkpoint under way writes. */
interface Writing {
  readonly layers: readonly RecordLayer[];
  readonly appliedIndex: LogIndex;
  /** The replacement that takes the store's place with it (U3). */
  readonly replacement: LmdbStateReplacement | undefined;
}

/** The state store of one group (U1 to U4). */
export class LmdbStateStore implements StateStore, CheckpointParticipant {
  readonly isDurable = true;
  readonly #environment: StateHome;
  readonly #place: StatePlace;
  readonly #bufferBytes: number;
  readonly #markKey: Buffer;
  readonly #garbage: StateGarbage;
  readonly #leave: () => void;
  readonly #views = new Set<RecordView>();
  #stored: StoredState;
  #layers: RecordLayers;
  #appliedIndex: LogIndex;
  #durableIndex: LogIndex;
  #nextGeneration: number;
  #isCommitted = true;
  #isClosed = false;
  #writing: Writing | undefined;
  #replacement: LmdbStateReplacement | undefined;
  /** The checkpoint that was asked for, for want of room. */
  #asked: Promise<void> | undefined;
  #sweep: Cancel | undefined;

  /**
   * The state of a group, as the last checkpoint left it. One at a time for each group. Nothing is read but the mark, so opening takes the
   * same time whatever there is. Throws StorageError STORAGE_CORRUPT, STORAGE_FORMAT_UNSUPPORTED.
   */
  static open(environment: StateHome, group: GroupId, options: LmdbStateStoreOptions = {}): LmdbStateStore {
    const place = { file: environment.file, group, database: environment.records as Database<Buffer, Buffer> };
    return new LmdbStateStore(environment, place, loadMark(place), options.bufferBytes ?? DEFAULT_STATE_BUFFER_BYTES);
  }

  private constructor(environment: StateHome, place: StatePlace, mark: StateMark, bufferBytes: number) {
    this.#environment = environment;
    this.#place = place;
    this.#bufferBytes = bufferBytes;
    this.#markKey = markKey(place.group);
    this.#stored = new StoredState(place, mark.generation);
    this.#layers = new RecordLayers(this.#stored);
    this.#appliedIndex = mark.appliedIndex;
    this.#durableIndex = mark.appliedIndex;
    this.#garbage = new StateGarbage(place.database, place.group);
    this.#garbage.find(mark.generation);
    this.#nextGeneration = Math.max(mark.generation, this.#garbage.highest()) + 1;
    this.#leave = environment.addCheckpointParticipant(this);
    this.#sweepLater();
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  get durableIndex(): LogIndex {
    return this.#durableIndex;
  }

  get drained(): Promise<void> | undefined {
    return this.#asked !== undefined && this.#layers.bytes > 2 * this.#bufferBytes ? this.#asked : undefined;
  }

  get(key: StateKey): Uint8Array | undefined {
    return this.#layers.get(key);
  }

  scan(start: StateKey, end: StateKey): Iterable<StateRecord> {
    return this.#layers.scan(start, end);
  }

  scanBack(start: StateKey, end: StateKey): Iterable<StateRecord> {
    return this.#layers.scanBack(start, end);
  }

  put(key: StateKey, value: Uint8Array): void {
    this.#isCommitted = false;
    this.#layers.put(key, value);
  }

  insert(key: StateKey, value: Uint8Array): void {
    this.#isCommitted = false;
    this.#layers.insert(key, value);
  }

  delete(key: StateKey): void {
    this.#isCommitted = false;
    this.#layers.delete(key);
  }

  commit(index: LogIndex): void {
    invariant(!this.#isClosed, "state was committed to a store that is closed");
    invariant(index >= this.#appliedIndex, () => `a commit at ${index} came after one at ${this.#appliedIndex}`);
    invariant(this.#writing?.replacement === undefined, "state was committed while another takes its place");
    this.#appliedIndex = index;
    this.#isCommitted = true;
    if (this.#asked === undefined && this.#layers.bytes > this.#bufferBytes) this.#ask();
  }

  view(): StateView {
    invariant(this.#isCommitted, "a view was asked for between a put and its commit");
    const transaction = this.#place.database.useReadTransaction();
    const base = new StoredState(this.#place, this.#stored.keys.generation, transaction);
    const view = new RecordView(this.#layers.over(base), this.#appliedIndex, () => {
      this.#views.delete(view);
      transaction.done();
    });
    this.#views.add(view);
    return view;
  }

  async persist(): Promise<LogIndex> {
    const index = this.#appliedIndex;
    if (this.#durableIndex < index) await this.#environment.checkpoint();
    invariant(this.#durableIndex >= index, () => `a checkpoint left state at ${this.#durableIndex}, not at ${index}`);
    return this.#durableIndex;
  }

  replace(): StateReplacement {
    invariant(this.#replacement === undefined, "one replacement of state at a time");
    const generation = this.#nextGeneration++;
    const replacement = new LmdbStateReplacement({
      stored: new StoredState(this.#place, generation),
      bufferBytes: this.#bufferBytes,
      checkpoint: () => this.#environment.checkpoint(),
      dropped: () => {
        this.#replacement = undefined;
        this.#garbage.add(generation);
        this.#sweepLater();
      },
    });
    this.#replacement = replacement;
    return replacement;
  }

  /** U1, U3. */
  checkpointTo(transaction: WriteTransaction): void {
    invariant(this.#isCommitted, "a checkpoint came between a put and its commit");
    this.#garbage.collect(transaction);
    const replacement = this.#replacement;
    replacement?.writeTo(transaction, writeRecord);
    if (replacement?.finishedAt !== undefined) {
      this.#writing = { layers: [], appliedIndex: replacement.finishedAt, replacement };
      this.#writeMark(transaction, replacement.keys.generation, replacement.finishedAt);
      return;
    }
    if (this.#layers.isEmpty && this.#appliedIndex === this.#durableIndex) return;
    const layers = this.#layers.freeze();
    for (const layer of layers) {
      for (const [key, value] of layer.entries()) writeRecord(transaction, this.#stored.keys, key, value);
    }
    this.#writing = { layers, appliedIndex: this.#appliedIndex, replacement: undefined };
    this.#writeMark(transaction, this.#stored.keys.generation, this.#appliedIndex);
  }

  /** U2. */
  checkpointed(): void {
    // Reads of this turn may still be of the transaction before.
    this.#place.database.resetReadTxn();
    const writing = this.#writing;
    this.#writing = undefined;
    this.#replacement?.written();
    if (writing?.replacement !== undefined) this.#switchTo(writing.replacement, writing.appliedIndex);
    else if (writing !== undefined) this.#layers.drop(writing.layers);
    if (writing !== undefined) this.#durableIndex = writing.appliedIndex;
    this.#sweepLater();
  }

  /** Waits for what is being written. What no checkpoint has written is lost. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sweep?.();
    this.#leave();
    for (const view of [...this.#views]) view.close();
    await this.#asked?.catch(() => undefined);
  }

  #switchTo(replacement: LmdbStateReplacement, index: LogIndex): void {
    this.#garbage.add(this.#stored.keys.generation);
    this.#stored = new StoredState(this.#place, replacement.keys.generation);
    this.#layers = new RecordLayers(this.#stored);
    this.#appliedIndex = index;
    this.#replacement = undefined;
  }

  #writeMark(transaction: WriteTransaction, generation: number, appliedIndex: LogIndex): void {
    const mark = { format: STATE_STORE_FORMAT_VERSION, generation, appliedIndex };
    transaction.put(this.#markKey, encodeStateMark(this.#markKey, mark));
  }

  /** U4. A failure is told to the callers that wait, and to the next that writes: the environment takes nothing more. */
  #ask(): void {
    const asked = this.#environment.checkpoint().finally(() => {
      this.#asked = undefined;
    });
    asked.catch(() => undefined);
    this.#asked = asked;
  }

  #sweepLater(): void {
    if (this.#sweep !== undefined || this.#garbage.isEmpty || this.#isClosed) return;
    this.#sweep = backgroundClock.after(GARBAGE_PAUSE_MS, () => {
      this.#sweep = undefined;
      // A failed checkpoint ends the environment; the next caller that writes hears of it.
      void this.#environment.checkpoint().catch(() => undefined);
    });
  }
}

function writeRecord(transaction: WriteTransaction, keys: StateKeys, key: StateKey, value: Uint8Array | null): void {
  const bytes = keys.moved(key);
  if (value === null) transaction.remove(bytes);
  else transaction.put(bytes, encodeStateRecord(bytes, value, transaction.buffer(stateRecordBytes(value))));
}

function loadMark({ file, group, database }: StatePlace): StateMark {
  const key = markKey(group);
  const record = database.get(key);
  if (record === undefined) return { format: STATE_STORE_FORMAT_VERSION, generation: 1, appliedIndex: 0 };
  const mark = decodeStateMark(key, record);
  if (mark === undefined) throw corrupt({ file, group, record: "state mark" }, "wrong checksum");
  if (mark.format <= STATE_STORE_FORMAT_VERSION) return mark;
  throw new StorageError(
    "STORAGE_FORMAT_UNSUPPORTED",
    `${file}: the state of group ${group} has format ${mark.format}, this version reads up to ${STATE_STORE_FORMAT_VERSION}. ` +
      "Run the version that wrote it, or a newer one.",
    { details: { file, group, version: mark.format } },
  );
}
