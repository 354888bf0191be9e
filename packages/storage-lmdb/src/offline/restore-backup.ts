/**
 * Makes a data folder of a backup: of a new cluster, with the backup's node as its only member.
 *
 * Not of the old one. What the node promised after the backup (votes, entries that it acknowledged) is not in it, and a node that forgets
 * promises can make a cluster lose what it acknowledged. Old members refuse another cluster's nodes at the first word.
 *
 * H1. The folder appears under its name when it is finished, and not before.
 */
import { mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { openFailure, StorageError } from "../errors.ts";
import { createFolder } from "../folder/create-folder.ts";
import { flushFolder } from "../snapshots/snapshot-file.ts";
import { assertEmpty, copyFiles, targetFailure } from "./backup-target.ts";
import { type BackupManifest, flawOf, invalidBackup, readManifest } from "./manifest.ts";
import { type FolderRecovery, type RecoverOptions, recoverFolder } from "./recover-folder.ts";

/** What a restoration did, with the manifest of the backup. */
export interface Restoration extends FolderRecovery {
  readonly manifest: BackupManifest;
}

/**
 * Restores into `target`, which must be new or empty. Throws StorageError STORAGE_BACKUP_INVALID, STORAGE_TARGET_NOT_EMPTY,
 * STORAGE_IDENTITY_MISMATCH for the id of the old cluster, STORAGE_FULL; then `target` is as it was.
 */
export async function restoreBackup(backup: string, target: string, options: RecoverOptions): Promise<Restoration> {
  const manifest = await readManifest(backup);
  if (options.clusterId === manifest.clusterId) {
    const message =
      `${backup}: the backup is of cluster ${manifest.clusterId}, and a restored node must not speak in it: it has forgotten what it ` +
      "promised since. Give the new cluster another id.";
    throw new StorageError("STORAGE_IDENTITY_MISMATCH", message, {
      details: { path: backup, known: manifest.clusterId },
    });
  }
  const folder = resolve(target);
  await assertEmpty(folder);
  for (const file of manifest.files) {
    const flaw = await flawOf(backup, file);
    if (flaw !== undefined) throw invalidBackup(backup, `${file.path}: ${flaw}`);
  }
  const unfinished = await besides(folder);
  try {
    await copyFiles(
      backup,
      unfinished,
      manifest.files.map(({ path }) => path),
    );
    const recovery = await recoverFolder(unfinished, options);
    await flushFolder(unfinished);
    await rename(unfinished, folder);
    await flushFolder(dirname(folder));
    return { ...recovery, manifest };
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw targetFailure(folder, error);
  }
}

/** A folder on the same file system. */
async function besides(folder: string): Promise<string> {
  try {
    await createFolder(dirname(folder));
    return await mkdtemp(join(dirname(folder), `${basename(folder)}.restoring-`));
  } catch (error) {
    throw openFailure(folder, error);
  }
}
