/**
 * Blobs as files beside the journal.
 *
 *     blobs/ab/<hash>               a whole blob, in the folder of the first two digits of its hash
 *     blobs/parts/<hash>-<length>   what has come of one
 *
 * Invariants:
 * FB1. A file has its final name only once its bytes have the hash and are flushed; then the folder is flushed. So a file with a final name is whole, whenever the process or the machine stops.
 * FB2. A part's file holds what has come, and is read again from its beginning after a restart: its hash decides at the end, whatever a crash made of it.
 * FB3. A failed write or flush of a part drops the part: a failed flush is not taken for one that went well later.
 * FB4. Files of other names are left alone.
 */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  type BlobHash,
  type BlobName,
  type BlobStore,
  type BlobUsage,
  isBlobHash,
  type StoredBlob,
} from "@raftoral/raft-core";
import { StorageError, writeFailure } from "../errors.ts";
import { createFolder } from "../folder/create-folder.ts";
import { flushFolder } from "../snapshots/snapshot-file.ts";

/** The folder of blobs in a data folder. */
export const BLOBS_FOLDER = "blobs";
const PARTS_FOLDER = "parts";
/** Written bytes are flushed at this pace: what the system flushes at once when it sees fit makes the journal wait. */
const FLUSH_BYTES = 4 * 1024 * 1024;
const READ_BYTES = 256 * 1024;
const SHARD = /^[0-9a-f]{2}$/;
const PART = /^([0-9a-f]{64})-(\d{1,15})$/;

/** What has come of a blob. */
interface Part {
  readonly length: number;
  bytes: number;
  unflushed: number;
  /** Over what has come; undefined until it was read again after a restart. */
  hash: Hash | undefined;
}

/** The place of a whole blob below the folder of blobs. */
export function blobPath(hash: BlobHash): string {
  return join(hash.slice(0, 2), hash);
}

/** The blobs of one data folder (FB1 to FB4). Every method rejects with a StorageError when the disk fails. */
export class FileBlobStore implements BlobStore {
  readonly #folder: string;
  readonly #whole = new Map<BlobHash, number>();
  readonly #parts = new Map<BlobHash, Part>();
  /** The last call for each blob that is under way. */
  readonly #calls = new Map<BlobHash, Promise<unknown>>();
  readonly #shards = new Set<string>();
  #bytes = 0;
  #isClosed = false;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** The blobs below a data folder, which must be this process's. A folder without blobs stays as it is until the first one comes. */
  static async open(dataFolder: string): Promise<FileBlobStore> {
    const store = new FileBlobStore(join(dataFolder, BLOBS_FOLDER));
    await store.#look();
    return store;
  }

  async offset({ hash, length }: BlobName): Promise<number> {
    const whole = this.#whole.get(hash);
    if (whole !== undefined) return whole === length ? length : 0;
    const part = this.#parts.get(hash);
    return part?.length === length ? part.bytes : 0;
  }

  append(name: BlobName, offset: number, part: Uint8Array): Promise<number> {
    return this.#inOrder(name.hash, () => this.#append(name, offset, part));
  }

