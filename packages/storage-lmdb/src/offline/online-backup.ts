/**
 * Backs up the folder of a running node: LMDB as it is at one moment, and the snapshots that it names. A checkpoint goes before, so that
 * it has everything that was acknowledged when the backup began; the journal is not needed then, and a new one is made.
 *
 * LMDB copies on a thread of its own, from a read transaction: the node goes on, and what is written meanwhile takes new pages
 * instead of those that the copy still needs. Whatever transaction the copy sees, it is a moment of the node: a checkpoint's parts each
 * end with a whole round, and carry the mark that says so.
 */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { invariant } from "@raftoral/raft-core";
import { type Database, open, type RootDatabase } from "lmdb";
import { CollectedTransaction } from "../commit/collected-transaction.ts";
import { MARK_KEY } from "../format/keys.ts";
import type { Identity } from "../format/records.ts";
import { Journal } from "../journal/journal.ts";
import { encodeMark } from "../journal/mark.ts";
import { manifestOf, snapshotNames } from "./backup-folder.ts";
import { copyFiles, fillFolder, flushFile } from "./backup-target.ts";
import { blobNames } from "./blob-files.ts";
import { DamageList } from "./damage.ts";
import { type GroupRecords, listGroups } from "./group-list.ts";
import { type BackupFile, type BackupManifest, describeFile, invalidBackup, writeManifest } from "./manifest.ts";
import { MergedRecords } from "./merged-records.ts";

/** What of a running environment is backed up. */
export interface RunningFolder {
  readonly path: string;
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly identity: Identity;
  readonly incarnation: number;
  checkpoint(): Promise<void>;
  /** Called once the state is copied, before its blobs are; what it throws ends the backup. */
  readonly copied: (() => Promise<void>) | undefined;
  /** No snapshot's content is deleted until the returned function is called. */
  holdSnapshots(): () => void;
}

/** The journal of a copy is to be small: it is made again when the copy is used. */
const JOURNAL_BYTES = 64 * 1024;

/**
 * Writes a backup into `target`, a new or empty folder. Throws StorageError STORAGE_TARGET_NOT_EMPTY, STORAGE_FULL, and what a checkpoint
 * throws; then nothing is left of it.
 */
export function backupRunning(folder: RunningFolder, target: string): Promise<BackupManifest> {
  return fillFolder(target, async () => {
    const release = folder.holdSnapshots();
    let groups: readonly GroupRecords[];
    let names: readonly string[];
    try {
      await folder.checkpoint();
      // Without the free pages. Unlike the plain copy, which keeps writers out while it begins.
      await folder.root.backup(target, true);
      const file = join(target, "data.mdb");
      // Here and not by the transaction below: that one is to be short.
      await flushFile(file);
      groups = await complete(target, file);
      await folder.copied?.();
      names = [...snapshotNames(file, groups), ...(await blobNames(folder.path))];
      await copyFiles(folder.path, target, names);
    } finally {
      release();
    }
    const files: BackupFile[] = [];
    for (const name of ["data.mdb", "journal-0", "journal-1", ...names]) files.push(await describeFile(target, name));
    const manifest = manifestOf({ ...folder.identity, incarnation: folder.incarnation }, groups, files);
    await writeManifest(target, manifest);
    return manifest;
  });
}

/** Gives the copy a journal of its own. Returns the groups in it. */
async function complete(target: string, file: string): Promise<readonly GroupRecords[]> {
  const options = { keyEncoding: "binary", encoding: "binary" } as const;
  const root = open({
    path: target,
    noSubdir: false,
    overlappingSync: false,
    eventTurnBatching: false,
    maxDbs: 16,
    ...options,
  });
  try {
    const database: Database<Buffer, Buffer> = root.openDB<Buffer, Buffer>({ name: "raft", ...options });
    const journal = await Journal.create(target, JOURNAL_BYTES);
    const mark = journal.markAt(journal.position);
    await journal.close();
    const transaction = new CollectedTransaction();
    transaction.put(MARK_KEY, encodeMark(MARK_KEY, mark));
    await transaction.commit(database);
    const damages = new DamageList();
    const { groups } = listGroups(new MergedRecords(database), file, damages);
    const [first] = damages.kept;
    if (first !== undefined) throw invalidBackup(target, `${first.record} of group ${first.group}: ${first.found}`);
    invariant(groups.length > 0 || damages.count === 0, "a copy has as many groups as the original");
    return groups;
  } finally {
    await root.close();
    await rm(join(target, "lock.mdb"), { force: true });
  }
}
