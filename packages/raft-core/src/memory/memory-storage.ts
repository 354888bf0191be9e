/**
 * A group's storage in memory: for tests, for simulations, and for groups whose state need not outlive the process.
 *
 * It keeps S1-S5 of ports/storage.ts, with "durable" meaning "kept in this object". Two nodes must not share one. It never changes an
 * array that it has handed out.
 *
 * M1. `entries[i].index === compacted.index + 1 + i`.
 * M2. A batch is checked wholly before any of it is applied, so a refused batch leaves nothing behind.
 */
import { InvariantViolation, invariant } from "../errors.ts";
import { checkEntries } from "../log/check-entries.ts";
import { countWithin } from "../log/entry-size.ts";
import type { GroupStorage, Missing, SnapshotSink, WriteBatch } from "../ports/storage.ts";
import {
  type ConfState,
  EMPTY_BYTES,
  EMPTY_CONF_STATE,
  type Entry,
  type HardState,
  type LogIndex,
  type Snapshot,
  type SnapshotMetadata,
  type Term,
} from "../types.ts";

/** The contents that a {@link MemoryStorage} starts with. */
export interface MemoryStorageContents {
  /** Term, vote and commit index; all 0 unless given. */
  readonly hardState?: HardState;
  /** The configuration in force. Ignored when a snapshot is given, which has a configuration of its own. */
  readonly confState?: ConfState;
  /** The latest snapshot. Without entries the log starts right after it. `snapshot()` returns its `data` as it is. */
  readonly snapshot?: Snapshot;
  /** Contiguous entries. Unless they start at index 1, `snapshot` or `compacted` must give the index and term before them. */
  readonly entries?: readonly Entry[];
  /** The compaction point. Defaults to the snapshot's index and term, or to the beginning of the log. */
  readonly compacted?: { readonly index: LogIndex; readonly term: Term };
}

const NO_HARD_STATE: HardState = Object.freeze({ term: 0, vote: 0, commit: 0 });

/**
 * A {@link GroupStorage} in memory. Reads are synchronous; `write` and `writeSync` throw InvariantViolation for batches that break S1 and refuse
 * every further batch after that (S5).
 */
export class MemoryStorage implements GroupStorage {
  #hardState: HardState;
  #latest: Snapshot;
  #chunks: readonly Uint8Array[] = [];
  #log: Entry[];
  #compactedIndex: LogIndex;
  #compactedTerm: Term;
  readonly #spooled = new Map<string, readonly Uint8Array[]>();
  #failure: Error | undefined;
  #closed = false;

