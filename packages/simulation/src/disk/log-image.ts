/**
 * What one group's storage holds at some moment: on the platter, or as the running process sees it. Synchronous and simple;
 * written for the simulator alone, so that it shares no bug with the storages it stands for.
 */

import { EMPTY_BYTES, EMPTY_CONF_STATE, type LogIndex, type SnapshotMetadata, type Term } from "@raftoral/raft-core";
import type { Entry, HardState, Missing, Snapshot } from "@raftoral/raft-core/core";
import type { WriteBatch } from "@raftoral/raft-core/storage";
import { countWithin } from "@raftoral/raft-core/storage";

/** One image. Two of them make a disk: what is on the platter, and what the process sees. */
export class LogImage {
  hardState: HardState = { term: 0, vote: 0, commit: 0 };
  snapshot: Snapshot = { metadata: { confState: EMPTY_CONF_STATE, index: 0, term: 0 }, data: EMPTY_BYTES };
  chunks: readonly Uint8Array[] = [];
  /** The entry before the first one. */
  compactedIndex: LogIndex = 0;
  compactedTerm: Term = 0;
  /** Indexes of entries whose bytes are damaged. */
  readonly damaged = new Set<LogIndex>();
  #log: Entry[] = [];

  get firstIndex(): LogIndex {
    return this.compactedIndex + 1;
  }

  get lastIndex(): LogIndex {
    return this.compactedIndex + this.#log.length;
  }

  get isBlank(): boolean {
    return this.hardState.term === 0 && this.lastIndex === 0;
  }

  term(index: LogIndex): Term | Missing {
    if (index < this.compactedIndex) return "compacted";
    if (index === this.compactedIndex) return this.compactedTerm;
    return this.#log[index - this.compactedIndex - 1]?.term ?? "unavailable";
  }

  entries(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[] | Missing {
    if (lo <= this.compactedIndex) return "compacted";
    if (hi > this.lastIndex + 1) return "unavailable";
    const start = lo - this.compactedIndex - 1;
    return this.#log.slice(start, start + countWithin(this.#log, start, hi - this.compactedIndex - 1, maxBytes));
  }

  /** Whether (`index`, `term`) is held: as an entry, or as part of what a snapshot stands for. */
  covers(index: LogIndex, term: Term): boolean {
    return index <= this.compactedIndex || this.term(index) === term;
  }

  /** Puts a batch in force. `chunks` is the content of the batch's snapshot. Returns what is wrong with the batch, if anything. */
  apply(batch: WriteBatch, chunks: readonly Uint8Array[]): string | undefined {
    const { hardState, snapshot, entries, compactTo } = batch;
    if (snapshot !== undefined) {
      const { metadata, reset } = snapshot;
      if (reset || metadata.index > this.snapshot.metadata.index) {
        if (!reset && metadata.index > this.lastIndex)
          return `local snapshot ${metadata.index} beyond ${this.lastIndex}`;
        if (reset && metadata.index < this.compactedIndex) return `snapshot ${metadata.index} before the log`;
        this.snapshot = { metadata, data: EMPTY_BYTES };
        this.chunks = chunks;
        if (reset) this.#reset(metadata);
      }
    }
    const first = entries?.[0];
    if (entries !== undefined && first !== undefined) {
      if (first.index < this.firstIndex || first.index > this.lastIndex + 1) {
        return `entries from ${first.index} do not join [${this.firstIndex}, ${this.lastIndex}]`;
      }
      this.#log.length = first.index - this.firstIndex;
      for (const index of this.damaged) if (index >= first.index) this.damaged.delete(index);
      for (const entry of entries) {
        if (entry.index !== this.lastIndex + 1) return `entry ${entry.index} after ${this.lastIndex}`;
        this.#log.push(entry);
      }
    }
    if (hardState !== undefined) this.hardState = hardState;
    if (compactTo !== undefined) return this.#compact(compactTo);
    return undefined;
  }

  /** Everything is gone, as on a new disk. */
  clear(): void {
    this.hardState = { term: 0, vote: 0, commit: 0 };
    this.snapshot = { metadata: { confState: EMPTY_CONF_STATE, index: 0, term: 0 }, data: EMPTY_BYTES };
    this.chunks = [];
    this.#reset({ index: 0, term: 0 });
  }

  copy(): LogImage {
    const copy = new LogImage();
    copy.hardState = this.hardState;
    copy.snapshot = this.snapshot;
    copy.chunks = this.chunks;
    copy.compactedIndex = this.compactedIndex;
    copy.compactedTerm = this.compactedTerm;
    copy.#log = [...this.#log];
    for (const index of this.damaged) copy.damaged.add(index);
    return copy;
  }

  /** Cuts everything from `index` on: what a recovery does that takes damage for a torn tail. */
  truncateFrom(index: LogIndex): void {
    this.#log.length = Math.max(0, index - this.firstIndex);
    this.hardState = { ...this.hardState, commit: Math.min(this.hardState.commit, this.lastIndex) };
    this.damaged.clear();
  }

  #reset({ index, term }: Pick<SnapshotMetadata, "index" | "term">): void {
    this.#log = [];
    this.damaged.clear();
    this.compactedIndex = index;
    this.compactedTerm = term;
  }

  #compact(to: LogIndex): string | undefined {
    if (to > this.lastIndex + 1) return `compaction to ${to} beyond ${this.lastIndex}`;
    const drop = to - this.firstIndex;
    if (drop <= 0) return undefined;
    this.compactedTerm = (this.#log[drop - 1] as Entry).term;
    this.compactedIndex = to - 1;
    this.#log = this.#log.slice(drop);
    for (const index of this.damaged) if (index < to) this.damaged.delete(index);
    return undefined;
  }
}
