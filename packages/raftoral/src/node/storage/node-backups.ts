/**
 * Backups of a running node: into a folder that its process names, or, for clients, into a new one below the folder that its
 * configuration names. A client gives a name and never a path: it must not be able to write where it likes.
 */
import { join } from "node:path";
import type { BackupManifest } from "@raftoral/storage-lmdb";
import type { Blobs } from "@raftoral/workflow";
import type { BackupSummary } from "../../api/cluster/cluster.ts";
import { NodeError } from "../../api/errors.ts";
import type { NodeStorage } from "./node-storage.ts";

/** How long a backup waits for large values that its node has not got yet, in ms. */
const BLOBS_TIMEOUT_MS = 60_000;

/** Takes the backups of one node, one at a time, each with every large value that its state names. */
export class NodeBackups {
  readonly #storage: NodeStorage;
  readonly #blobs: Pick<Blobs, "complete" | "hold" | "missing">;
  readonly #folder: string | undefined;
  #isBusy = false;

  /** `folder`: where clients may have backups made; undefined for nowhere. */
  constructor(storage: NodeStorage, blobs: Pick<Blobs, "complete" | "hold" | "missing">, folder: string | undefined) {
    this.#storage = storage;
    this.#blobs = blobs;
    this.#folder = folder;
  }

  /** Into `path`, a new or empty folder. Rejects with BACKUP_REFUSED, and with what the storage says. */
  async make(path: string): Promise<BackupSummary> {
    if (this.#storage.backup === undefined) {
      throw refused("This node keeps everything in memory. Give it a data folder, or ask a node that has one.");
    }
    if (this.#isBusy) throw refused("A backup of this node is under way. Wait until it is done.", true);
    this.#isBusy = true;
    const release = this.#blobs.hold();
    try {
      return summaryOf(path, await this.#storage.backup(path, () => this.#complete()));
    } finally {
      release();
      this.#isBusy = false;
    }
  }

  async #complete(): Promise<void> {
    if (await this.#blobs.complete(BLOBS_TIMEOUT_MS)) return;
    const { missing } = this.#blobs;
    throw refused(
      `This node lacks ${missing} large values that its state names, and a backup without them would not be whole. Try again once it has them, or ask another node.`,
      true,
    );
  }

  /** Into a new folder of this name, which is checked, below the one for clients. Rejects with BACKUP_REFUSED, and with what the storage says. */
  async makeNamed(name: string): Promise<BackupSummary> {
    if (this.#folder === undefined) {
      throw refused(
        "This node makes no backups for clients: its configuration names no folder for them. Start it with --backup-dir (backupDir).",
      );
    }
    return this.make(join(this.#folder, name));
  }
}

function summaryOf(path: string, manifest: BackupManifest): BackupSummary {
  const { nodeId, clusterId, createdAt, files, groups } = manifest;
  return {
    nodeId,
    clusterId,
    path,
    createdAt,
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    groups: groups.map(({ group, commit, lastIndex }) => ({ group, commit, lastIndex })),
  };
}

function refused(message: string, retryable = false): NodeError {
  return new NodeError("BACKUP_REFUSED", message, { retryable });
}
