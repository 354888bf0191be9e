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
import { type GroupId, invariant, type Logger, type StateStore } from "@raftoral/raft-core";
import type { GroupStorage } from "@raftoral/raft-core/storage";
import type { Database, RootDatabase } from "lmdb";
import { FileBlobStore } from "./blobs/file-blob-store.ts";
import type { CheckpointParticipant } from "./commit/checkpoint.ts";
import type { FlushMode } from "./commit/flush-pace.ts";
import { GroupCommit } from "./commit/group-commit.ts";
import type { StorageProbe } from "./commit/storage-probe.ts";
import { openFailure, StorageError } from "./errors.ts";
import { createFolder } from "./folder/create-folder.ts";
import { checkIdentity, dataFileOf, type OpenedFolder, openFolder } from "./folder/open-folder.ts";
import type { OwnerLock } from "./folder/owner-lock.ts";
import { type StorageUsage, storageUsage } from "./folder/storage-usage.ts";
import { IDENTITY_KEY } from "./format/keys.ts";
import { encodeIdentity, type Identity } from "./format/records.ts";
import type { Journal } from "./journal/journal.ts";
import { LmdbGroupStorage } from "./log/lmdb-group-storage.ts";
import type { BackupManifest } from "./offline/manifest.ts";
import { backupRunning } from "./offline/online-backup.ts";
import { SnapshotHold } from "./snapshots/snapshot-hold.ts";
import { LmdbStateStore, type LmdbStateStoreOptions } from "./state-store/lmdb-state-store.ts";

const DEFAULT_CACHE_BYTES = 8 * 1024 * 1024;
const DEFAULT_JOURNAL_BYTES = 16 * 1024 * 1024;
const DEFAULT_CHECKPOINT_IDLE_MS = 1000;

/** Options of an {@link LmdbEnvironment}. */
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
  /**
   * Size that each of the journal's two files may grow to, in bytes (16 MiB, at least 16 KiB). Larger: fewer checkpoints,
   * more to read at a start after a crash, more entries in memory. Files that are larger already stay so.
   */
  readonly journalBytes?: number;
  /** After this many milliseconds without a write, all is brought from the journal into LMDB (1000). */
  readonly checkpointIdleMs?: number;
  /** Defaults to silence. */
  readonly logger?: Logger;
  /** Called before each write of the journal; what it throws makes the write fail as a disk would. For tests. */
  readonly beforeCommit?: () => void;
  /** Called before each transaction of LMDB; what it throws makes it fail as a disk would. For tests. */
  readonly beforeCheckpoint?: () => void;
}

/** The open data folder of one node (V1 to V3). `open` gives it; `close` makes everything durable and unlocks the folder. */
export class LmdbEnvironment {
  /** The folder, as an absolute path without symbolic links. */
  readonly path: string;
  /** How many times the folder was opened, this time included. */
  readonly incarnation: number;
  readonly #options: LmdbEnvironmentOptions;
  readonly #lock: OwnerLock;
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #database: Database<Buffer, Buffer>;
  readonly #journal: Journal;
  readonly #commit: GroupCommit;
  readonly #groups = new Map<GroupId, Promise<LmdbGroupStorage>>();
  /** Groups that were open and closed again. */
  readonly #left = new Set<GroupId>();
  #owner: Identity | undefined;
  #closing: Promise<void> | undefined;
  readonly #hold = new SnapshotHold();
  #blobs: Promise<FileBlobStore> | undefined;
  readonly #backups = new Set<Promise<unknown>>();

