/**
 * Opens a data folder: locks it, looks whose it is and which format it has, and brings LMDB up to date with the journal.
 *
 * | format | what it has |
 * |---|---|
 * | 1 | LMDB alone, with snapshots in it; from before the first release, refused |
 * | 2 | LMDB and a journal, of which LMDB's mark says how much it holds |
 */
import { join } from "node:path";
import type { Logger } from "@raftoral/raft-core";
import { type Database, open, type RootDatabase } from "lmdb";
import { corrupt, StorageError } from "../errors.ts";
import { STORAGE_FORMAT_VERSION } from "../format/format-version.ts";
import { FORMAT_KEY, IDENTITY_KEY, MARK_KEY } from "../format/keys.ts";
import {
  decodeFormat,
  decodeIdentity,
  encodeFormat,
  encodeIdentity,
  type Identity,
  isIntact,
} from "../format/records.ts";
import { Journal } from "../journal/journal.ts";
import { decodeMark, encodeMark } from "../journal/mark.ts";
import { replay } from "../journal/replay.ts";
import { readRecord } from "../log/group-loader.ts";
import { isBackup } from "../offline/manifest.ts";
import { damageOf } from "./data-file.ts";
import { OwnerLock } from "./owner-lock.ts";

/** Of a folder that nothing was written to yet. */
const NO_FORMAT = 0;

/** Address space set aside for the map. Nothing is allocated; beyond it LMDB maps again, which costs a moment. */
const MAP_BYTES = 64 * 1024 ** 3;

/** The parts of an open folder. The caller closes them. */
export interface OpenedFolder {
  readonly lock: OwnerLock;
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly database: Database<Buffer, Buffer>;
  readonly journal: Journal;
  readonly incarnation: number;
  readonly identity: Identity | undefined;
}

/** Options of opening a folder. */
export interface OpenFolderOptions {
  readonly expected: Partial<Identity>;
  readonly journalBytes: number;
  readonly logger?: Logger | undefined;
}

/** LMDB's file in a data folder. */
export function dataFileOf(path: string): string {
  return join(path, "data.mdb");
}

/** Throws StorageError, and what the system says; a folder that is refused is left as it was. */
export async function openFolder(path: string, options: OpenFolderOptions): Promise<OpenedFolder> {
  if (await isBackup(path)) {
    const message =
      `${path}: this is a backup, and no node may run in it: it has forgotten what it promised since. ` +
      "Make a data folder of it with `raftoral storage restore`.";
    throw new StorageError("STORAGE_IS_BACKUP", message, { details: { path } });
  }
  const lock = await OwnerLock.acquire(path);
  let root: RootDatabase<Buffer, Buffer> | undefined;
  let journal: Journal | undefined;
  try {
    const damage = await damageOf(dataFileOf(path));
    if (damage !== undefined) throw corrupt({ file: dataFileOf(path), record: "meta pages" }, damage);
    // overlappingSync would report a failed flush by never answering; without it a commit returns when all is flushed.
    root = open({
      path,
      noSubdir: false,
      overlappingSync: false,
      // Its batches of a turn would leave a promise behind that no one can handle when a commit fails.
      eventTurnBatching: false,
      mapSize: MAP_BYTES,
      maxDbs: 16,
      keyEncoding: "binary",
      encoding: "binary",
    });
    const database = root.openDB<Buffer, Buffer>({ name: "raft", keyEncoding: "binary", encoding: "binary" });
    const format = loadFormat(path, database);
    const known = loadIdentity(path, database);
    if (known.identity !== undefined) checkIdentity(path, known.identity, { ...known.identity, ...options.expected });
    journal = await openJournal(path, database, format, options.journalBytes);
    await replay(journal, database, options.logger);
    const incarnation = known.incarnation + 1;
    const mark = journal.markAt(journal.position);
    database.transactionSync(() => {
      database.putSync(FORMAT_KEY, encodeFormat(FORMAT_KEY, STORAGE_FORMAT_VERSION));
      database.putSync(IDENTITY_KEY, encodeIdentity(IDENTITY_KEY, incarnation, known.identity));
      database.putSync(MARK_KEY, encodeMark(MARK_KEY, mark));
    });
    return { lock, root, database, journal, incarnation, identity: known.identity };
  } catch (error) {
    await journal?.close();
    await root?.close();
    await lock.release();
    throw error;
  }
}

/** Throws StorageError STORAGE_IDENTITY_MISMATCH. */
export function checkIdentity(path: string, known: Identity, expected: Identity): void {
  if (known.nodeId === expected.nodeId && known.clusterId === expected.clusterId) return;
  const message =
    `${path}: the data folder belongs to node ${known.nodeId} of cluster ${known.clusterId}, ` +
    `not to node ${expected.nodeId} of cluster ${expected.clusterId}. Give this node its own folder, or correct its id.`;
  throw new StorageError("STORAGE_IDENTITY_MISMATCH", message, { details: { path, known, expected } });
}

function openJournal(
  path: string,
  database: Database<Buffer, Buffer>,
  format: number,
  journalBytes: number,
): Promise<Journal> {
  // A new folder. Until the mark is there the journal is not: what a crash left of its creation is overwritten.
  if (format === NO_FORMAT) return Journal.create(path, journalBytes);
  const record = readRecord(database, MARK_KEY);
  const mark = record === undefined ? undefined : decodeMark(MARK_KEY, record);
  if (mark !== undefined) return Journal.open(path, mark, journalBytes);
  const found = record === undefined ? "missing" : "wrong checksum";
  throw corrupt({ file: dataFileOf(path), record: "the journal's mark" }, found);
}

function loadFormat(path: string, database: Database<Buffer, Buffer>): number {
  const record = readRecord(database, FORMAT_KEY);
  if (record === undefined) return NO_FORMAT;
  if (!isIntact(FORMAT_KEY, record)) {
    throw corrupt({ file: dataFileOf(path), record: "format version" }, "wrong checksum");
  }
  const version = decodeFormat(record);
  if (version === STORAGE_FORMAT_VERSION) return version;
  const message =
    `${path}: the data folder has format ${version}, this version reads ${STORAGE_FORMAT_VERSION}. ` +
    "Run the version that wrote it, or a newer one; or begin with an empty folder and let the node join again.";
  throw new StorageError("STORAGE_FORMAT_UNSUPPORTED", message, { details: { path, version } });
}

function loadIdentity(path: string, database: Database<Buffer, Buffer>): ReturnType<typeof decodeIdentity> {
  const record = readRecord(database, IDENTITY_KEY);
  if (record === undefined) return { incarnation: 0, identity: undefined };
  if (!isIntact(IDENTITY_KEY, record)) {
    throw corrupt({ file: dataFileOf(path), record: "identity" }, "wrong checksum");
  }
  return decodeIdentity(record);
}
