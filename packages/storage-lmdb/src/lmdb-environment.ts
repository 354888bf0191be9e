/**
 * The data folder of one node: all its groups in one LMDB environment, so that what they write together costs one
 * flush.
 *
 * Role: opens and locks the folder, knows whose it is and which format it has, hands out groups.
 * V1. A folder is open at most once, over all processes of the machine (owner-lock.ts).
 * V2. A folder of a newer format, another node or another cluster is not opened, and not changed.
 * V3. The incarnation number is larger at each opening, durably, before anything else can be done.
 */
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { type GroupId, type GroupStorage, invariant, type Logger } from "@raftoral/raft-core";
import { type Database, open, type RootDatabase } from "lmdb";
import type { CheckpointParticipant } from "./checkpoint.ts";
import { createFolder } from "./create-folder.ts";
import { damageOf } from "./data-file.ts";
import { corrupt, openFailure, StorageError } from "./errors.ts";
import type { FlushMode } from "./flush-pace.ts";
import { GroupCommit } from "./group-commit.ts";
import { readRecord } from "./group-loader.ts";
import { FORMAT_KEY, IDENTITY_KEY } from "./keys.ts";
import { LmdbGroupStorage } from "./lmdb-group-storage.ts";
import { OwnerLock } from "./owner-lock.ts";
import { decodeFormat, decodeIdentity, encodeFormat, encodeIdentity, type Identity, isIntact } from "./records.ts";
import type { StorageProbe } from "./storage-probe.ts";
import { type StorageUsage, storageUsage } from "./storage-usage.ts";

/** Format that this version writes, and the newest that it reads. */
export const STORAGE_FORMAT_VERSION = 1;

/** Address space set aside for the map. Nothing is allocated; beyond it LMDB maps anew, which costs a moment. */
const MAP_BYTES = 64 * 1024 ** 3;
const DEFAULT_CACHE_BYTES = 8 * 1024 * 1024;

export interface LmdbEnvironmentOptions {
  /** The data folder; created when it is absent. It must be on a local file system. */
  readonly path: string;
  /** The node that this folder must belong to, if it belongs to any. */
  readonly nodeId?: number;
  /** The cluster that this folder must belong to, if it belongs to any. */
  readonly clusterId?: string;
  /** Newest entries that each group keeps in memory, in bytes (8 MiB). */
  readonly cacheBytesPerGroup?: number;
  /** How the disk is waited for ("auto"). */
  readonly flush?: FlushMode;
  /** Defaults to silence. */
  readonly logger?: Logger;
  /**
   * Called within each transaction before it commits; what it throws makes the write fail as a disk would. For tests.
   */
  readonly beforeCommit?: () => void;
}

export class LmdbEnvironment {
  /** The folder, as an absolute path without symbolic links. */
  readonly path: string;
  /** How many times the folder was opened, this time included. */
  readonly incarnation: number;
  private readonly options: LmdbEnvironmentOptions;
  private readonly lock: OwnerLock;
  private readonly root: RootDatabase<Buffer, Buffer>;
  private readonly database: Database<Buffer, Buffer>;
  private readonly commit: GroupCommit;
  private readonly groups = new Map<GroupId, Promise<LmdbGroupStorage>>();
  private owner: Identity | undefined;
  private closing: Promise<void> | undefined;

  private constructor(options: LmdbEnvironmentOptions, path: string, opened: OpenedFolder) {
    this.options = options;
    this.path = path;
    this.lock = opened.lock;
    this.root = opened.root;
    this.database = opened.database;
    this.incarnation = opened.incarnation;
    this.owner = opened.identity;
    this.commit = new GroupCommit(opened.database, {
      file: this.file,
      mode: options.flush ?? "auto",
      beforeCommit: options.beforeCommit,
    });
  }

