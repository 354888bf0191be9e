/**
 * Snapshots of this node's own state: on request, and when enough entries were applied since the last one.
 *
 * Role: decides when the snapshotter takes a snapshot, and tells the observers. The snapshotter (snapshotter.ts) takes it.
 */
import { RaftError } from "../../errors.ts";
import type { LogIndex, SnapshotMetadata } from "../../types.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { Observers } from "../observers.ts";
import type { Snapshotter } from "./snapshotter.ts";

/** The parts of the group that its own snapshots use. */
export interface LocalSnapshotsHost {
  readonly lifecycle: Pick<Lifecycle, "isRunning" | "assertRunning" | "refusal">;
  readonly snapshotter: Pick<Snapshotter, "isDue" | "take">;
  readonly observers: Pick<Observers, "emit">;
  /** Runs a step between two batches. Rejects when the node stops first. */
  exclusively(run: () => Promise<void>): Promise<void>;
  /** Makes a spooled snapshot the group's latest one. Returns false when a newer one was received (append-thread.ts A4). */
  writeSnapshot(metadata: SnapshotMetadata, compactTo: LogIndex): Promise<boolean>;
  /** Stops the node because of an error. */
  fail(error: unknown): void;
}

/** Takes the snapshots of one group on one node. */
export class LocalSnapshots {
  readonly #host: LocalSnapshotsHost;

  constructor(host: LocalSnapshotsHost) {
    this.#host = host;
  }

  /** Takes a snapshot between two batches. Rejects with OVERLOADED while another is being written, and when the node stops. */
  async take(): Promise<SnapshotMetadata> {
    const { lifecycle } = this.#host;
    lifecycle.assertRunning();
    let taken: Promise<SnapshotMetadata> | undefined;
    const captured = this.#host.exclusively(async () => {
      // Only the capture must stand between two batches. The writing runs beside the applying of later entries.
      taken = this.#takeNow();
      taken.catch(() => {});
    });
    await captured.catch(() => lifecycle.assertRunning());
    if (taken === undefined) throw lifecycle.refusal();
    return await taken;
  }

  /** Takes a snapshot if one is due. Call it between two batches. A failure stops the node. */
  takeIfDue(): void {
    if (!this.#host.snapshotter.isDue || !this.#host.lifecycle.isRunning) return;
    this.#takeNow().catch((error: unknown) => {
      // A newer snapshot was received meanwhile, which is no failure.
      if (!(error instanceof RaftError && error.code === "OVERLOADED")) this.#host.fail(error);
    });
  }

  async #takeNow(): Promise<SnapshotMetadata> {
    const taken = await this.#host.snapshotter.take((metadata, compactTo) =>
      this.#host.writeSnapshot(metadata, compactTo),
    );
    // Index 0 means that there is no state yet and no snapshot was taken.
    if (taken.index > 0) this.#host.observers.emit({ type: "snapshot-taken", index: taken.index });
    return taken;
  }
}
