/** Backs up the folder of a stopped node: a copy of its files, of which every record was looked at before. */
import { basename } from "node:path";
import { corrupt, StorageError } from "../errors.ts";
import { STORAGE_FORMAT_VERSION } from "../format/format-version.ts";
import { copyFiles, fillFolder } from "./backup-target.ts";
import { blobNames } from "./blob-files.ts";
import { type Damage, DamageList } from "./damage.ts";
import { type GroupRecords, listGroups } from "./group-list.ts";
import {
  BACKUP_FORMAT_VERSION,
  type BackupFile,
  type BackupManifest,
  describeFile,
  flawOf,
  invalidBackup,
  writeManifest,
} from "./manifest.ts";
import { snapshotPathOf } from "./read-only-group.ts";
import { openToVerify, type VerifyOptions, verifyOpened } from "./verify-folder.ts";

/**
 * Writes a backup of `folder` into `target`, a new or empty folder. It is whole and durable when this resolves; after a failure nothing is
 * left of it. Throws StorageError STORAGE_LOCKED while the node runs, STORAGE_CORRUPT for a folder with anything damaged,
 * STORAGE_TARGET_NOT_EMPTY, STORAGE_FULL, STORAGE_IS_BACKUP.
 */
export async function backupFolder(
  folder: string,
  target: string,
  options: VerifyOptions = {},
): Promise<BackupManifest> {
  const damages = new DamageList();
  const opened = await openToVerify(folder, damages, options);
  try {
    const { path, isBackup, identity, incarnation, format } = opened;
    if (isBackup) {
      throw new StorageError("STORAGE_IS_BACKUP", `${path}: it is a backup already; copy it with any tool.`, {
        details: { path },
      });
    }
    return await fillFolder(target, async () => {
      await verifyOpened(opened, damages, options);
      const [first] = damages.kept;
      if (first !== undefined) throw refusal(first, damages.count);
      if (identity === undefined)
        throw invalidBackup(path, "the folder belongs to no node yet; there is nothing to keep");
      const { groups } = listGroups(opened.records, opened.file, damages);
      const journal = opened.journal === undefined ? [] : ["journal-0", "journal-1"];
      const names = ["data.mdb", ...journal, ...snapshotNames(opened.file, groups), ...(await blobNames(path))];
      await copyFiles(path, target, names);
      const files: BackupFile[] = [];
      for (const name of names) {
        const file = await describeFile(path, name);
        const flaw = await flawOf(target, file);
        if (flaw !== undefined) throw invalidBackup(target, `${name} was copied, but ${flaw}`);
        files.push(file);
      }
      const manifest = manifestOf({ ...identity, incarnation, storageFormat: format }, groups, files);
      await writeManifest(target, manifest);
      return manifest;
    });
  } finally {
    await opened.close();
  }
}

/** Files of the groups' snapshots, within their folder. */
export function snapshotNames(dataFile: string, groups: readonly GroupRecords[]): string[] {
  return groups.flatMap(({ group, state }) => {
    const path = snapshotPathOf(dataFile, group, state);
    return path === undefined ? [] : [`snapshots/${basename(path)}`];
  });
}

/** The manifest of a backup that is made now. */
export function manifestOf(
  whose: Pick<BackupManifest, "clusterId" | "nodeId" | "incarnation"> & { readonly storageFormat?: number },
  groups: readonly GroupRecords[],
  files: readonly BackupFile[],
): BackupManifest {
  return {
    format: BACKUP_FORMAT_VERSION,
    storageFormat: whose.storageFormat ?? STORAGE_FORMAT_VERSION,
    clusterId: whose.clusterId,
    nodeId: whose.nodeId,
    incarnation: whose.incarnation,
    createdAt: new Date().toISOString(),
    groups: groups.map(({ group, state }) => ({
      group,
      term: state.hardState.term,
      commit: state.hardState.commit,
      lastIndex: state.lastIndex,
    })),
    files,
  };
}

function refusal({ file, group, record, index, found }: Damage, count: number): StorageError {
  const where = {
    file,
    record,
    ...(group === undefined ? {} : { group }),
    ...(index === undefined ? {} : { index }),
  };
  const more = count === 1 ? "" : ` (the first of ${count} damages; \`raftoral storage verify\` lists them)`;
  return corrupt(where, `${found}${more}`);
}