  private constructor(options: LmdbEnvironmentOptions, path: string, opened: OpenedFolder) {
    this.#options = options;
    this.path = path;
    this.#lock = opened.lock;
    this.#root = opened.root;
    this.#database = opened.database;
    this.incarnation = opened.incarnation;
    this.#owner = opened.identity;
    this.#journal = opened.journal;
    this.#commit = new GroupCommit({
      database: opened.database,
      journal: opened.journal,
      file: this.file,
      mode: options.flush ?? "auto",
      checkpointIdleMs: options.checkpointIdleMs ?? DEFAULT_CHECKPOINT_IDLE_MS,
      logger: options.logger,
      beforeCommit: options.beforeCommit,
      beforeCheckpoint: options.beforeCheckpoint,
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
      const { nodeId, clusterId, journalBytes, logger } = options;
      const expected = {
        ...(nodeId === undefined ? {} : { nodeId }),
        ...(clusterId === undefined ? {} : { clusterId }),
      };
      const opened = await openFolder(path, { expected, logger, journalBytes: journalBytes ?? DEFAULT_JOURNAL_BYTES });
      options.logger?.info({ path, incarnation: opened.incarnation, ...opened.identity }, "storage opened");
      return new LmdbEnvironment(options, path, opened);
    } catch (error) {
      throw openFailure(options.path, error);
    }
  }

  /** LMDB's file, which holds everything but what the journal has not handed over yet. */
  get file(): string {
    return dataFileOf(this.path);
  }

  /** Writes of the journal since the opening: each is one wait for the disk, for all groups that wrote. */
  get rounds(): number {
    return this.#commit.rounds;
  }

  /** Transactions of LMDB since the opening: checkpoints, in parts, and deletions. */
  get transactions(): number {
    return this.#commit.transactions;
  }

  /** How the disk is waited for at present; with `flush: "auto"` it depends on how long flushes take. */
  get flushing(): "blocking" | "background" {
    return this.#commit.flushing;
  }

  /** Tells `probe`, and no other, of every flush from now on. */
  measure(probe: StorageProbe): void {
    this.#commit.probe = probe;
  }

  /** How much room the folder takes. Looks at every file of it; rejects with the system's error. */
  usage(): Promise<StorageUsage> {
    return storageUsage(this.path);
  }

  /** Whose folder this is; undefined for a new one. */
  identity(): Identity | undefined {
    return this.#owner;
  }

  /**
   * Gives the folder to a node, durably. Throws StorageError STORAGE_IDENTITY_MISMATCH when it is another's already.
   */
  async setIdentity(identity: Identity): Promise<void> {
    invariant(Number.isSafeInteger(identity.nodeId) && identity.nodeId > 0, "a node id is a positive safe integer");
    if (this.#owner !== undefined) {
      checkIdentity(this.path, this.#owner, identity);
      return;
    }
    const record = encodeIdentity(IDENTITY_KEY, this.incarnation, identity);
    // Not through the journal: whose folder it is must be known before the journal is touched.
    await this.#commit.store({ writeTo: (transaction) => transaction.put(IDENTITY_KEY, record) });
    this.#owner = identity;
  }

  /**
   * A group's storage, checked from end to end. A group is open at most once; close it before opening it again. Throws
   * StorageError STORAGE_CORRUPT, STORAGE_CLOSED.
   */
  group(groupId: GroupId): Promise<GroupStorage> {
    invariant(Number.isSafeInteger(groupId) && groupId > 0, () => `group id ${groupId} is not a positive safe integer`);
    if (this.#closing !== undefined) {
      return Promise.reject(
        new StorageError(
          "STORAGE_CLOSED",
          `${this.path}: the environment was closed. Open the data folder again to use it.`,
        ),
      );
    }
    invariant(!this.#groups.has(groupId), () => `${this.path}: group ${groupId} is open already`);
    const opening = this.#openGroup(groupId);
    this.#groups.set(groupId, opening);
    opening.catch((error: Error) => {
      this.#groups.delete(groupId);
      this.#options.logger?.error({ path: this.path, group: groupId, err: error }, "group refused");
    });
    return opening;
  }

  async #openGroup(group: GroupId): Promise<LmdbGroupStorage> {
    // What it wrote when it was open before may be in the journal only.
    if (this.#left.delete(group) && this.#commit.isAhead) await this.#commit.checkpoint();
    return LmdbGroupStorage.open({
      group,
      file: this.file,
      database: this.#database,
      commit: this.#commit,
      cacheBytes: this.#options.cacheBytesPerGroup ?? DEFAULT_CACHE_BYTES,
      hold: this.#hold,
      closed: () => {
        this.#groups.delete(group);
        this.#left.add(group);
      },
    });
  }

  /**
   * The database that holds everything, for reading. Writing goes through transactions of the environment only; kinds of
   * keys that the environment uses itself are listed in keys.ts.
   * @internal
   */
  get records(): Database<Buffer, Buffer> {
    return this.#database;
  }

  /**
   * The state of a group, kept apart from its log: what is put is written with checkpoints. Open it at most once at a time. Throws StorageError
   * STORAGE_CORRUPT, STORAGE_FORMAT_UNSUPPORTED.
   */
  state(groupId: GroupId, options: LmdbStateStoreOptions = {}): StateStore {
    return LmdbStateStore.open(this, groupId, options);
  }

  /** The blobs of the folder: the same store at every call. Rejects with a StorageError when they cannot be looked at. */
  blobs(): Promise<FileBlobStore> {
    this.#blobs ??= FileBlobStore.open(this.path);
    return this.#blobs;
  }

  /** Its records are written with every checkpoint from now on, until the returned function is called. */
  addCheckpointParticipant(participant: CheckpointParticipant): () => void {
    return this.#commit.addCheckpointParticipant(participant);
  }

  /**
   * Brings everything that is durable, and the records of all checkpoint participants, into LMDB. Checkpoints happen by
   * themselves as well. Rejects with a StorageError when the transaction failed; nothing is written any more then.
   */
  checkpoint(): Promise<void> {
    return this.#commit.checkpoint();
  }

  /**
   * Copies everything that is acknowledged now into a new or empty folder, for `restoreBackup`, while groups are written to. Has the node's
   * folder as it was at one moment after the call. Throws StorageError STORAGE_TARGET_NOT_EMPTY, STORAGE_FULL, STORAGE_CLOSED; a failed backup
   * leaves nothing behind, and the node goes on. `copied` is called once the state is copied and before its blobs are: its caller sees to it that they are there, and stay.
   */
  async backup(target: string, copied?: () => Promise<void>): Promise<BackupManifest> {
    const { path, incarnation } = this;
    const [root, identity] = [this.#root, this.#owner];
    if (this.#closing !== undefined)
      throw new StorageError(
        "STORAGE_CLOSED",
        `${path}: the environment was closed. Open the data folder again to use it.`,
      );
    invariant(identity !== undefined, () => `${path}: a folder that belongs to no node has nothing to keep`);
    const running = {
      path,
      root,
      identity,
      incarnation,
      checkpoint: () => this.checkpoint(),
      copied,
      holdSnapshots: () => this.#hold.hold(),
    };
    const backup = backupRunning(running, target);
    this.#backups.add(backup);
    return backup.finally(() => this.#backups.delete(backup));
  }

  /** Waits for what is being written, backups included, closes all groups, and gives the folder free. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    // LMDB must not be closed under a thread that copies it.
    await Promise.allSettled(this.#backups);
    for (const group of await Promise.allSettled(this.#groups.values())) {
      if (group.status === "fulfilled") await group.value.close();
    }
    await this.#blobs?.then((blobs) => blobs.close()).catch(() => undefined);
    await this.#commit.close();
    await this.#journal.close();
    await this.#root.close();
    await this.#lock.release();
  }
}