  /**
   * Opens a node's data folder, creating it when absent. Throws StorageError: STORAGE_LOCKED,
   * STORAGE_FORMAT_UNSUPPORTED, STORAGE_IDENTITY_MISMATCH, STORAGE_CORRUPT, STORAGE_PATH_INVALID, STORAGE_FULL.
   */
  static async open(options: LmdbEnvironmentOptions): Promise<LmdbEnvironment> {
    try {
      await createFolder(options.path);
      const path = await realpath(options.path);
      const opened = await openFolder(path, options);
      options.logger?.info({ path, incarnation: opened.incarnation, ...opened.identity }, "storage opened");
      return new LmdbEnvironment(options, path, opened);
    } catch (error) {
      throw openFailure(options.path, error);
    }
  }

  /** The file that holds everything, for messages. */
  get file(): string {
    return fileOf(this.path);
  }

  /** Transactions committed since the opening: each is one wait for the disk. */
  get transactions(): number {
    return this.commit.transactions;
  }

  /** How the disk is waited for at present; with `flush: "auto"` it depends on how long flushes take. */
  get flushing(): "blocking" | "background" {
    return this.commit.flushing;
  }

  /** Tells `probe`, and nobody else, of every flush from now on. */
  measure(probe: StorageProbe): void {
    this.commit.probe = probe;
  }

  /** How much room the folder takes. Looks at every file of it; rejects with the system's error. */
  usage(): Promise<StorageUsage> {
    return storageUsage(this.path);
  }

  /** Whose folder this is; undefined for a new one. */
  identity(): Identity | undefined {
    return this.owner;
  }

  /**
   * Gives the folder to a node, durably. Throws StorageError STORAGE_IDENTITY_MISMATCH when it is another's already.
   */
  async setIdentity(identity: Identity): Promise<void> {
    invariant(Number.isSafeInteger(identity.nodeId) && identity.nodeId > 0, "a node id is a positive safe integer");
    if (this.owner !== undefined) {
      checkIdentity(this.path, this.owner, identity);
      return;
    }
    const record = encodeIdentity(IDENTITY_KEY, this.incarnation, identity);
    await this.commit.join({ writeTo: (transaction) => transaction.put(IDENTITY_KEY, record) });
    this.owner = identity;
  }

  /**
   * A group's storage, checked from end to end. A group is open at most once; close it before opening it again. Throws
   * StorageError STORAGE_CORRUPT, STORAGE_CLOSED.
   */
  group(groupId: GroupId): Promise<GroupStorage> {
    invariant(Number.isSafeInteger(groupId) && groupId > 0, () => `group id ${groupId} is not a positive safe integer`);
    if (this.closing !== undefined) {
      return Promise.reject(new StorageError("STORAGE_CLOSED", `${this.path}: the environment was closed.`));
    }
    invariant(!this.groups.has(groupId), () => `${this.path}: group ${groupId} is open already`);
    const opening = LmdbGroupStorage.open({
      group: groupId,
      file: this.file,
      database: this.database,
      commit: this.commit,
      cacheBytes: this.options.cacheBytesPerGroup ?? DEFAULT_CACHE_BYTES,
      closed: () => this.groups.delete(groupId),
    });
    this.groups.set(groupId, opening);
    opening.catch((error: Error) => {
      this.groups.delete(groupId);
      this.options.logger?.error({ path: this.path, group: groupId, err: error }, "group refused");
    });
    return opening;
  }

  /**
   * The database that holds everything, for reading. Writing goes through transactions of the environment only; kinds of
   * keys that the environment uses itself are listed in keys.ts.
   */
  get records(): Database<Buffer, Buffer> {
    return this.database;
  }

  /** Its records are written with every checkpoint from now on, until the returned function is called. */
  addCheckpointParticipant(participant: CheckpointParticipant): () => void {
    return this.commit.addCheckpointParticipant(participant);
  }

  /**
   * Brings everything that is durable, and the records of all checkpoint participants, into LMDB. Checkpoints happen by
   * themselves as well. Rejects with a StorageError when the transaction failed; nothing is written any more then.
   */
  checkpoint(): Promise<void> {
    return this.commit.checkpoint();
  }

