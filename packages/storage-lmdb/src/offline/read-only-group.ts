/** One group of a stopped folder as a storage that can be read: for tools that replay its log. */
import { dirname, join } from "node:path";
import { InvariantViolation, type LogIndex, type Term } from "@raftoral/raft-core";
import type { Entry, GroupStorage, SnapshotSink, SnapshotStream } from "@raftoral/raft-core/storage";
import { corrupt } from "../errors.ts";
import { entryKey } from "../format/keys.ts";
import { decodeEntry, entryTerm, type GroupState } from "../format/records.ts";
import { entryRecord, StoredLog } from "../log/stored-log.ts";
import {
  DamagedRecord,
  readSnapshotFile,
  type SnapshotFileIndex,
  SnapshotFileReader,
} from "../snapshots/snapshot-file.ts";
import type { MergedRecords } from "./merged-records.ts";

/**
 * The storage of one group of a stopped folder. Reads throw STORAGE_CORRUPT for a damaged record. Methods that would write reject with
 * InvariantViolation.
 */
export class ReadOnlyGroup extends StoredLog implements GroupStorage {
  readonly group: number;
  readonly state: GroupState;
  readonly #records: MergedRecords;
  readonly #file: string;
  readonly #key: Buffer;

  constructor(records: MergedRecords, file: string, group: number, state: GroupState) {
    super();
    this.#records = records;
    this.#file = file;
    this.#key = entryKey(group, 0);
    this.group = group;
    this.state = state;
  }

  /** The latest snapshot's, whatever is asked for. */
  openSnapshot(): SnapshotStream {
    return readContent(this.#file, this.group, this.state);
  }

  write(): Promise<void> {
    return Promise.reject(new InvariantViolation(`${this.#file}: a folder that was opened to be read is written to`));
  }

  createSnapshot(): Promise<SnapshotSink> {
    return Promise.reject(new InvariantViolation(`${this.#file}: a folder that was opened to be read is written to`));
  }

  async close(): Promise<void> {}

  protected entryAt(index: LogIndex): Entry {
    return decodeEntry(index, this.#record(index));
  }

  protected termAt(index: LogIndex): Term {
    return entryTerm(this.#record(index));
  }

  #record(index: LogIndex): Buffer {
    return entryRecord(this.#key, index, { file: this.#file, group: this.group }, (key) => this.#records.get(key));
  }
}

/** Where the content of a group's snapshot is; undefined when it has none. */
export function snapshotPathOf(dataFile: string, group: number, { spool }: GroupState): string | undefined {
  return spool === 0 ? undefined : join(dirname(dataFile), "snapshots", `${group}-${spool}.snapshot`);
}

/** The file of a group's snapshot as its footer describes it, or what is wrong with it; undefined when it has none. */
export async function snapshotFileOf(
  dataFile: string,
  group: number,
  state: GroupState,
): Promise<SnapshotFileIndex | string | undefined> {
  const path = snapshotPathOf(dataFile, group, state);
  if (path === undefined) return undefined;
  return readSnapshotFile(path, { group, spool: state.spool }, state.chunks);
}

async function* readContent(dataFile: string, group: number, state: GroupState): AsyncGenerator<Uint8Array> {
  const path = snapshotPathOf(dataFile, group, state);
  const index = await snapshotFileOf(dataFile, group, state);
  if (path === undefined || index === undefined) return;
  const where = { file: path, group, record: `snapshot ${state.snapshot.index}/${state.snapshot.term}` };
  if (typeof index === "string") throw corrupt(where, index);
  const reader = new SnapshotFileReader(path, index);
  try {
    for (let next = await reader.next(); next !== undefined; next = await reader.next()) yield next;
  } catch (error) {
    throw error instanceof DamagedRecord ? corrupt(where, `record ${error.record}: ${error.message}`) : error;
  } finally {
    await reader.close();
  }
}
