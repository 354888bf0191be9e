/**
 * Looks at every record of a stopped folder, or of a backup, and tells everything that is damaged.
 *
 * In the order of the keys and once: each record must have its checksum, each log its entries without a gap and with terms that
 * do not fall, each state store at most what the log has that it follows from; then each snapshot's file, each blob, and of a backup every file.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { BLOBS_FOLDER, blobPath } from "../blobs/file-blob-store.ts";
import { StorageError } from "../errors.ts";
import { type Identity, isIntact } from "../format/records.ts";
import { DamagedRecord, SnapshotFileReader } from "../snapshots/snapshot-file.ts";
import { type BlobOfKey, type BlobsReport, missingBlobs, verifyBlobs } from "./blob-files.ts";
import { BACKUP_ADVICE, type Damage, DamageList, FOLDER_ADVICE } from "./damage.ts";
import { examinePages } from "./examine-pages.ts";
import { type GroupRecords, listGroups } from "./group-list.ts";
import { LogCheck } from "./log-check.ts";
import { flawOf, isBackup, MANIFEST_NAME, readManifest } from "./manifest.ts";
import { snapshotFileOf, snapshotPathOf } from "./read-only-group.ts";
import { StoppedFolder } from "./stopped-folder.ts";

/** How far a look at a folder has come. */
export interface VerifyProgress {
  readonly step: "pages" | "records" | "snapshots" | "blobs" | "files";
  /** Bytes looked at in this step. */
  readonly bytes: number;
}

/** Options of a verification. */
export interface VerifyOptions {
  /** Called now and then. */
  readonly progress?: (progress: VerifyProgress) => void;
  /** Tells which blobs the application's state names; without it none is missed. */
  readonly blobOf?: BlobOfKey;
}

/** The result of a verification. */
export interface VerifyReport {
  readonly path: string;
  readonly isBackup: boolean;
  readonly isIntact: boolean;
  readonly identity: Identity | undefined;
  readonly groups: number;
  readonly records: number;
  readonly bytes: number;
  /** Large values beside the log. */
  readonly blobs: BlobsReport;
  /** Hashes of those that the state names and that are not there, the first thousand. A node fetches them from other members; in a backup they are damages. */
  readonly missingBlobs: readonly string[];
  /** Damages, the first thousand. */
  readonly damages: readonly Damage[];
  /** All of them. */
  readonly damageCount: number;
  /** What is no damage, but worth knowing. */
  readonly notes: readonly string[];
}

/** Records looked at before other work of the event loop gets its turn. */
const RECORDS_PER_TURN = 2_000;
const BEYOND_ALL_KEYS = Buffer.from([0xff]);

/**
 * Looks at everything. Throws StorageError STORAGE_LOCKED while the node runs, STORAGE_FORMAT_UNSUPPORTED and
 * STORAGE_PATH_INVALID; damages are told and not thrown. Changes nothing.
 */
export async function verifyFolder(path: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const backup = await isBackup(path);
  const damages = new DamageList(backup ? BACKUP_ADVICE : FOLDER_ADVICE);
  if (backup) await verifyFiles(path, damages, options);
  const folder = await openToVerify(path, damages, options);
  try {
    return await verifyOpened(folder, damages, options);
  } finally {
    await folder.close();
  }
}

/** Opens a folder for {@link verifyOpened}. What keeps it from being read is in `damages` afterwards. */
export function openToVerify(path: string, damages: DamageList, options: VerifyOptions): Promise<StoppedFolder> {
  const progress = (bytes: number): void => options.progress?.({ step: "pages", bytes });
  return StoppedFolder.open(path, { damages, examine: (file) => examinePages(file, damages, progress) });
}

