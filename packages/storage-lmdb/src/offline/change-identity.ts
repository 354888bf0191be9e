/** Gives a stopped folder to another cluster: for restoring and recovering, and for nothing else. A running node cannot. */
import { open } from "lmdb";
import { CollectedTransaction } from "../commit/collected-transaction.ts";
import { corrupt } from "../errors.ts";
import { dataFileOf } from "../folder/open-folder.ts";
import { OwnerLock } from "../folder/owner-lock.ts";
import { IDENTITY_KEY } from "../format/keys.ts";
import { decodeIdentity, encodeIdentity, isIntact } from "../format/records.ts";
import { readRecord } from "../log/group-loader.ts";

/** Durable when it resolves. Throws StorageError STORAGE_LOCKED, STORAGE_CORRUPT. */
export async function changeCluster(path: string, clusterId: string): Promise<void> {
  const options = { keyEncoding: "binary", encoding: "binary" } as const;
  const lock = await OwnerLock.acquire(path);
  try {
    const root = open({
      path,
      noSubdir: false,
      overlappingSync: false,
      eventTurnBatching: false,
      maxDbs: 16,
      ...options,
    });
    try {
      const database = root.openDB<Buffer, Buffer>({ name: "raft", ...options });
      const record = readRecord(database, IDENTITY_KEY);
      if (record === undefined || !isIntact(IDENTITY_KEY, record)) {
        throw corrupt(
          { file: dataFileOf(path), record: "identity" },
          record === undefined ? "missing" : "wrong checksum",
        );
      }
      const { incarnation, identity } = decodeIdentity(record);
      if (identity === undefined) throw corrupt({ file: dataFileOf(path), record: "identity" }, "it names no node");
      const transaction = new CollectedTransaction();
      transaction.put(IDENTITY_KEY, encodeIdentity(IDENTITY_KEY, incarnation, { ...identity, clusterId }));
      await transaction.commit(database);
    } finally {
      await root.close();
    }
  } finally {
    await lock.release();
  }
}
