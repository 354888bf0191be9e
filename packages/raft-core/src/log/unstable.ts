/**
 * The end of the log that is not known to be stored: entries, and at most one snapshot, that are being written or wait to be
 * written.
 *
 * It must not read the storage and does not know the commit index. Entries leave it only when {@link Unstable.stableTo} is
 * told that no write under way can overwrite them any more (see `storageAppendResponse` in ready.ts for the reason).
 *
 * Invariants:
 * U1. Entries are contiguous; the first one has index `offset`.
 * U2. `offset <= offsetInProgress <= offset + length`: entries before `offsetInProgress` are being written.
 * U3. With a snapshot, `offset` is beyond the snapshot's index.
 * U4. Arrays that were handed out are never changed: they are copies of the requested range. A copy is only as long as the
 *     range, not as the whole unstable end.
 */
import { invariant } from "../errors.ts";
import type { Entry, LogIndex, Snapshot, Term } from "../types.ts";
import { countWithin } from "./entry-size.ts";

const NO_ENTRIES: readonly Entry[] = Object.freeze([]);
/** With fewer dead slots than this the buffer is not moved. */
const COMPACT_AT = 1024;

/** The unstable entries and the unstable snapshot of one log. */
export class Unstable {
  snapshot: Snapshot | undefined = undefined;
  snapshotInProgress = false;
  /** Index of the first unstable entry, or of the next one while there is none. It may be at or below the storage's last index. */
  offset: LogIndex;
  /** One beyond the last entry that is being written. */
  offsetInProgress: LogIndex;

  /** Live entries are `buffer[head..]`. The dead slots before them are removed when they are half of the buffer, so that each append is O(1). */
  #buffer: Entry[] = [];
  #head = 0;

  /** The last range handed out. The leader asks for the same range for every follower and for its own disk. */
  #cachedLo: LogIndex = 0;
  #cachedHi: LogIndex = 0;
  #cachedMaxBytes = 0;
  #cached: readonly Entry[] = NO_ENTRIES;

  constructor(offset: LogIndex) {
    this.offset = offset;
    this.offsetInProgress = offset;
  }

  /** Number of unstable entries. */
  get length(): number {
    return this.#buffer.length - this.#head;
  }

  /** Slots that are kept in memory, dead ones included. */
  get held(): number {
    return this.#buffer.length;
  }

  /** First index that the log may hold, or undefined without a snapshot. */
  firstIndex(): LogIndex | undefined {
    return this.snapshot === undefined ? undefined : this.snapshot.metadata.index + 1;
  }

  /** Last index of the log, or undefined without entries and snapshot. */
  lastIndex(): LogIndex | undefined {
    if (this.#buffer.length > this.#head) return this.offset + this.#buffer.length - this.#head - 1;
    return this.snapshot === undefined ? undefined : this.snapshot.metadata.index;
  }

  /** Term of the unstable entry at `index`, or of the snapshot at its index. Undefined for any other index. */
  term(index: LogIndex): Term | undefined {
    if (index < this.offset) {
      const metadata = this.snapshot?.metadata;
      return metadata !== undefined && metadata.index === index ? metadata.term : undefined;
    }
    return this.#buffer[this.#head + index - this.offset]?.term;
  }

  /** Entries that are not being written yet. */
  nextEntries(): readonly Entry[] {
    if (!this.hasNextEntries()) return NO_ENTRIES;
    return this.slice(this.offsetInProgress, this.offset + this.length, Number.POSITIVE_INFINITY);
  }

  /** Whether there are entries that are not being written yet. */
  hasNextEntries(): boolean {
    return this.offsetInProgress < this.offset + this.length;
  }

  /** The snapshot, unless it is being written already. */
  nextSnapshot(): Snapshot | undefined {
    return this.snapshotInProgress ? undefined : this.snapshot;
  }

  /** Records that all entries and the snapshot are being written now. */
  acceptInProgress(): void {
    this.offsetInProgress = this.offset + this.length;
    if (this.snapshot !== undefined) this.snapshotInProgress = true;
    this.#check();
  }

  /**
   * Records that entries up to (`index`, `term`) are stored, and that no write under way can replace them. Ignored when the entry is
   * gone or has been replaced by one of another term.
   */
  stableTo(index: LogIndex, term: Term): void {
    if (index < this.offset || this.term(index) !== term) return;
    this.#head += index + 1 - this.offset;
    this.offset = index + 1;
    this.offsetInProgress = Math.max(this.offsetInProgress, this.offset);
    this.#dropCache();
    if (this.#head === this.#buffer.length) {
      this.#buffer = [];
      this.#head = 0;
    } else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#buffer.length) {
      this.#buffer.copyWithin(0, this.#head);
      this.#buffer.length -= this.#head;
      this.#head = 0;
    }
    this.#check();
  }

