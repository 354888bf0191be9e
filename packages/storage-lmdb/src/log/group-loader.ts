/**
 * Reads a group from disk when it is opened, and checks all of it: a log that is damaged anywhere is not opened.
 *
 * Nothing is repaired here and nothing is cut off. LMDB's transactions leave no half-written tail, so a record that is
 * missing or wrong was acknowledged once, and dropping it could lose what a quorum counts on.
 */
import { EMPTY_CONF_STATE } from "@raftoral/raft-core";
import { type Entry, entrySize } from "@raftoral/raft-core/storage";
import type { Database } from "lmdb";
import { corrupt } from "../errors.ts";
import { entryIndexOf, entryKey, entryRange, moveEntryKey, stateKey } from "../format/keys.ts";
import { decodeEntry, decodeState, entryTerm, type GroupState, isEntry, isIntact } from "../format/records.ts";
import { moveRanges, type Range } from "./entry-garbage.ts";
import type { TailCache } from "./tail-cache.ts";
import type { TermRuns } from "./term-runs.ts";

/** A group as its stored records have it. */
export interface LoadedGroup {
  readonly state: GroupState;
  /** Entries that compaction left behind. */
  readonly garbage: readonly Range[];
}

const NEW_GROUP: GroupState = Object.freeze({
  hardState: { term: 0, vote: 0, commit: 0 },
  compactedIndex: 0,
  compactedTerm: 0,
  lastIndex: 0,
  snapshot: { confState: EMPTY_CONF_STATE, index: 0, term: 0 },
  spool: 0,
  chunks: 0,
});

/** Entries checked before other work of the event loop gets its turn. */
const ENTRIES_PER_TURN = 5_000;

/** Throws StorageError STORAGE_CORRUPT. Fills `terms` with the whole log and `cache` with its tail. */
export async function loadGroup(
  database: Database<Buffer, Buffer>,
  file: string,
  group: number,
  into: { readonly terms: TermRuns; readonly cache: TailCache },
): Promise<LoadedGroup> {
  const state = loadState(database, file, group);
  into.terms.reset(state.compactedIndex, state.compactedTerm);
  await checkEntries(database, file, group, state, into.terms);
  fillCache(database, group, state, into.cache);
  for (const beyond of database.getKeys({ ...entryRange(group, state.lastIndex + 1), limit: 1 })) {
    const index = entryIndexOf(beyond);
    throw corrupt(
      { file, group, record: `entry ${index}`, index },
      `present, though the log ends at ${state.lastIndex}`,
    );
  }
  const garbage: Range[] = [];
  for (const stale of database.getKeys(entryRange(group, 0, state.compactedIndex + 1))) {
    const index = entryIndexOf(stale);
    moveRanges([{ from: index, to: index + 1 }], garbage);
  }
  return { state, garbage };
}

/** Every record of the log: present, intact, and of a term that does not go back. */
async function checkEntries(
  database: Database<Buffer, Buffer>,
  file: string,
  group: number,
  state: GroupState,
  terms: TermRuns,
): Promise<void> {
  const key = entryKey(group, 0);
  let term = state.compactedTerm;
  for (let index = state.compactedIndex + 1; index <= state.lastIndex; index++) {
    moveEntryKey(key, index);
    const record = readRecord(database, key);
    if (record === undefined || !isIntact(key, record) || !isEntry(record) || entryTerm(record) < term) {
      throw corrupt({ file, group, record: `entry ${index}`, index }, flawOf(key, record, term, state.lastIndex));
    }
    term = entryTerm(record);
    terms.append(index, term);
    if (index % ENTRIES_PER_TURN === 0) await new Promise<void>((resume) => setImmediate(resume));
  }
}

function flawOf(key: Buffer, record: Buffer | undefined, term: number, last: number): string {
  if (record === undefined) return `missing, though the log goes up to ${last}`;
  if (!isIntact(key, record)) return "wrong checksum";
  if (!isEntry(record)) return "unreadable";
  return `its term ${entryTerm(record)} is below the one before it, ${term}`;
}

/** Reads backwards, so that only what stays in memory is decoded. */
function fillCache(database: Database<Buffer, Buffer>, group: number, state: GroupState, cache: TailCache): void {
  const key = entryKey(group, 0);
  const tail: Entry[] = [];
  let bytes = 0;
  for (let index = state.lastIndex; index > state.compactedIndex; index--) {
    moveEntryKey(key, index);
    const entry = decodeEntry(index, readRecord(database, key) as Buffer);
    bytes += entrySize(entry);
    if (bytes > cache.maxBytes) break;
    tail.push(entry);
  }
  for (const entry of tail.reverse()) cache.append(entry);
}

function loadState(database: Database<Buffer, Buffer>, file: string, group: number): GroupState {
  const key = stateKey(group);
  const record = readRecord(database, key);
  const where = { file, group, record: "state" };
  if (record === undefined) {
    for (const orphan of database.getKeys({ ...entryRange(group), limit: 1 })) {
      throw corrupt(where, `missing, though there are entries, from ${entryIndexOf(orphan)} on`);
    }
    return NEW_GROUP;
  }
  if (!isIntact(key, record)) throw corrupt(where, "wrong checksum");
  return decodeState(record);
}

/** The record's bytes, valid until the next read. */
export function readRecord(database: Database<Buffer, Buffer>, key: Buffer): Buffer | undefined {
  const bytes = database.getBinaryFast(key);
  // lmdb-js answers with a buffer that is longer than its `length` says; a view of its own is safe to pass on.
  return bytes?.subarray(0, bytes.length);
}
