/** The storages, each as the disks of a few nodes that outlive their processes. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStorage } from "@raftoral/raft-core";
import type { GroupStorage } from "@raftoral/raft-core/storage";
import { LmdbEnvironment } from "@raftoral/storage-lmdb";

const GROUP_ID = 1;

/** One disk per node. */
export interface Disks {
  /** What a process of the node finds when it starts. */
  open(nodeId: number): Promise<GroupStorage>;
  /** The process of the node is gone. */
  close(nodeId: number): Promise<void>;
  /** Closes and removes everything. */
  remove(): Promise<void>;
}

export interface StorageKind {
  readonly storageName: string;
  create(): Promise<Disks>;
}

export const STORAGES: readonly StorageKind[] = [
  { storageName: "the storage in memory", create: async () => new MemoryDisks() },
  { storageName: "LMDB", create: async () => new LmdbDisks(await mkdtemp(join(tmpdir(), "raftoral-e2e-disks-"))) },
];

class MemoryDisks implements Disks {
  readonly #storages = new Map<number, MemoryStorage>();

  async open(nodeId: number): Promise<GroupStorage> {
    const storage = this.#storages.get(nodeId)?.reopen() ?? new MemoryStorage();
    this.#storages.set(nodeId, storage);
    return storage;
  }

  async close(): Promise<void> {}

  async remove(): Promise<void> {
    this.#storages.clear();
  }
}

class LmdbDisks implements Disks {
  readonly #folder: string;
  readonly #environments = new Map<number, LmdbEnvironment>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(nodeId: number): Promise<GroupStorage> {
    const environment = await LmdbEnvironment.open({ path: join(this.#folder, `node-${nodeId}`) });
    this.#environments.set(nodeId, environment);
    return environment.group(GROUP_ID);
  }

  async close(nodeId: number): Promise<void> {
    await this.#environments.get(nodeId)?.close();
    this.#environments.delete(nodeId);
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#environments.keys()].map((nodeId) => this.close(nodeId)));
    await rm(this.#folder, { recursive: true, force: true });
  }
}
