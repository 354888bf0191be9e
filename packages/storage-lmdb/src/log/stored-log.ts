/**
 * The reads that every storage of a group answers from its state record: bounds, and ranges of entries cut to a size.
 *
 * Role: the base of LmdbGroupStorage and ReadOnlyGroup. Its subclasses know where the entries are.
 */
import { type ConfState, EMPTY_BYTES, invariant, type LogIndex, type Term } from "@raftoral/raft-core";
import {
  type Entry,
  entrySize,
  type HardState,
  type LogStorage,
  type Missing,
  type Snapshot,
} from "@raftoral/raft-core/storage";
import { corrupt } from "../errors.ts";
import { moveEntryKey } from "../format/keys.ts";
import { type GroupState, isEntry, isIntact } from "../format/records.ts";

/** A group's log whose bounds are in its state record. It keeps S1 and S2 of raft-core's ports/storage.ts. */
export abstract class StoredLog implements LogStorage {
  /** The state record as reads show it. */
  protected abstract get state(): GroupState;

  /** The entry at an index within the log. Throws StorageError STORAGE_CORRUPT for a damaged record. */
  protected abstract entryAt(index: LogIndex): Entry;

  /** The term of the entry at an index within the log. Throws StorageError STORAGE_CORRUPT for a damaged record. */
  protected abstract termAt(index: LogIndex): Term;

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return { hardState: this.state.hardState, confState: this.state.snapshot.confState };
  }

  firstIndex(): LogIndex {
    return this.state.compactedIndex + 1;
  }

  lastIndex(): LogIndex {
    return this.state.lastIndex;
  }

  term(index: LogIndex): Term | Missing {
    const { compactedIndex, compactedTerm, lastIndex } = this.state;
    if (index < compactedIndex) return "compacted";
    if (index > lastIndex) return "unavailable";
    return index === compactedIndex ? compactedTerm : this.termAt(index);
  }

  entries(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[] | Missing {
    invariant(lo <= hi, () => `entries [${lo}, ${hi}): the range is reversed`);
    if (lo <= this.state.compactedIndex) return "compacted";
    if (hi > this.state.lastIndex + 1) return "unavailable";
    const found: Entry[] = [];
    let bytes = 0;
    for (let index = lo; index < hi; index++) {
      const entry = this.entryAt(index);
      bytes += entrySize(entry);
      if (bytes > maxBytes && index > lo) break;
      found.push(entry);
    }
    return found;
  }

  snapshot(): Snapshot | "unavailable" {
    return { metadata: this.state.snapshot, data: EMPTY_BYTES };
  }
}

/**
 * The checked record of the entry at `index`, found by `read` under `key`, which is moved to the entry. Throws StorageError STORAGE_CORRUPT for a
 * record that is missing or damaged. The bytes are valid as long as those that `read` returns.
 */
export function entryRecord(
  key: Buffer,
  index: LogIndex,
  where: { readonly file: string; readonly group: number },
  read: (key: Buffer) => Buffer | undefined,
): Buffer {
  moveEntryKey(key, index);
  const record = read(key);
  if (record !== undefined && isIntact(key, record) && isEntry(record)) return record;
  const flaw = record === undefined ? "missing" : "wrong checksum";
  throw corrupt({ ...where, record: `entry ${index}`, index }, flaw);
}
