/**
 * Where a node keeps what must outlive its process: whose it is, and the storage of its groups.
 */
import {
  type BlobStore,
  type GroupId,
  type Logger,
  MemoryBlobStore,
  MemoryStorage,
  type NodeId,
  type StateStore,
} from "@raftoral/raft-core";
import type { GroupStorage } from "@raftoral/raft-core/storage";
import { type BackupManifest, LmdbEnvironment, type StorageProbe, type StorageUsage } from "@raftoral/storage-lmdb";
import { hashOfParts } from "@raftoral/workflow";
import { NodeError } from "../../api/errors.ts";

/** Who a node is. Given once, kept for good. */
export interface NodeIdentity {
  readonly nodeId: NodeId;
  readonly clusterId: string;
}

/** `LmdbEnvironment` is one. A node closes the storage it was started with when it stops. */
export interface NodeStorage {
  /** Larger at each opening; 0 where that is not counted. */
  readonly incarnation: number;
  identity(): NodeIdentity | undefined;
  /** Durable when it resolves. Rejects when the storage is another node's already. */
  setIdentity(identity: NodeIdentity): Promise<void>;
  group(groupId: GroupId): Promise<GroupStorage>;
  /** Where a group's state is kept; a storage without it leaves it in memory, and has it in its snapshots. */
  state?(groupId: GroupId, options: { readonly bufferBytes: number }): StateStore;
  /** Where large values are kept; a storage without it leaves them in memory. */
  blobs?(): Promise<BlobStore>;
  /** Tells `probe` of what it measures from now on; a storage without it measures nothing. */
  measure?(probe: StorageProbe): void;
  /** How much room it takes; a storage without it takes none. */
  usage?(): Promise<StorageUsage>;
  /** Copies what is durable into a new or empty folder while it is used; a storage without it cannot. `copied`: called once the state is copied, before its blobs are. */
  backup?(folder: string, copied?: () => Promise<void>): Promise<BackupManifest>;
  close(): Promise<void>;
}

/** Keeps everything in this object: a node that is started with it again finds what it had. For tests. */
export class MemoryNodeStorage implements NodeStorage {
  #incarnation = 0;
  #identity: NodeIdentity | undefined;
  #groups = new Map<GroupId, MemoryStorage>();
  readonly #blobs = new MemoryBlobStore({ hash: hashOfParts });

  get incarnation(): number {
    return this.#incarnation;
  }

  identity(): NodeIdentity | undefined {
    return this.#identity;
  }

  async setIdentity(identity: NodeIdentity): Promise<void> {
    const owner = this.#identity;
    if (owner !== undefined && (owner.nodeId !== identity.nodeId || owner.clusterId !== identity.clusterId)) {
      throw new NodeError("CLUSTER_MISMATCH", `This storage belongs to node ${owner.nodeId} of ${owner.clusterId}.`);
    }
    this.#identity = identity;
  }

  async group(groupId: GroupId): Promise<GroupStorage> {
    this.#incarnation += 1;
    const storage = this.#groups.get(groupId)?.reopen() ?? new MemoryStorage();
    this.#groups.set(groupId, storage);
    return storage;
  }

  async blobs(): Promise<BlobStore> {
    return this.#blobs;
  }

  /** Makes every further write fail with `error`, as a disk that failed a flush would. */
  poison(error: Error): void {
    for (const storage of this.#groups.values()) storage.poison(error);
  }

  async close(): Promise<void> {
    for (const storage of this.#groups.values()) await storage.close();
  }
}

/** The storage of a data folder, or one in memory where there is none. Rejects with what {@link LmdbEnvironment.open} throws. */
export async function openNodeStorage(dataDir: string | undefined, logger: Logger): Promise<NodeStorage> {
  if (dataDir !== undefined) return LmdbEnvironment.open({ path: dataDir, logger });
  logger.warn({}, "no data folder: this node keeps everything in memory and forgets it when it stops");
  return new MemoryNodeStorage();
}
