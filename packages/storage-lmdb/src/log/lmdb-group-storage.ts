/**
 * One group's log, hard state and snapshots in the environment of its node.
 *
 * A batch takes effect in memory at once and becomes durable with the next round, which writes all that has changed since
 * the last one to the journal: batches that arrive together cost one flush, and entries replaced in between are never
 * written. A checkpoint brings it into LMDB later (checkpointer.ts).
 *
 * E1. What reads return is what memory says; LMDB is asked only for entries older than the cache.
 * E2. Entries that LMDB may not show yet are in the cache (tail-cache.ts C2): those in any stage of the pipeline (pipeline.ts Y1).
 * E3. State record and entries of a batch are in one round, so bounds and log never disagree.
 * E4. Entries below the first index are garbage, once LMDB's state says so: deleted later, a few with each transaction.
 */
import { dirname, join } from "node:path";
import { InvariantViolation, invariant, type LogIndex, type SnapshotMetadata, type Term } from "@raftoral/raft-core";
import type { Entry, GroupStorage, SnapshotSink, SnapshotStream, WriteBatch } from "@raftoral/raft-core/storage";
import type { Database } from "lmdb";
import type { WriteTransaction } from "../commit/checkpoint.ts";
import type { GroupCommit } from "../commit/group-commit.ts";
import type { Participant } from "../commit/round.ts";
import { StorageError } from "../errors.ts";
import { entryKey, moveEntryKey, stateKey } from "../format/keys.ts";
import { decodeEntry, encodeEntry, encodeState, entryRecordBytes, type GroupState } from "../format/records.ts";
import type { SnapshotHold } from "../snapshots/snapshot-hold.ts";
import { SnapshotSpool, type SpooledContent } from "../snapshots/snapshot-spool.ts";
import { checkBatch } from "./batch-check.ts";
import { EntryGarbage } from "./entry-garbage.ts";
import { loadGroup, readRecord } from "./group-loader.ts";
import { Pipeline } from "./pipeline.ts";
import { entryRecord, StoredLog } from "./stored-log.ts";
import { TailCache } from "./tail-cache.ts";
import { TermRuns } from "./term-runs.ts";

/** What the storage of a group is made of. */
export interface GroupOptions {
  readonly group: number;
  readonly file: string;
  readonly database: Database<Buffer, Buffer>;
  readonly commit: GroupCommit;
  readonly cacheBytes: number;
  readonly hold: SnapshotHold;
  readonly closed: () => void;
}

/** In the data folder: contents of snapshots, a file each. */
const SNAPSHOT_FOLDER = "snapshots";

/** The storage of one group (E1 to E4). It keeps S1 to S5 of raft-core's storage.ts. */
export class LmdbGroupStorage extends StoredLog implements GroupStorage, Participant {
  readonly #options: GroupOptions;
  readonly #terms: TermRuns;
  readonly #cache: TailCache;
  readonly #spool: SnapshotSpool;
  readonly #garbage: EntryGarbage;
  readonly #pipeline = new Pipeline();
  readonly #writeKey: Buffer;
  readonly #readKey: Buffer;
  readonly #stateKey: Buffer;
  #state: GroupState;
  #stateDirty = false;
  /** Last entry on disk; what lies beyond the log's end is deleted by the next round. */
  #storedLast: LogIndex;
  #failure: Error | undefined;

  private constructor(
    options: GroupOptions,
    state: GroupState,
    parts: { terms: TermRuns; cache: TailCache; spool: SnapshotSpool },
  ) {
    super();
    this.#options = options;
    this.#state = state;
    this.#storedLast = state.lastIndex;
    this.#terms = parts.terms;
    this.#cache = parts.cache;
    this.#spool = parts.spool;
    this.#garbage = new EntryGarbage(options.group);
    this.#writeKey = entryKey(options.group, 0);
    this.#readKey = entryKey(options.group, 0);
    this.#stateKey = stateKey(options.group);
  }

