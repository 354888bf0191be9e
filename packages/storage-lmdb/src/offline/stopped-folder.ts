/**
 * A data folder whose node does not run, or a backup of one, opened to be looked at.
 *
 * Invariants:
 * O1. Nothing of it changes: LMDB is opened for reading, and the journal is read beside it.
 * O2. A folder is locked while it is open, as a node locks it; a running node's is refused with STORAGE_LOCKED.
 */
import { realpath, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { corrupt, openFailure, StorageError } from "../errors.ts";
import { damageOf } from "../folder/data-file.ts";
import { dataFileOf } from "../folder/open-folder.ts";
import { OwnerLock } from "../folder/owner-lock.ts";
import { STORAGE_FORMAT_VERSION } from "../format/format-version.ts";
import { FORMAT_KEY, IDENTITY_KEY, MARK_KEY } from "../format/keys.ts";
import { decodeFormat, decodeIdentity, type Identity, isIntact } from "../format/records.ts";
import { decodeMark } from "../journal/mark.ts";
import type { DamageList } from "./damage.ts";
import { type JournalContents, readJournal } from "./journal-contents.ts";
import { isBackup } from "./manifest.ts";
import { MergedRecords } from "./merged-records.ts";

const MAP_BYTES = 64 * 1024 ** 3;
/** The first format that has a journal. */
const FIRST_WITH_JOURNAL = 2;

/** Options of opening a {@link StoppedFolder}. */
export interface StoppedFolderOptions {
  /** Where damages go; without it the first one is thrown. */
  readonly damages?: DamageList;
  /** A look at the whole of LMDB's file before LMDB reads it; what it finds damaged keeps LMDB from being opened. */
  readonly examine?: (file: string) => Promise<boolean>;
}

/** What the records of the folder as a whole say. Zero and undefined where they are damaged. */
interface FolderFacts {
  readonly format: number;
  readonly incarnation: number;
  readonly identity: Identity | undefined;
  readonly journal: JournalContents | undefined;
}

/** An open stopped folder (O1, O2). `close` unlocks it. */
export class StoppedFolder implements FolderFacts {
  /** As an absolute path without symbolic links. */
  readonly path: string;
  readonly isBackup: boolean;
  readonly format: number;
  readonly incarnation: number;
  readonly identity: Identity | undefined;
  /** Undefined for a folder of a format that has none, or without a mark. */
  readonly journal: JournalContents | undefined;
  /** With the journal's changes. */
  readonly records: MergedRecords;
  readonly #close: () => Promise<void>;

  private constructor(
    place: { readonly path: string; readonly isBackup: boolean },
    facts: FolderFacts,
    records: MergedRecords,
    close: () => Promise<void>,
  ) {
    this.path = place.path;
    this.isBackup = place.isBackup;
    this.format = facts.format;
    this.incarnation = facts.incarnation;
    this.identity = facts.identity;
    this.journal = facts.journal;
    this.records = records;
    this.#close = close;
  }

  /**
   * Throws StorageError STORAGE_PATH_INVALID, STORAGE_LOCKED, STORAGE_FORMAT_UNSUPPORTED, and STORAGE_CORRUPT unless `damages`
   * are collected.
   */
  static async open(folder: string, options: StoppedFolderOptions = {}): Promise<StoppedFolder> {
    const path = await existing(folder);
    const backup = await isBackup(path);
    // No node runs in a backup, and nothing is to be added to it.
    const lock = backup ? undefined : await OwnerLock.acquire(path);
    let root: RootDatabase<Buffer, Buffer> | undefined;
    const close = async (): Promise<void> => {
      await root?.close();
      await lock?.release();
      // LMDB's list of readers is no part of a backup.
      if (backup && root !== undefined) await rm(join(path, "lock.mdb"), { force: true });
    };
    try {
      root = await openData(path, options);
      const database = root?.openDB<Buffer, Buffer>({ name: "raft", keyEncoding: "binary", encoding: "binary" });
      const records = new MergedRecords(database);
      const facts = await readFacts(path, database, records, options.damages);
      return new StoppedFolder({ path, isBackup: backup }, facts, records, close);
    } catch (error) {
      await close();
      throw openFailure(path, error);
    }
  }

  /** LMDB's file. */
  get file(): string {
    return dataFileOf(this.path);
  }

  close(): Promise<void> {
    return this.#close();
  }
}

async function existing(folder: string): Promise<string> {
  try {
    const path = await realpath(folder);
    if ((await stat(dataFileOf(path))).isFile()) return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw openFailure(folder, error);
  }
  const message = `${folder}: no data folder of a node; it has no data.mdb. Give the folder that the node was started with (--data).`;
  throw new StorageError("STORAGE_PATH_INVALID", message, { details: { path: folder } });
}

/** Undefined when the file is so damaged that LMDB must not see it. */
async function openData(
  path: string,
  { damages, examine }: StoppedFolderOptions,
): Promise<RootDatabase<Buffer, Buffer> | undefined> {
  const file = dataFileOf(path);
  const damage = (await stat(file)).size === 0 ? "it is empty" : await damageOf(file);
  if (damage !== undefined) {
    const error = corrupt({ file, record: "meta pages" }, damage);
    if (damages === undefined) throw error;
    damages.addError(error);
    return undefined;
  }
  if (examine !== undefined && !(await examine(file))) return undefined;
  return open({
    path,
    noSubdir: false,
    readOnly: true,
    mapSize: MAP_BYTES,
    maxDbs: 16,
    keyEncoding: "binary",
    encoding: "binary",
  });
}

async function readFacts(
  path: string,
  database: Database<Buffer, Buffer> | undefined,
  records: MergedRecords,
  damages: DamageList | undefined,
): Promise<FolderFacts> {
  const file = dataFileOf(path);
  const refuse = (record: string, found: string): void => {
    const error = corrupt({ file, record }, found);
    if (damages === undefined) throw error;
    damages.addError(error);
  };
  const nothing = { format: 0, incarnation: 0, identity: undefined, journal: undefined };
  if (database === undefined) return nothing;
  const sound = (key: Buffer, record: string): Buffer | undefined => {
    const bytes = records.get(key);
    if (bytes !== undefined && isIntact(key, bytes)) return Buffer.from(bytes);
    refuse(record, bytes === undefined ? "missing" : "wrong checksum");
    return undefined;
  };
  const formatRecord = sound(FORMAT_KEY, "format version");
  const format = formatRecord === undefined ? 0 : decodeFormat(formatRecord);
  if (format > STORAGE_FORMAT_VERSION) {
    const message =
      `${path}: the data folder has format ${format}, this version reads up to ${STORAGE_FORMAT_VERSION}. ` +
      "Use the tools of the version that wrote it, or of a newer one.";
    throw new StorageError("STORAGE_FORMAT_UNSUPPORTED", message, { details: { path, version: format } });
  }
  const identityRecord = sound(IDENTITY_KEY, "identity");
  const known = identityRecord === undefined ? nothing : decodeIdentity(identityRecord);
  if (formatRecord !== undefined && format < FIRST_WITH_JOURNAL) return { ...known, format, journal: undefined };
  const markRecord = sound(MARK_KEY, "the journal's mark");
  const mark = markRecord === undefined ? undefined : decodeMark(MARK_KEY, markRecord);
  if (mark === undefined) return { ...known, format, journal: undefined };
  const paths = [join(path, "journal-0"), join(path, "journal-1")] as const;
  return { ...known, format, journal: await readJournal(paths, mark, records, damages) };
}
