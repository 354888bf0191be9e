/**
 * One process per data folder, held by the kernel and not by a file that a crash would leave behind.
 *
 * Node has no flock. LMDB, however, keeps a table of its readers in which each process holds an fcntl lock (LockFileEx
 * on Windows) for as long as it lives; dead processes' places are recognised by the lock that is gone. So the owner of
 * a folder is the reader of a tiny LMDB environment in `<folder>/owner`, and a second one sees the first in
 * the table.
 *
 * L1. Each contender takes its place first and looks at the table second; so of two, at least one sees the other.
 *     (Should both see each other, both are refused, which harms nothing.)
 * L2. A killed owner blocks no other process: the kernel drops its lock, whatever became of its process id since.
 *
 * What lost: a file with the pid and start time (a recycled pid in another pid namespace looks alive or dead at
 * random), an abstract socket (Linux only, and another network namespace does not see it), SQLite's locks through
 * node:sqlite (sound, but experimental, and absent from Node 22.12).
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { open, type RootDatabase } from "lmdb";
import { StorageError } from "../errors.ts";
import { damageOf } from "./data-file.ts";

const PROBE = Buffer.from([1]);

/** The lock of one data folder, held until `release` or the end of the process (L1, L2). */
export class OwnerLock {
  readonly #table: RootDatabase<Buffer, Buffer>;

  private constructor(table: RootDatabase<Buffer, Buffer>) {
    this.#table = table;
  }

  /** Throws StorageError STORAGE_LOCKED, naming the owner's process id where it is known. */
  static async acquire(folder: string): Promise<OwnerLock> {
    const path = join(folder, "owner");
    const file = join(path, "data.mdb");
    // It holds nothing: what a power cut left of its creation can go. A live owner's file is never damaged.
    if ((await damageOf(file)) !== undefined) await rm(file);
    const table = open<Buffer, Buffer>({
      path,
      noSubdir: false,
      keyEncoding: "binary",
      encoding: "binary",
      overlappingSync: false,
      maxReaders: 64,
    });
    try {
      table.get(PROBE);
    } catch (error) {
      // A process with our pid, in another pid namespace, has this place in the table. lmdb-js tries for ten seconds.
      await table.close();
      throw locked(folder, undefined, error);
    }
    const owners = readersOf(table);
    const mine = owners.filter((pid) => pid === process.pid).length;
    const other = owners.find((pid) => pid !== process.pid);
    if (other !== undefined || mine > 1) {
      await table.close();
      throw locked(folder, other ?? process.pid);
    }
    return new OwnerLock(table);
  }

  async release(): Promise<void> {
    await this.#table.close();
  }
}

/** Process ids in LMDB's reader table; dead ones were removed when the environment was opened. */
function readersOf(table: RootDatabase<Buffer, Buffer>): number[] {
  // Not in lmdb's type declarations: a text table with a heading, one line per reader, its pid first.
  const listing = (table as unknown as { readerList(): string }).readerList();
  return listing
    .split("\n")
    .map((line) => Number.parseInt(line.trim(), 10))
    .filter((pid) => pid > 0);
}

function locked(folder: string, pid: number | undefined, cause?: unknown): StorageError {
  const owner = pid === undefined ? "another process" : pid === process.pid ? "this process" : `process ${pid}`;
  const message =
    `${folder}: the data folder is in use by ${owner}. ` +
    "A folder belongs to one node: stop that process first, or give this node a folder of its own.";
  return new StorageError("STORAGE_LOCKED", message, { retryable: true, cause, details: { path: folder, pid } });
}
