/** The blobs of a stopped folder, or of a backup. */
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { type BlobHash, isBlobHash, type StateKey } from "@raftoral/raft-core";
import { BLOBS_FOLDER, blobPath } from "../blobs/file-blob-store.ts";
import { applicationKeyOf, generationRange } from "../state-store/state-records.ts";
import type { DamageList } from "./damage.ts";
import type { GroupRecords } from "./group-list.ts";
import { describeFile } from "./manifest.ts";
import type { StoppedFolder } from "./stopped-folder.ts";

/** How many blobs there are, and their bytes. */
export interface BlobsReport {
  readonly blobs: number;
  readonly bytes: number;
}

/** Gives the blob that a record of the application's state names by its key. */
export type BlobOfKey = (key: StateKey) => BlobHash | undefined;

/** Missing blobs that are told. */
const MOST_TOLD = 1_000;
const RECORDS_PER_TURN = 2_000;

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

/** Blobs that a state names and that are not whole in the folder, in the order of their hashes: the first thousand. */
export async function missingBlobs(
  folder: StoppedFolder,
  groups: readonly GroupRecords[],
  blobOf: BlobOfKey,
): Promise<readonly BlobHash[]> {
  const here = new Set((await blobNames(folder.path)).map((name) => basename(name)));
  const missing = new Set<BlobHash>();
  for (const { group, mark } of groups) {
    if (mark === undefined) continue;
    const { start, end } = generationRange(group, mark.generation, mark.generation + 1);
    let next: Buffer | undefined = start;
    while (next !== undefined && missing.size < MOST_TOLD) {
      next = folder.records.visit({ start: next, end }, RECORDS_PER_TURN, (key) => {
        const hash = blobOf(applicationKeyOf(key));
        if (hash !== undefined && !here.has(hash)) missing.add(hash);
      });
      await new Promise<void>((resume) => setImmediate(resume));
    }
  }
  return [...missing].sort().slice(0, MOST_TOLD);
}
