/** What a node's data folder shows: how long the disk takes, and how much room is taken and left. */
import type { NodeStorage } from "../node/storage/node-storage.ts";
import type { Histogram } from "./histogram.ts";
import { gauge, histogram, type MetricSource, type Observe, updown } from "./metric.ts";
import type { Recorders } from "./recorders.ts";

export const STORAGE_METRICS = {
  flushDuration: histogram("raftoral.storage.flush.duration", "From the beginning of a write until it is on the disk"),
  used: updown("raftoral.storage.used", "By", "Allocated to the files of the data folder"),
  free: gauge("raftoral.storage.free", "By", "Free on the file system of the data folder"),
} as const;

/** The metrics of a storage. One that measures nothing, such as one in memory, shows nothing. */
export class StorageMetrics implements MetricSource {
  readonly #flushes: Histogram;
  #storage: NodeStorage | undefined;

  constructor(recorders: Recorders) {
    this.#flushes = recorders.histogram(STORAGE_METRICS.flushDuration, {});
  }

  /** A storage that measures nothing, such as one in memory, shows nothing. */
  watch(storage: NodeStorage): void {
    this.#storage = storage;
    storage.measure?.({ flushed: (tookMs) => this.#flushes.record(tookMs / 1000) });
  }

  async collect(observe: Observe): Promise<void> {
    const usage = await this.#storage?.usage?.();
    if (usage === undefined) return;
    observe(STORAGE_METRICS.used, usage.usedBytes);
    observe(STORAGE_METRICS.free, usage.freeBytes);
  }
}