/** As {@link verifyFolder}, of a folder that is open. `damages` has what was found before. */
export async function verifyOpened(
  folder: StoppedFolder,
  damages: DamageList,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const notes: string[] = [];
  const { groups, damaged } = listGroups(folder.records, folder.file, damages);
  const counted = await verifyRecords(folder, groups, damaged, damages, options);
  await verifySnapshots(folder, groups, damages, options);
  const blobs = await verifyBlobs(folder.path, damages, (bytes) => options.progress?.({ step: "blobs", bytes }));
  const missing = options.blobOf === undefined ? [] : await missingBlobs(folder, groups, options.blobOf);
  for (const hash of missing) {
    const file = join(folder.path, BLOBS_FOLDER, blobPath(hash));
    if (folder.isBackup) damages.add({ file, record: "blob", found: "the state names it, and it is not there" });
    else notes.push(`${file}: the state names this blob, and it is not there; the node fetches it from another member`);
  }
  if (folder.journal?.torn !== undefined) {
    const { file, sequence } = folder.journal.torn;
    notes.push(`${file}: record ${sequence} is half-written and was never acknowledged; the next start drops it`);
  }
  notes.push(...(await leftoversOf(folder, groups)));
  return {
    path: folder.path,
    isBackup: folder.isBackup,
    isIntact: damages.count === 0,
    identity: folder.identity,
    groups: groups.length,
    ...counted,
    blobs,
    missingBlobs: missing,
    damages: damages.kept,
    damageCount: damages.count,
    notes,
  };
}

async function verifyFiles(path: string, damages: DamageList, { progress }: VerifyOptions): Promise<void> {
  try {
    let bytes = 0;
    for (const file of (await readManifest(path)).files) {
      const flaw = await flawOf(path, file);
      if (flaw !== undefined) damages.add({ file: join(path, file.path), record: "file", found: flaw });
      bytes += file.bytes;
      progress?.({ step: "files", bytes });
    }
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== "STORAGE_BACKUP_INVALID") throw error;
    damages.add({ file: join(path, MANIFEST_NAME), record: "manifest", found: String(error.details.found) });
  }
}

async function verifyRecords(
  folder: StoppedFolder,
  groups: readonly GroupRecords[],
  damaged: ReadonlySet<number>,
  damages: DamageList,
  { progress }: VerifyOptions,
): Promise<{ readonly records: number; readonly bytes: number }> {
  const { file } = folder;
  const check = new LogCheck(file, groups, damaged, damages);
  let records = 0;
  let bytes = 0;
  let next: Buffer | undefined = Buffer.from([0]);
  while (next !== undefined) {
    next = folder.records.visit({ start: next, end: BEYOND_ALL_KEYS }, RECORDS_PER_TURN, (key, value) => {
      records += 1;
      bytes += key.length + value.length;
      check.visit(key, value, isIntact(key, value));
    });
    progress?.({ step: "records", bytes });
    await new Promise<void>((resume) => setImmediate(resume));
  }
  check.finish();
  return { records, bytes };
}

async function verifySnapshots(
  folder: StoppedFolder,
  groups: readonly GroupRecords[],
  damages: DamageList,
  { progress }: VerifyOptions,
): Promise<void> {
  let bytes = 0;
  for (const { group, state } of groups) {
    const file = snapshotPathOf(folder.file, group, state);
    if (file === undefined) continue;
    const record = `snapshot ${state.snapshot.index}/${state.snapshot.term}`;
    const index = await snapshotFileOf(folder.file, group, state);
    if (typeof index === "string") damages.add({ file, group, record, found: index });
    if (typeof index !== "object") continue;
    const reader = new SnapshotFileReader(file, index, { reusesMemory: true });
    for (let isLeft = true; isLeft; ) {
      try {
        const piece = await reader.next();
        isLeft = piece !== undefined;
        bytes += piece?.length ?? 0;
        progress?.({ step: "snapshots", bytes });
      } catch (error) {
        if (!(error instanceof DamagedRecord)) throw error;
        damages.add({ file, group, record: `${record}, record ${error.record}`, found: error.message });
        // Where the file ends there is no next one.
        isLeft = error.message !== "cut off";
      }
    }
    await reader.close();
  }
}

/** Files that no group refers to: the next start deletes those of its groups. */
async function leftoversOf(folder: StoppedFolder, groups: readonly GroupRecords[]): Promise<string[]> {
  const named = new Set(groups.map(({ group, state }) => snapshotPathOf(folder.file, group, state)));
  const snapshots = join(folder.path, "snapshots");
  const found = await readdir(snapshots).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return found
    .map((name) => join(snapshots, name))
    .filter((path) => !named.has(path))
    .map((path) => `${path}: belongs to no snapshot; the next start deletes it`);
}
