/** How much room a data folder takes, and how much its file system still has. */
import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";

/** How much room a data folder takes and has. */
export interface StorageUsage {
  /** Allocated to the folder's files, in bytes. A sparse file counts as what it really takes. */
  readonly usedBytes: number;
  /** Free for this process on the file system that the folder is on, in bytes. */
  readonly freeBytes: number;
}

/** `stat` counts in these, whatever the file system's own unit is. */
const STAT_BLOCK_BYTES = 512;

/** Rejects with the system's error when the folder cannot be read. */
export async function storageUsage(folder: string): Promise<StorageUsage> {
  const { bavail, bsize } = await statfs(folder);
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  let blocks = 0;
  for (const file of files) if (file.isFile()) blocks += await allocated(join(file.parentPath, file.name));
  return { usedBytes: blocks * STAT_BLOCK_BYTES, freeBytes: bavail * bsize };
}

/** 0 for a file that was deleted meanwhile, as spooled snapshots are. */
async function allocated(file: string): Promise<number> {
  try {
    return (await stat(file)).blocks;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
