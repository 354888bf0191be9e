/**
 * The log as consensus sees it: the stored entries, followed and partly replaced by the unstable ones; and how far the log is committed, handed
 * out for applying, and applied.
 *
 * It must not make decisions of consensus: it knows no messages and does not compare terms with the node's own.
 *
 * Invariants:
 * L1. `applied <= applying <= committed <= lastIndex`. Each of the first three only grows.
 * L2. Committed entries are never replaced (Raft paper §5.4.3, Leader Completeness, as far as one node can tell).
 * L3. Two logs with an entry of the same index and term agree on everything before it (§5.3, Log Matching): entries are
 *     appended only after the entry before them has matched.
 * L4. While a snapshot waits to be stored, no entries are handed out for applying.
 * L5. When all entries that were handed out are applied, no bytes are counted as being applied. So the bound never holds back the next entries.
 */
import { invariant } from "../errors.ts";
import type { LogStorage, Missing } from "../ports/storage.ts";
import type { Entry, LogIndex, Snapshot, Term } from "../types.ts";
import { countWithin } from "./entry-size.ts";
import { Unstable } from "./unstable.ts";

const NO_ENTRIES: readonly Entry[] = Object.freeze([]);

/** A guess up to where two logs agree. `term` is 0 when this log does not know the term at `index`. */
export interface ConflictGuess {
  readonly index: LogIndex;
  readonly term: Term;
}

/** The log of one node. Reads its storage and never writes to it. Throws InvariantViolation when a caller or the storage breaks L1, L2, S1 or S2. */
export class RaftLog {
  readonly storage: LogStorage;
  readonly unstable: Unstable;
  /** Highest index known to be on a quorum. */
  committed: LogIndex;
  /** Highest index handed to the application. */
  applying: LogIndex;
  /** Highest index the application has reported applied. */
  applied: LogIndex;
  /** Bound on the encoded bytes handed out and not yet reported applied. */
  readonly maxApplyingBytes: number;

  #applyingBytes = 0;
  #applyingPaused = false;

  constructor(storage: LogStorage, maxApplyingBytes: number) {
    const firstIndex = storage.firstIndex();
    const lastIndex = storage.lastIndex();
    invariant(firstIndex <= lastIndex + 1, () => `S1: first index ${firstIndex}, last index ${lastIndex}`);
    invariant(maxApplyingBytes > 0, "the bound on bytes being applied must be positive");
    this.storage = storage;
    this.unstable = new Unstable(lastIndex + 1);
    this.maxApplyingBytes = maxApplyingBytes;
    this.committed = firstIndex - 1;
    this.applying = firstIndex - 1;
    this.applied = firstIndex - 1;
  }

  /** Index of the first entry that is not compacted. One beyond {@link lastIndex} when the log has no entries. */
  firstIndex(): LogIndex {
    return this.unstable.firstIndex() ?? this.storage.firstIndex();
  }

  /** Index of the last entry, or of the snapshot when no entries follow. */
  lastIndex(): LogIndex {
    return this.unstable.lastIndex() ?? this.storage.lastIndex();
  }

  /** Term of the last entry, or of the snapshot when no entries follow. */
  lastTerm(): Term {
    const term = this.term(this.lastIndex());
    invariant(typeof term === "number", () => `S2: no term at the last index ${this.lastIndex()}`);
    return term;
  }

  /** Term at `index`, which may be one before the first index. */
  term(index: LogIndex): Term | Missing {
    const term = this.unstable.term(index);
    if (term !== undefined) return term;
    if (index + 1 < this.firstIndex()) return "compacted";
    if (index > this.lastIndex()) return "unavailable";
    return this.storage.term(index);
  }

  /** Term at `index`, 0 when it is not known. */
  termOrZero(index: LogIndex): Term {
    const term = this.term(index);
    return typeof term === "number" ? term : 0;
  }

  /** Whether the entry at `index` is known and has the term `term`. */
  matchTerm(index: LogIndex, term: Term): boolean {
    return this.term(index) === term;
  }

  /** Whether a log that ends with (`index`, `term`) is at least as up to date as this one (Raft paper §5.4.1). */
  isUpToDate(index: LogIndex, term: Term): boolean {
    const lastTerm = this.lastTerm();
    return term > lastTerm || (term === lastTerm && index >= this.lastIndex());
  }

