/** Where a backup is written to: a folder that was empty, and that is empty again when the backup fails. */
import { constants, copyFile, mkdir, open, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RaftoralError } from "@raftoral/raft-core";
import { isWantOfSpace, openFailure, StorageError } from "../errors.ts";
import { createFolder } from "../folder/create-folder.ts";
import { flushFolder } from "../snapshots/snapshot-file.ts";

/** Throws StorageError STORAGE_TARGET_NOT_EMPTY; STORAGE_PATH_INVALID for what cannot be a folder. */
export async function assertEmpty(folder: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw openFailure(folder, error);
  }
  if (names.length === 0) return;
  const message = `${folder}: the folder is not empty, and nothing in it is to be overwritten. Name a new one.`;
  throw new StorageError("STORAGE_TARGET_NOT_EMPTY", message, { details: { path: folder } });
}

/**
 * Lets `write` fill a folder that is new or empty. When it fails, what it wrote is deleted. Throws StorageError
 * STORAGE_TARGET_NOT_EMPTY, STORAGE_FULL, STORAGE_WRITE_FAILED, STORAGE_PATH_INVALID, and what `write` throws.
 */
export async function fillFolder<T>(folder: string, write: () => Promise<T>): Promise<T> {
  await assertEmpty(folder);
  try {
    await createFolder(folder);
  } catch (error) {
    throw openFailure(folder, error);
  }
  try {
    const result = await write();
    await flushFolder(folder);
    await flushFolder(dirname(folder));
    return result;
  } catch (error) {
    for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
    throw targetFailure(folder, error);
  }
}

/** The error of a folder that could not be filled. */
export function targetFailure(folder: string, error: unknown): RaftoralError {
  if (error instanceof RaftoralError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  // What LMDB copies itself it reports in words only.
  const isFull = isWantOfSpace(error) || reason.includes("No space left");
  const todo = isFull ? "Make room, or name a folder on another disk" : "Check the disk";
  const message = `${folder}: it could not be written (${reason}), and nothing of it is left. ${todo}, then try again.`;
  return new StorageError(isFull ? "STORAGE_FULL" : "STORAGE_WRITE_FAILED", message, {
    cause: error,
    details: { file: folder },
  });
}

/** Copies files, named with slashes within both folders. They are durable when it resolves, their names are not. */
export async function copyFiles(from: string, to: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const target = join(to, name);
    await mkdir(dirname(target), { recursive: true });
    // Shares the disk's blocks where the file system can: they are copied once one of the two changes.
    await copyFile(join(from, name), target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await flushFile(target);
  }
  for (const folder of new Set(names.map((name) => dirname(join(to, name))))) await flushFolder(folder);
}

/** Makes what was written to a file durable. */
export async function flushFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
