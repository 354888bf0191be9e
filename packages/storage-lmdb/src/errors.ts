/** Failures of the storage. Every code has an entry in docs/errors.md. */
import { statfsSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { brand, RaftoralError } from "@raftoral/raft-core";

/** Codes of storage errors. */
export type StorageErrorCode =
  /** Another process, or another thread of this one, has the folder open. */
  | "STORAGE_LOCKED"
  /** The folder was written by a newer version. */
  | "STORAGE_FORMAT_UNSUPPORTED"
  /** The folder belongs to another node or another cluster. */
  | "STORAGE_IDENTITY_MISMATCH"
  /** A record is damaged, missing or misplaced. */
  | "STORAGE_CORRUPT"
  /** A write did not reach the disk; nothing more is accepted until the storage is opened again. */
  | "STORAGE_WRITE_FAILED"
  /** As STORAGE_WRITE_FAILED, because there is no space. */
  | "STORAGE_FULL"
  /** The folder cannot be created or opened. */
  | "STORAGE_PATH_INVALID"
  /** The storage was closed before. */
  | "STORAGE_CLOSED"
  /** A backup is unfinished, damaged or of a newer version. */
  | "STORAGE_BACKUP_INVALID"
  /** A folder that something is to be written into has something in it. */
  | "STORAGE_TARGET_NOT_EMPTY"
  /** A backup was to be used as a data folder. */
  | "STORAGE_IS_BACKUP";

/** A failure of the storage. `code` says which; the message names the file and says what to do. */
export class StorageError extends RaftoralError<StorageErrorCode> {
  static {
    brand(StorageError, "StorageError");
  }

  override readonly name = "StorageError";
}

/** What to do about a damaged folder; the same advice for every kind of damage. */
const REMEDY =
  "Nothing was changed. Check the disk, then restore this folder from a backup, " +
  "or remove the node from the cluster and add it again with an empty folder and a new node id";

/** A damaged record: which file, which group, which record, what is wrong, what to do. */
export function corrupt(
  where: { file: string; group?: number; record: string; index?: number; generation?: number; offset?: number },
  found: string,
): StorageError {
  const group = where.group === undefined ? "" : `group ${where.group}, `;
  return new StorageError("STORAGE_CORRUPT", `${where.file}: ${group}${where.record}: ${found}. ${REMEDY}.`, {
    details: { ...where, found },
  });
}

// LMDB reports system errors by their number, and its own by negative ones.
const { EIO, ENOSPC, EDQUOT } = constants.errno;
const MDB_MAP_FULL = -30792;
const MDB_CORRUPTED = -30796;
const MDB_PAGE_NOTFOUND = -30797;
const MDB_INVALID = -30793;
const MDB_VERSION_MISMATCH = -30794;

function codeOf(error: unknown): unknown {
  return error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
}

/** Below this much free space, a failed write failed for want of it. */
const ALMOST_NOTHING_BYTES = 1024 * 1024;

/** LMDB reports a write that was cut short by a full disk as EIO; the file system knows better. */
function isFull(file: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    return bavail * bsize < ALMOST_NOTHING_BYTES;
  } catch {
    return false;
  }
}

/** Whether a system call or LMDB failed because there is no space, or because a limit is reached. */
export function isWantOfSpace(error: unknown): boolean {
  const code = codeOf(error);
  return [ENOSPC, EDQUOT, MDB_MAP_FULL, "ENOSPC", "EDQUOT"].includes(code as number | string);
}

/** The error of a write that failed. */
export function writeFailure(file: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (isWantOfSpace(error) || isFull(file)) {
    const message = `${file}: no space left for a write; nothing that needs it was acknowledged. Make room, then start the node again.`;
    return new StorageError("STORAGE_FULL", message, { cause: error, details: { file } });
  }
  const message =
    `${file}: a write did not reach the disk (${reason}); it was not acknowledged, and no further one is accepted, ` +
    "for a failed flush must not be retried. Check the disk, then start the node again.";
  return new StorageError("STORAGE_WRITE_FAILED", message, { cause: error, details: { file } });
}

/** The error of a folder that could not be opened. */
export function openFailure(path: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const code = codeOf(error);
  const reason = error instanceof Error ? error.message : String(error);
  if (isWantOfSpace(error) || (code === EIO && isFull(join(path, "data.mdb")))) {
    const message = `${path}: no space left to open the data folder. Make room, then start the node again.`;
    return new StorageError("STORAGE_FULL", message, { cause: error, details: { path } });
  }
  const damaged = [MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_VERSION_MISMATCH];
  if (damaged.includes(code as number)) return corrupt({ file: path, record: "database header" }, reason);
  const message = `${path}: the data folder cannot be opened (${reason}). Check that it exists, is a folder and is writable.`;
  return new StorageError("STORAGE_PATH_INVALID", message, { cause: error, details: { path } });
}
