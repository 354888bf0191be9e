/** Every metric there is. docs/metrics.md has the same ones, which a test compares. */
import { BLOB_METRICS } from "./blob-metrics.ts";
import { LOCK_METRICS } from "./lock-metrics.ts";
import { gauge, type Metric } from "./metric.ts";
import { PROCESS_METRICS } from "./process-metrics.ts";
import { QUEUE_METRICS } from "./queue-metrics.ts";
import { RAFT_METRICS } from "./raft-metrics.ts";
import { STORAGE_METRICS } from "./storage-metrics.ts";
import { TRANSPORT_METRICS } from "./transport-metrics.ts";
import { WORKFLOW_METRICS } from "./workflow-metrics.ts";

export const NODE_INFO: Metric = gauge("raftoral.node.info", "{node}", "Always 1; says which node of which cluster", [
  "raftoral.cluster.id",
  "raftoral.node.address",
  "raftoral.version",
]);

/** The attribute that every series has: several nodes of one process may share a provider. */
export const NODE_ID = "raftoral.node.id";

export const ALL_METRICS: readonly Metric[] = [
  NODE_INFO,
  ...Object.values(RAFT_METRICS),
  ...Object.values(TRANSPORT_METRICS),
  ...Object.values(STORAGE_METRICS),
  ...Object.values(BLOB_METRICS),
  ...Object.values(WORKFLOW_METRICS),
  ...Object.values(QUEUE_METRICS),
  ...Object.values(LOCK_METRICS),
  ...Object.values(PROCESS_METRICS),
];