  /** Records that the snapshot at `index` is stored. Ignored when another snapshot has come since. */
  stableSnapshotTo(index: LogIndex): void {
    if (this.snapshot === undefined || this.snapshot.metadata.index !== index) return;
    this.snapshot = undefined;
    this.snapshotInProgress = false;
  }

  /** Replaces everything by a snapshot. */
  restore(snapshot: Snapshot): void {
    this.offset = snapshot.metadata.index + 1;
    this.offsetInProgress = this.offset;
    this.#buffer = [];
    this.#head = 0;
    this.snapshot = snapshot;
    this.snapshotInProgress = false;
    this.#dropCache();
  }

  /** Appends `entries` (not empty). Replaces the entries from the first new index on. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const from = (entries[0] as Entry).index;
    const end = this.offset + this.length;
    invariant(from <= end, () => `unstable entries must be contiguous: ${from} does not follow ${end - 1}`);
    if (from < end) this.#truncate(from);
    for (const entry of entries) this.#buffer.push(entry);
    this.#dropCache();
    this.#check();
  }

  /**
   * Entries in `[lo, hi)`, cut before the entry with which their encoded sizes would exceed `maxBytes`, but at least one. The whole
   * range must be unstable.
   */
  slice(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[] {
    invariant(lo <= hi, () => `slice [${lo}, ${hi}) is the wrong way round`);
    invariant(
      lo >= this.offset && hi <= this.offset + this.length,
      () => `slice [${lo}, ${hi}) is not within [${this.offset}, ${this.offset + this.length})`,
    );
    if (lo === hi) return NO_ENTRIES;
    if (this.#cachedLo === lo && this.#cachedHi === hi && this.#cachedMaxBytes === maxBytes) return this.#cached;
    const start = this.#head + lo - this.offset;
    const count = countWithin(this.#buffer, start, start + hi - lo, maxBytes);
    const entries = this.#buffer.slice(start, start + count);
    this.#cachedLo = lo;
    this.#cachedHi = hi;
    this.#cachedMaxBytes = maxBytes;
    this.#cached = entries;
    return entries;
  }

  #truncate(from: LogIndex): void {
    if (from <= this.offset) {
      this.#buffer = [];
      this.#head = 0;
      this.offset = from;
      this.offsetInProgress = from;
    } else {
      this.#buffer.length = this.#head + from - this.offset;
      this.offsetInProgress = Math.min(this.offsetInProgress, from);
    }
  }

  #dropCache(): void {
    this.#cachedLo = 0;
    this.#cachedHi = 0;
    this.#cached = NO_ENTRIES;
  }

  #check(): void {
    const end = this.offset + this.length;
    invariant(
      this.offset <= this.offsetInProgress && this.offsetInProgress <= end,
      () => `U2: ${this.offset} <= ${this.offsetInProgress} <= ${end} does not hold`,
    );
    invariant(
      this.snapshot === undefined || this.snapshot.metadata.index < this.offset,
      () => `U3: offset ${this.offset} is not beyond the snapshot`,
    );
  }
}
