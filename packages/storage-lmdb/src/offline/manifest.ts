/**
 * The manifest of a backup: whose it is, of when, and what each of its files must be. It is written last, so that a backup
 * without one is unfinished; and it has a checksum of its own.
 *
 * A folder with a manifest is a backup and no data folder: what it would say in its old cluster, other nodes have long heard
 * otherwise.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { StorageError } from "../errors.ts";
import { flushFolder } from "../snapshots/snapshot-file.ts";

/** What a backup may hold; a manifest that names anything else could write anywhere. */
const FILE_NAMES = /^(data\.mdb|journal-[01]|snapshots\/\d+-\d+\.snapshot|blobs\/[0-9a-f]{2}\/[0-9a-f]{64})$/;
/** In the backup's folder. */
export const MANIFEST_NAME = "backup.json";
/** Format of the manifest. */
export const BACKUP_FORMAT_VERSION = 1;

/** One file of a backup. */
export interface BackupFile {
  /** Within the backup, with slashes. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** One group of a backup. */
export interface BackupGroup {
  readonly group: number;
  readonly term: number;
  readonly commit: number;
  readonly lastIndex: number;
}

/** The content of a backup's manifest. */
export interface BackupManifest {
  readonly format: number;
  /** Of the data in it. */
  readonly storageFormat: number;
  readonly clusterId: string;
  readonly nodeId: number;
  readonly incarnation: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly groups: readonly BackupGroup[];
  readonly files: readonly BackupFile[];
}

/** Whether a folder is a backup. */
export async function isBackup(folder: string): Promise<boolean> {
  try {
    return (await stat(join(folder, MANIFEST_NAME))).isFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** Durable when it resolves. */
export async function writeManifest(folder: string, manifest: BackupManifest): Promise<void> {
  const file = await open(join(folder, MANIFEST_NAME), "wx");
  try {
    await file.writeFile(`${JSON.stringify({ manifest, sha256: sha256Of(manifest) }, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await flushFolder(folder);
}

/** Throws StorageError STORAGE_BACKUP_INVALID: there is none, it is damaged, or of a newer version. */
export async function readManifest(folder: string): Promise<BackupManifest> {
  const path = join(folder, MANIFEST_NAME);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    throw invalidBackup(folder, `it has no ${MANIFEST_NAME}, so it is no backup or was never finished`);
  }
  const { manifest, sha256 } = parse(folder, text);
  if (!isObject(manifest) || sha256 !== sha256Of(manifest)) {
    throw invalidBackup(folder, `its ${MANIFEST_NAME} was changed after it was written`);
  }
  if (typeof manifest.format === "number" && manifest.format > BACKUP_FORMAT_VERSION) {
    const found = `it has format ${manifest.format}, this version reads up to ${BACKUP_FORMAT_VERSION}; restore it with the version that made it`;
    throw invalidBackup(folder, found);
  }
  if (!isManifest(manifest)) throw invalidBackup(folder, `its ${MANIFEST_NAME} lacks what belongs into it`);
  const stranger = manifest.files.find(({ path: name }) => !FILE_NAMES.test(name));
  if (stranger !== undefined) throw invalidBackup(folder, `its ${MANIFEST_NAME} names "${stranger.path}"`);
  return manifest;
}

function parse(folder: string, text: string): { readonly manifest?: unknown; readonly sha256?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    throw invalidBackup(folder, `its ${MANIFEST_NAME} is no JSON`);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Whether all that this version reads is there: the checksum only says that it was not changed by accident. */
function isManifest(
  value: Readonly<Record<string, unknown>>,
): value is Readonly<Record<string, unknown>> & BackupManifest {
  const { format, storageFormat, clusterId, nodeId, incarnation, createdAt, groups, files } = value;
  const isList = (list: unknown, isItem: (item: Readonly<Record<string, unknown>>) => boolean) =>
    Array.isArray(list) && list.every((item) => isObject(item) && isItem(item));
  return (
    areNumbers(format, storageFormat, nodeId, incarnation) &&
    typeof clusterId === "string" &&
    typeof createdAt === "string" &&
    isList(groups, ({ group, term, commit, lastIndex }) => areNumbers(group, term, commit, lastIndex)) &&
    isList(
      files,
      ({ path, bytes, sha256 }) => typeof path === "string" && areNumbers(bytes) && typeof sha256 === "string",
    )
  );
}

function areNumbers(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0);
}

/** What a file is. */
export async function describeFile(folder: string, path: string): Promise<BackupFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(join(folder, path), { highWaterMark: 256 * 1024 })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { path, bytes, sha256: hash.digest("hex") };
}

/** What is wrong with a file of a backup; undefined when nothing is. */
export async function flawOf(folder: string, expected: BackupFile): Promise<string | undefined> {
  let found: BackupFile;
  try {
    found = await describeFile(folder, expected.path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "the file is missing";
    throw error;
  }
  if (found.bytes !== expected.bytes) return `it has ${found.bytes} bytes, not ${expected.bytes}`;
  return found.sha256 === expected.sha256 ? undefined : "wrong SHA-256";
}

/** The error STORAGE_BACKUP_INVALID for a backup's folder. `found` says what is wrong with it, as a part of a sentence. */
export function invalidBackup(folder: string, found: string): StorageError {
  return new StorageError("STORAGE_BACKUP_INVALID", `${folder}: ${found}. Nothing was changed; use another backup.`, {
    details: { path: folder, found },
  });
}

function sha256Of(manifest: unknown): string {
  return createHash("sha256").update(JSON.stringify(manifest)).digest("hex");
}