  constructor(contents: MemoryStorageContents = {}) {
    this.#hardState = contents.hardState ?? NO_HARD_STATE;
    this.#latest = contents.snapshot ?? {
      metadata: { confState: contents.confState ?? EMPTY_CONF_STATE, index: 0, term: 0 },
      data: EMPTY_BYTES,
    };
    this.#compactedIndex = contents.compacted?.index ?? this.#latest.metadata.index;
    this.#compactedTerm = contents.compacted?.term ?? this.#latest.metadata.term;
    this.#log = [];
    if (contents.entries !== undefined && contents.entries.length > 0) {
      checkEntries(contents.entries, this.firstIndex(), this.lastIndex());
      this.#log = [...contents.entries];
    }
  }

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return { hardState: this.#hardState, confState: this.#latest.metadata.confState };
  }

  entries(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[] | Missing {
    invariant(lo <= hi, () => `entries [${lo}, ${hi}) of memory storage: the range is reversed`);
    if (lo <= this.#compactedIndex) return "compacted";
    if (hi > this.lastIndex() + 1) return "unavailable";
    const start = lo - this.#compactedIndex - 1;
    const end = hi - this.#compactedIndex - 1;
    return this.#log.slice(start, start + countWithin(this.#log, start, end, maxBytes));
  }

  term(index: LogIndex): Term | Missing {
    if (index < this.#compactedIndex) return "compacted";
    if (index === this.#compactedIndex) return this.#compactedTerm;
    return this.#log[index - this.#compactedIndex - 1]?.term ?? "unavailable";
  }

  firstIndex(): LogIndex {
    return this.#compactedIndex + 1;
  }

  lastIndex(): LogIndex {
    return this.#compactedIndex + this.#log.length;
  }

  snapshot(): Snapshot | "unavailable" {
    return this.#latest;
  }

  async write(batch: WriteBatch): Promise<void> {
    this.writeSync(batch);
  }

  /** Like {@link write}, but synchronous. Throws the error with which `write` rejects. */
  writeSync(batch: WriteBatch): void {
    this.#refuseWhenUnusable();
    try {
      this.#check(batch);
    } catch (error) {
      this.#failure = error as Error;
      throw error;
    }
    if (batch.snapshot !== undefined) {
      const { metadata } = batch.snapshot;
      this.#chunks = this.#spooled.get(placeOf(metadata)) as readonly Uint8Array[];
      this.#spooled.delete(placeOf(metadata));
      this.#latest = { metadata, data: EMPTY_BYTES };
      if (batch.snapshot.reset) this.#resetLog(metadata);
    }
    if (batch.entries !== undefined && batch.entries.length > 0) {
      const keep = (batch.entries[0] as Entry).index - this.#compactedIndex - 1;
      this.#log.length = keep;
      for (const entry of batch.entries) this.#log.push(entry);
    }
    if (batch.hardState !== undefined) this.#hardState = batch.hardState;
    if (batch.compactTo !== undefined) this.#compact(batch.compactTo);
  }

  /**
   * Makes a snapshot with its whole content in `data` the latest one, and lets the log start after it. For
   * tests and small states. The driver spools snapshots and uses {@link write}.
   */
  applySnapshot(snapshot: Snapshot): void {
    this.#refuseWhenUnusable();
    this.#latest = snapshot;
    this.#chunks = snapshot.data.length > 0 ? [snapshot.data] : [];
    this.#resetLog(snapshot.metadata);
  }

  async createSnapshot(metadata: SnapshotMetadata): Promise<SnapshotSink> {
    this.#refuseWhenUnusable();
    const chunks: Uint8Array[] = [];
    let state: "open" | "finished" | "aborted" = "open";
    return {
      write: async (chunk) => {
        invariant(state === "open", () => `snapshot ${placeOf(metadata)}: a chunk after it was ${state}`);
        chunks.push(chunk.slice());
      },
      finish: async () => {
        invariant(state === "open", () => `snapshot ${placeOf(metadata)}: finished after it was ${state}`);
        state = "finished";
        this.#spooled.set(placeOf(metadata), chunks);
      },
      abort: async () => {
        if (this.#spooled.get(placeOf(metadata)) === chunks) this.#spooled.delete(placeOf(metadata));
        state = "aborted";
      },
    };
  }

  async *openSnapshot(metadata: SnapshotMetadata): AsyncIterable<Uint8Array> {
    const { index, term } = this.#latest.metadata;
    invariant(
      index === metadata.index && term === metadata.term,
      () => `snapshot ${placeOf(metadata)} is not the latest one, which is ${index}/${term}`,
    );
    // A newer snapshot replaces the whole list, so this reader keeps its own list.
    yield* this.#chunks;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /** The storage that a restarted process finds: the same contents without spooled snapshots that no batch named. Closes this storage. */
  reopen(): MemoryStorage {
    const reopened = new MemoryStorage({
      hardState: this.#hardState,
      snapshot: this.#latest,
      entries: this.#log,
      compacted: { index: this.#compactedIndex, term: this.#compactedTerm },
    });
    reopened.#chunks = this.#chunks;
    this.#closed = true;
    return reopened;
  }

  /** Makes every further write fail with `error`, like a disk that failed a flush (S5). For tests. */
  poison(error: Error): void {
    this.#failure = error;
  }

  #check(batch: WriteBatch): void {
    let first = this.firstIndex();
    let last = this.lastIndex();
    if (batch.snapshot !== undefined) {
      const { metadata, reset } = batch.snapshot;
      invariant(
        this.#spooled.has(placeOf(metadata)),
        () => `snapshot ${placeOf(metadata)} was not spooled and finished`,
      );
      invariant(
        metadata.index >= this.#latest.metadata.index,
        () => `snapshot ${placeOf(metadata)} is older than the stored one, ${placeOf(this.#latest.metadata)}`,
      );
      if (reset) {
        invariant(
          metadata.index >= first - 1,
          () => `received snapshot ${placeOf(metadata)} is before the log, from ${first}`,
        );
        first = metadata.index + 1;
        last = metadata.index;
      } else {
        invariant(
          metadata.index <= last,
          () => `local snapshot ${placeOf(metadata)} is past the end of the log, ${last}`,
        );
      }
    }
    if (batch.entries !== undefined && batch.entries.length > 0) {
      checkEntries(batch.entries, first, last);
      last = (batch.entries[batch.entries.length - 1] as Entry).index;
    }
    if (batch.compactTo !== undefined) {
      const to = batch.compactTo;
      invariant(to <= last + 1, () => `compaction to ${to} is past the end of the log, ${last}`);
    }
  }

  #resetLog(metadata: SnapshotMetadata): void {
    this.#log = [];
    this.#compactedIndex = metadata.index;
    this.#compactedTerm = metadata.term;
  }

  #compact(to: LogIndex): void {
    const drop = to - this.firstIndex();
    if (drop <= 0) return;
    this.#compactedTerm = (this.#log[drop - 1] as Entry).term;
    this.#compactedIndex = to - 1;
    this.#log = this.#log.slice(drop);
  }

  #refuseWhenUnusable(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw new InvariantViolation("memory storage: written to after it was closed");
  }
}

function placeOf(metadata: SnapshotMetadata): string {
  return `${metadata.index}/${metadata.term}`;
}