  /** Waits for what is being written, closes all groups, and gives the folder free. Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    for (const group of await Promise.allSettled(this.groups.values())) {
      if (group.status === "fulfilled") await group.value.close();
    }
    await this.commit.close();
    await this.root.close();
    await this.lock.release();
  }
}

interface OpenedFolder {
  readonly lock: OwnerLock;
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly database: Database<Buffer, Buffer>;
  readonly incarnation: number;
  readonly identity: Identity | undefined;
}

function fileOf(path: string): string {
  return join(path, "data.mdb");
}

async function openFolder(path: string, options: LmdbEnvironmentOptions): Promise<OpenedFolder> {
  const lock = await OwnerLock.acquire(path);
  let root: RootDatabase<Buffer, Buffer> | undefined;
  try {
    const damage = await damageOf(fileOf(path));
    if (damage !== undefined) throw corrupt({ file: fileOf(path), record: "meta pages" }, damage);
    // overlappingSync would report a failed flush by never answering; without it a commit returns when all is flushed.
    root = open({
      path,
      noSubdir: false,
      overlappingSync: false,
      mapSize: MAP_BYTES,
      maxDbs: 16,
      keyEncoding: "binary",
      encoding: "binary",
    });
    const database = root.openDB<Buffer, Buffer>({ name: "raft", keyEncoding: "binary", encoding: "binary" });
    checkFormat(path, database);
    const known = loadIdentity(path, database);
    if (known.identity !== undefined) {
      checkIdentity(path, known.identity, { ...known.identity, ...expectedOf(options) });
    }
    const incarnation = known.incarnation + 1;
    database.transactionSync(() => {
      database.putSync(FORMAT_KEY, encodeFormat(FORMAT_KEY, STORAGE_FORMAT_VERSION));
      database.putSync(IDENTITY_KEY, encodeIdentity(IDENTITY_KEY, incarnation, known.identity));
    });
    return { lock, root, database, incarnation, identity: known.identity };
  } catch (error) {
    await root?.close();
    await lock.release();
    throw error;
  }
}

function expectedOf(options: LmdbEnvironmentOptions): Partial<Identity> {
  return {
    ...(options.nodeId === undefined ? {} : { nodeId: options.nodeId }),
    ...(options.clusterId === undefined ? {} : { clusterId: options.clusterId }),
  };
}

function checkFormat(path: string, database: Database<Buffer, Buffer>): void {
  const record = readRecord(database, FORMAT_KEY);
  if (record === undefined) return;
  if (!isIntact(FORMAT_KEY, record)) throw corrupt({ file: fileOf(path), record: "format version" }, "wrong checksum");
  const version = decodeFormat(record);
  if (version <= STORAGE_FORMAT_VERSION) return;
  const message =
    `${path}: the data folder has format ${version}, this version reads up to ${STORAGE_FORMAT_VERSION}. ` +
    "Run the version that wrote it, or a newer one.";
  throw new StorageError("STORAGE_FORMAT_UNSUPPORTED", message, { details: { path, version } });
}

function loadIdentity(path: string, database: Database<Buffer, Buffer>): ReturnType<typeof decodeIdentity> {
  const record = readRecord(database, IDENTITY_KEY);
  if (record === undefined) return { incarnation: 0, identity: undefined };
  if (!isIntact(IDENTITY_KEY, record)) throw corrupt({ file: fileOf(path), record: "identity" }, "wrong checksum");
  return decodeIdentity(record);
}

function checkIdentity(path: string, known: Identity, expected: Identity): void {
  if (known.nodeId === expected.nodeId && known.clusterId === expected.clusterId) return;
  const message =
    `${path}: the data folder belongs to node ${known.nodeId} of cluster ${known.clusterId}, ` +
    `not to node ${expected.nodeId} of cluster ${expected.clusterId}. Give this node its own folder, or correct its id.`;
  throw new StorageError("STORAGE_IDENTITY_MISMATCH", message, { details: { path, known, expected } });
}