  /**
   * A follower's append (Raft paper §5.3). Returns the index up to which this log now agrees with the sender's, or undefined
   * when the log does not have the entry before `entries`, (`prevIndex`, `prevTerm`).
   */
  maybeAppend(
    prevIndex: LogIndex,
    prevTerm: Term,
    entries: readonly Entry[],
    committed: LogIndex,
  ): LogIndex | undefined {
    if (!this.matchTerm(prevIndex, prevTerm)) return undefined;
    const lastNew = prevIndex + entries.length;
    const conflict = this.findConflict(entries);
    if (conflict > 0) {
      invariant(
        conflict > this.committed,
        () => `L2: entry ${conflict} conflicts with a committed one (committed ${this.committed})`,
      );
      const skip = conflict - prevIndex - 1;
      invariant(skip < entries.length, () => `entry ${conflict} is not among the ${entries.length} to append`);
      this.append(skip === 0 ? entries : entries.slice(skip));
    }
    this.commitTo(Math.min(committed, lastNew));
    return lastNew;
  }

  /** Appends without looking for a match. Replaces the entries from the first new index on. Returns the last index. */
  append(entries: readonly Entry[]): LogIndex {
    const first = entries[0];
    if (first === undefined) return this.lastIndex();
    invariant(
      first.index > this.committed,
      () => `L2: entry ${first.index} would replace a committed one (committed ${this.committed})`,
    );
    this.unstable.truncateAndAppend(entries);
    return this.lastIndex();
  }

  /** Index of the first of `entries` that this log does not have with the same term; 0 when it has all of them. */
  findConflict(entries: readonly Entry[]): LogIndex {
    for (const entry of entries) {
      if (!this.matchTerm(entry.index, entry.term)) return entry.index;
    }
    return 0;
  }

  /**
   * The greatest index, at most `index`, whose term is at most `term` or is not known. Leader and follower use it after a refused append
   * to skip whole terms instead of probing entry by entry (Raft paper, end of §5.3).
   */
  findConflictByTerm(index: LogIndex, term: Term): ConflictGuess {
    for (let at = index; at > 0; at--) {
      const own = this.term(at);
      if (typeof own !== "number") return { index: at, term: 0 };
      if (own <= term) return { index: at, term: own };
    }
    return { index: 0, term: 0 };
  }

  /** Moves the commit index forward to `index`. Does nothing when it is there already or beyond. */
  commitTo(index: LogIndex): void {
    if (index <= this.committed) return;
    invariant(
      index <= this.lastIndex(),
      () => `L1: commit ${index} is beyond the last index ${this.lastIndex()}: was the log truncated or lost?`,
    );
    this.committed = index;
  }

  /** Commits up to `index` if the entry there has the term `term` (Raft paper §5.4.2). Returns whether the commit index moved. */
  maybeCommit(index: LogIndex, term: Term): boolean {
    if (index <= this.committed || term === 0 || this.termOrZero(index) !== term) return false;
    this.commitTo(index);
    return true;
  }