  /** Reads and checks the group. Throws StorageError STORAGE_CORRUPT. */
  static async open(options: GroupOptions): Promise<LmdbGroupStorage> {
    const terms = new TermRuns();
    const cache = new TailCache(options.cacheBytes);
    const loaded = await loadGroup(options.database, options.file, options.group, { terms, cache });
    const { index, term } = loaded.state.snapshot;
    const spool = await SnapshotSpool.open({
      group: options.group,
      folder: join(dirname(options.file), SNAPSHOT_FOLDER),
      latest: loaded.state,
      latestPlace: `${index}/${term}`,
      hold: options.hold,
    });
    const storage = new LmdbGroupStorage(options, loaded.state, { terms, cache, spool });
    storage.#garbage.add(loaded.garbage);
    if (loaded.garbage.length > 0) options.commit.collect(storage.#garbage);
    return storage;
  }

  write(batch: WriteBatch): Promise<void> {
    const refusal = this.#failure ?? this.#options.commit.failure;
    if (refusal !== undefined) return Promise.reject(refusal);
    try {
      checkBatch(batch, this.#state, (metadata) => this.#spool.find(metadata) !== undefined);
    } catch (error) {
      this.#failure = error as Error;
      return Promise.reject(error);
    }
    const replaced = this.#apply(batch);
    const written = this.#options.commit.join(this);
    // Before that the disk still says that it is the latest one's.
    if (replaced !== undefined) written.then(() => this.#spool.discard(replaced)).catch(() => undefined);
    return written;
  }

  async createSnapshot(metadata: SnapshotMetadata): Promise<SnapshotSink> {
    const refusal = this.#failure ?? this.#options.commit.failure;
    if (refusal !== undefined) throw refusal;
    return this.#spool.create(metadata);
  }

  openSnapshot(metadata: SnapshotMetadata): SnapshotStream {
    const { index, term } = this.#state.snapshot;
    if (index !== metadata.index || term !== metadata.term) {
      const wanted = `${metadata.index}/${metadata.term}`;
      const group = this.#options.group;
      const error = new InvariantViolation(
        `group ${group}: snapshot ${wanted} is not the latest one, ${index}/${term}`,
      );
      return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
    }
    return this.#spool.read({ spool: this.#state.spool, chunks: this.#state.chunks });
  }

  /** Waits for what was written. The group can be opened again afterwards. */
  async close(): Promise<void> {
    if (this.#failure instanceof StorageError && this.#failure.code === "STORAGE_CLOSED") return;
    const message = `${this.#options.file}: group ${this.#options.group} was closed before this write.`;
    const written = this.#failure === undefined ? this.#options.commit.join(this) : Promise.resolve();
    this.#failure = new StorageError("STORAGE_CLOSED", message);
    // At once: what joins after the last write may come to disk after the next opening has looked.
    const spoolClosed = this.#spool.close();
    this.#options.commit.forget(this.#garbage);
    await written.catch(() => undefined);
    await spoolClosed;
    this.#options.closed();
  }

  writeTo(transaction: WriteTransaction): void {
    for (let index = this.#state.lastIndex + 1; index <= this.#storedLast; index++) {
      moveEntryKey(this.#writeKey, index);
      transaction.remove(this.#writeKey);
    }
    for (let index = this.#pipeline.dirtyFrom; index <= this.#state.lastIndex; index++) {
      const entry = this.#cache.get(index) as Entry;
      moveEntryKey(this.#writeKey, index);
      transaction.put(this.#writeKey, encodeEntry(this.#writeKey, entry, transaction.buffer(entryRecordBytes(entry))));
    }
    if (this.#stateDirty) transaction.put(this.#stateKey, encodeState(this.#stateKey, this.#state));
    this.#storedLast = this.#state.lastIndex;
    this.#pipeline.write();
    this.#stateDirty = false;
  }

  written(): void {
    this.#pipeline.written();
  }

  checkpointing(): void {
    this.#pipeline.checkpointing();
  }

  checkpointed(): void {
    const left = this.#pipeline.checkpointed();
    this.#cache.evict(this.#pipeline.pinnedFrom);
    // After the close the next opening has looked, and will delete what it found.
    if (left.length === 0 || this.#failure !== undefined) return;
    this.#garbage.add(left);
    this.#options.commit.collect(this.#garbage);
  }

  protected get state(): GroupState {
    return this.#state;
  }

  protected entryAt(index: LogIndex): Entry {
    return this.#cache.get(index) ?? this.#readEntry(index);
  }

  protected termAt(index: LogIndex): Term {
    return this.#terms.at(index);
  }

  /** Returns the content of the snapshot that the batch replaces, if it does. */
  #apply(batch: WriteBatch): SpooledContent | undefined {
    const replaced =
      batch.snapshot === undefined ? undefined : { spool: this.#state.spool, chunks: this.#state.chunks };
    const next: { -readonly [Field in keyof GroupState]: GroupState[Field] } = { ...this.#state };
    if (batch.snapshot !== undefined) {
      const { metadata, reset } = batch.snapshot;
      this.#adoptContent(metadata, next);
      if (reset) {
        this.#pipeline.leave({ from: this.firstIndex(), to: Math.min(metadata.index, this.#state.lastIndex) + 1 });
        next.compactedIndex = metadata.index;
        next.compactedTerm = metadata.term;
        next.lastIndex = metadata.index;
        this.#terms.reset(metadata.index, metadata.term);
        this.#cache.clear();
        this.#pipeline.skipAll();
      }
    }
    const entries = batch.entries;
    if (entries !== undefined && entries.length > 0) {
      const first = (entries[0] as Entry).index;
      this.#cache.truncateFrom(first);
      this.#terms.truncateFrom(first);
      for (const entry of entries) {
        this.#cache.append(entry);
        this.#terms.append(entry.index, entry.term);
      }
      next.lastIndex = first + entries.length - 1;
      this.#pipeline.change(first);
      this.#cache.evict(this.#pipeline.pinnedFrom);
    }
    if (batch.hardState !== undefined) next.hardState = batch.hardState;
    if (batch.compactTo !== undefined && batch.compactTo > next.compactedIndex + 1) {
      const to = batch.compactTo;
      this.#pipeline.leave({ from: next.compactedIndex + 1, to });
      next.compactedTerm = this.#terms.at(to - 1);
      next.compactedIndex = to - 1;
      this.#terms.dropBefore(to - 1);
      this.#cache.dropBefore(to);
      this.#pipeline.skipTo(to);
    }
    this.#state = next;
    this.#stateDirty = true;
    return replaced;
  }

  #adoptContent(metadata: SnapshotMetadata, next: { -readonly [Field in keyof GroupState]: GroupState[Field] }): void {
    const content = this.#spool.find(metadata);
    invariant(content !== undefined, () => `group ${this.#options.group}: snapshot ${metadata.index} was not spooled`);
    this.#spool.adopt(metadata);
    next.snapshot = metadata;
    next.spool = content.spool;
    next.chunks = content.chunks;
  }

  #readEntry(index: LogIndex): Entry {
    const { file, group, database } = this.#options;
    return decodeEntry(
      index,
      entryRecord(this.#readKey, index, { file, group }, (key) => readRecord(database, key)),
    );
  }
}
