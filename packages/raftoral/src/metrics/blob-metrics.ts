/** What a node shows of its large values: what is here, what is missing, what went where. */
import type { Blobs } from "@raftoral/workflow";
import { counter, gauge, type MetricSource, type Observe, updown } from "./metric.ts";

export const BLOB_METRICS = {
  blobs: updown("raftoral.blobs.count", "{blob}", "Large values that are on this node"),
  bytes: updown("raftoral.blobs.size", "By", "Their bytes, and those of what has come of others"),
  missing: gauge("raftoral.blobs.missing", "{blob}", "Large values that the state names and that are not here yet"),
  kept: counter("raftoral.blobs.kept", "{blob}", "Large values that this node's bodies and callers have given"),
  keptBytes: counter("raftoral.blobs.kept.size", "By", "Their bytes"),
  sent: counter("raftoral.blobs.sent", "By", "Bytes of large values that went to peers that did not have them"),
  received: counter("raftoral.blobs.received", "By", "Bytes of large values that this node fetched"),
  deleted: counter("raftoral.blobs.deleted", "{blob}", "Large values that nothing named any more"),
  failed: counter("raftoral.blobs.failed", "{call}", "Values that no majority kept in time, and reads that found none"),
} as const;

/** The metrics of a node's blobs. */
export class BlobMetrics implements MetricSource {
  #blobs: Blobs | undefined;

  watch(blobs: Blobs): void {
    this.#blobs = blobs;
  }

  collect(observe: Observe): void {
    const blobs = this.#blobs;
    if (blobs === undefined) return;
    const { usage, counts, missing } = blobs;
    observe(BLOB_METRICS.blobs, usage.blobs);
    observe(BLOB_METRICS.bytes, usage.bytes);
    observe(BLOB_METRICS.missing, missing);
    observe(BLOB_METRICS.kept, counts.kept);
    observe(BLOB_METRICS.keptBytes, counts.keptBytes);
    observe(BLOB_METRICS.sent, counts.sentBytes);
    observe(BLOB_METRICS.received, counts.receivedBytes);
    observe(BLOB_METRICS.deleted, counts.deleted);
    observe(BLOB_METRICS.failed, counts.failed);
  }
}
