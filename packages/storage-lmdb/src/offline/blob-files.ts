/** The blobs of a stopped folder, or of a backup. */
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { isBlobHash } from "@raftoral/raft-core";
import { BLOBS_FOLDER, blobPath } from "../blobs/file-blob-store.ts";
import type { DamageList } from "./damage.ts";
import { describeFile } from "./manifest.ts";

/** How many blobs there are, and their bytes. */
export interface BlobsReport {
  readonly blobs: number;
  readonly bytes: number;
}

/** Names of whole blobs within a folder, with slashes, in the order of their hashes. What is a part, or no blob, is not among them. */
export async function blobNames(folder: string): Promise<readonly string[]> {
  const path = join(folder, BLOBS_FOLDER);
  const found = await readdir(path, { recursive: true, withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return found
    .filter((entry) => entry.isFile() && isBlobHash(entry.name))
    .filter((entry) => join(entry.parentPath, entry.name) === join(path, blobPath(entry.name)))
    .map(({ name }) => `${BLOBS_FOLDER}/${name.slice(0, 2)}/${name}`)
    .sort();
}

/** Counts them; does not read them. */
export async function countBlobs(folder: string): Promise<BlobsReport> {
  const names = await blobNames(folder);
  let bytes = 0;
  for (const name of names) bytes += (await stat(join(folder, name))).size;
  return { blobs: names.length, bytes };
}

/** Reads each and compares it with its hash. */
export async function verifyBlobs(
  folder: string,
  damages: DamageList,
  progress: (bytes: number) => void,
): Promise<BlobsReport> {
  const names = await blobNames(folder);
  let bytes = 0;
  for (const name of names) {
    const file = await describeFile(folder, name);
    bytes += file.bytes;
    if (file.sha256 !== basename(name))
      damages.add({ file: join(folder, name), record: "blob", found: "its bytes are not those of its name" });
    progress(bytes);
  }
  return { blobs: names.length, bytes };
}