  /** Whether {@link nextCommittedEntries} would return entries. `allowUnstable` includes entries that are not durable yet. */
  hasNextCommittedEntries(allowUnstable: boolean): boolean {
    if (this.#applyingPaused || this.unstable.snapshot !== undefined) return false;
    return this.applying < this.#maxAppliableIndex(allowUnstable);
  }

  /** Committed entries to apply next, within the bound on bytes being applied. */
  nextCommittedEntries(allowUnstable: boolean): readonly Entry[] {
    if (!this.hasNextCommittedEntries(allowUnstable)) return NO_ENTRIES;
    const maxBytes = this.maxApplyingBytes - this.#applyingBytes;
    invariant(
      maxBytes > 0,
      () => `applying must be paused: ${this.#applyingBytes} of ${this.maxApplyingBytes} bytes out`,
    );
    const entries = this.slice(this.applying + 1, this.#maxAppliableIndex(allowUnstable) + 1, maxBytes);
    invariant(typeof entries !== "string", () => `unapplied entry ${this.applying + 1} is ${String(entries)}`);
    return entries;
  }

  /** Records that entries up to `index`, of `bytes` encoded bytes, have been handed out. */
  acceptApplying(index: LogIndex, bytes: number, allowUnstable: boolean): void {
    invariant(index <= this.committed, () => `L1: applying ${index} is beyond committed ${this.committed}`);
    invariant(index >= this.applying, () => `L1: applying went back from ${this.applying} to ${index}`);
    this.applying = index;
    this.#applyingBytes += bytes;
    // Also paused when the page ended before the last appliable entry, because the next entry would not fit either.
    this.#applyingPaused =
      this.#applyingBytes >= this.maxApplyingBytes || index < this.#maxAppliableIndex(allowUnstable);
  }

  /**
   * Records that entries up to `index` are applied; `bytes` is their encoded size as handed out. A snapshot may replace entries that were handed out
   * and whose report never comes. Once no entry beyond `index` is handed out, no bytes are counted (L5).
   */
  appliedTo(index: LogIndex, bytes: number): void {
    invariant(index <= this.committed, () => `L1: applied ${index} is beyond committed ${this.committed}`);
    invariant(index >= this.applied, () => `L1: applied went back from ${this.applied} to ${index}`);
    this.applied = index;
    this.#applyingBytes = index >= this.applying ? 0 : Math.max(0, this.#applyingBytes - bytes);
    this.applying = Math.max(this.applying, index);
    this.#applyingPaused = this.#applyingBytes >= this.maxApplyingBytes;
  }

  /** The snapshot to send to a follower, or "unavailable" while there is none. */
  snapshot(): Snapshot | "unavailable" {
    return this.unstable.snapshot ?? this.storage.snapshot();
  }

  /** Replaces the log by a snapshot from the leader. */
  restore(snapshot: Snapshot): void {
    invariant(
      snapshot.metadata.index > this.committed,
      () => `L1: snapshot at ${snapshot.metadata.index} is not beyond committed ${this.committed}`,
    );
    this.committed = snapshot.metadata.index;
    this.unstable.restore(snapshot);
  }

  /** Entries from `lo` on, cut to `maxBytes` of encoded size but at least one; none beyond the last index. */
  entriesFrom(lo: LogIndex, maxBytes: number): readonly Entry[] | "compacted" {
    const lastIndex = this.lastIndex();
    return lo > lastIndex ? NO_ENTRIES : this.slice(lo, lastIndex + 1, maxBytes);
  }

  /** Entries in `[lo, hi)`, cut to `maxBytes` of encoded size but at least one. */
  slice(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[] | "compacted" {
    const offset = this.unstable.offset;
    // The common case comes first and does not ask the storage.
    if (lo >= offset) return this.unstable.slice(lo, hi, maxBytes);
    invariant(lo <= hi, () => `slice [${lo}, ${hi}) is the wrong way round`);
    if (lo < this.firstIndex()) return "compacted";
    invariant(hi <= this.lastIndex() + 1, () => `slice [${lo}, ${hi}) ends beyond the last index ${this.lastIndex()}`);
    if (lo === hi) return NO_ENTRIES;

    const storedEnd = Math.min(hi, offset);
    const stored = this.storage.entries(lo, storedEnd, maxBytes);
    if (stored === "compacted") return "compacted";
    invariant(stored !== "unavailable", () => `S1: storage has no entries [${lo}, ${storedEnd})`);
    invariant(stored.length > 0, () => `storage returned none of the entries [${lo}, ${storedEnd})`);
    if (stored.length < storedEnd - lo || hi <= offset) return stored;
    const combined = stored.concat(this.unstable.slice(offset, hi, maxBytes));
    const count = countWithin(combined, 0, combined.length, maxBytes);
    return count === combined.length ? combined : combined.slice(0, count);
  }

  /** Whether `found` holds for any entry in `[lo, hi)`, read page by page. The entries must not be compacted. */
  some(lo: LogIndex, hi: LogIndex, pageBytes: number, found: (entry: Entry) => boolean): boolean {
    for (let at = lo; at < hi; ) {
      const page = this.slice(at, hi, pageBytes);
      invariant(typeof page !== "string" && page.length > 0, () => `entries [${at}, ${hi}) cannot be read`);
      if (page.some(found)) return true;
      at += page.length;
    }
    return false;
  }

  /** The highest index that may be applied. Unstable entries may be applied in synchronous mode only, where they become durable first. */
  #maxAppliableIndex(allowUnstable: boolean): LogIndex {
    return allowUnstable ? this.committed : Math.min(this.committed, this.unstable.offset - 1);
  }
}