  async read({ hash, length }: BlobName, offset: number, maxBytes: number): Promise<Uint8Array | undefined> {
    this.#assertOpen();
    if (this.#whole.get(hash) !== length) return undefined;
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(maxBytes, length - offset)));
    const handle = await opened(this.#pathOf(hash));
    if (handle === undefined) return undefined;
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, offset + at);
        // Cut short by somebody else: its hash would tell, too.
        if (bytesRead === 0) return undefined;
        at += bytesRead;
      }
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    } finally {
      await handle.close();
    }
  }

  delete(hash: BlobHash): Promise<void> {
    return this.#inOrder(hash, () => this.#delete(hash));
  }

  async *list(): AsyncGenerator<StoredBlob> {
    for (const hash of [...this.#whole.keys(), ...this.#parts.keys()].sort()) {
      const whole = this.#whole.get(hash);
      const length = whole ?? this.#parts.get(hash)?.bytes;
      if (length !== undefined) yield { hash, length, isPartial: whole === undefined };
    }
  }

  usage(): BlobUsage {
    return { blobs: this.#whole.size, bytes: this.#bytes };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#calls.values());
  }

  async #append({ hash, length }: BlobName, offset: number, bytes: Uint8Array): Promise<number> {
    this.#assertOpen();
    const whole = this.#whole.get(hash);
    if (whole !== undefined) return whole === length ? length : 0;
    let part = this.#parts.get(hash);
    if (part !== undefined && part.length !== length) {
      await this.#delete(hash);
      part = undefined;
    }
    const before = part?.bytes ?? 0;
    if (offset !== before || before + bytes.length > length) return before;
    const file = this.#partPath(hash, length);
    try {
      if (part === undefined) {
        await this.#folderOf(PARTS_FOLDER);
        part = { length, bytes: 0, unflushed: 0, hash: createHash("sha256") };
        this.#parts.set(hash, part);
      }
      part.hash ??= await hashOf(file, part.bytes);
      await this.#write(file, part, bytes);
      return part.bytes < length ? part.bytes : await this.#finish(hash, part, file);
    } catch (error) {
      // FB3.
      await this.#delete(hash).catch(() => undefined);
      throw blobFailure(file, error);
    }
  }

  async #write(file: string, part: Part, bytes: Uint8Array): Promise<void> {
    const handle = await open(file, part.bytes === 0 ? "w" : "r+");
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, part.bytes + at);
        at += bytesWritten;
      }
      part.hash?.update(bytes);
      part.bytes += bytes.length;
      part.unflushed += bytes.length;
      this.#bytes += bytes.length;
      if (part.unflushed < FLUSH_BYTES && part.bytes < part.length) return;
      part.unflushed = 0;
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }

  /** FB1. */
  async #finish(hash: BlobHash, part: Part, file: string): Promise<number> {
    if (part.hash?.digest("hex") !== hash) {
      await this.#delete(hash);
      return 0;
    }
    const shard = hash.slice(0, 2);
    await this.#folderOf(shard);
    await rename(file, this.#pathOf(hash));
    await flushFolder(join(this.#folder, shard));
    this.#parts.delete(hash);
    this.#whole.set(hash, part.length);
    return part.length;
  }

  async #delete(hash: BlobHash): Promise<void> {
    const whole = this.#whole.get(hash);
    const part = this.#parts.get(hash);
    this.#whole.delete(hash);
    this.#parts.delete(hash);
    this.#bytes -= (whole ?? 0) + (part?.bytes ?? 0);
    if (whole !== undefined) await rm(this.#pathOf(hash), { force: true });
    if (part !== undefined) await rm(this.#partPath(hash, part.length), { force: true });
  }

  /** Makes a folder below that of the blobs, durably. */
  async #folderOf(name: string): Promise<void> {
    if (this.#shards.has(name)) return;
    await createFolder(join(this.#folder, name));
    await flushFolder(this.#folder);
    this.#shards.add(name);
  }

  /** What an earlier process has left. */
  async #look(): Promise<void> {
    for (const shard of await namesIn(this.#folder)) {
      const path = join(this.#folder, shard);
      if (shard === PARTS_FOLDER) await this.#lookAtParts(path);
      if (!SHARD.test(shard)) continue;
      for (const name of await namesIn(path)) {
        if (!isBlobHash(name) || !name.startsWith(shard)) continue;
        const { size } = await stat(join(path, name));
        this.#whole.set(name, size);
        this.#bytes += size;
      }
    }
  }

  async #lookAtParts(path: string): Promise<void> {
    for (const name of await namesIn(path)) {
      const [, hash = "", digits = ""] = PART.exec(name) ?? [];
      if (hash === "") continue;
      const { size } = await stat(join(path, name));
      const length = Number(digits);
      if (size > length || this.#parts.has(hash) || this.#whole.has(hash)) {
        await rm(join(path, name), { force: true });
        continue;
      }
      this.#parts.set(hash, { length, bytes: size, unflushed: size, hash: undefined });
      this.#bytes += size;
    }
  }

  #pathOf(hash: BlobHash): string {
    return join(this.#folder, blobPath(hash));
  }

  #partPath(hash: BlobHash, length: number): string {
    return join(this.#folder, PARTS_FOLDER, `${hash}-${length}`);
  }

  #assertOpen(): void {
    if (!this.#isClosed) return;
    throw new StorageError(
      "STORAGE_CLOSED",
      `${this.#folder}: the blobs were closed. Open the data folder again to use them.`,
    );
  }

  async #inOrder<T>(hash: BlobHash, call: () => Promise<T>): Promise<T> {
    const result = (this.#calls.get(hash) ?? Promise.resolve()).then(call, call);
    this.#calls.set(hash, result);
    try {
      return await result;
    } finally {
      if (this.#calls.get(hash) === result) this.#calls.delete(hash);
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}

async function opened(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The hash of a file's first bytes, as far as it has come (FB2). */
async function hashOf(file: string, bytes: number): Promise<Hash> {
  const hash = createHash("sha256");
  const handle = await open(file, "r");
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  try {
    for (let at = 0; at < bytes; ) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(READ_BYTES, bytes - at), at);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    return hash;
  } finally {
    await handle.close();
  }
}

function blobFailure(file: string, error: unknown): StorageError {
  const failure = writeFailure(file, error);
  if (failure.code !== "STORAGE_FULL" && failure.code !== "STORAGE_WRITE_FAILED") return failure;
  const message = `${file}: a blob could not be written (${error instanceof Error ? error.message : String(error)}); it was not acknowledged. Make room, or check the disk; it is tried again.`;
  return new StorageError(failure.code, message, { retryable: true, cause: error, details: { file } });
}
