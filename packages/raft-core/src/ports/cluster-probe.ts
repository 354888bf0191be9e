/**
 * Measurements of a running group, for metrics. Values that can be read at any time are in {@link ClusterStatus} instead.
 *
 * Role: the only connection between the driver and metrics; the driver uses no library for them. Without a probe nothing is
 * measured and no clock is read for it. Methods are called on the hot path: they must be quick and must not throw.
 */
import type { RaftErrorCode } from "../errors.ts";

/** Receives the measurements of one group. */
export interface ClusterProbe {
  /** A proposal of this node was applied here, `tookMs` after the call that made it. Configuration changes count as well. */
  proposalCommitted(tookMs: number): void;
  /** A proposal of this node was rejected with `code`. Depending on the code it may still have been committed. */
  proposalFailed(code: RaftErrorCode): void;
  /** A linearizable read of this node was confirmed and its index is applied, `tookMs` after the call. */
  readConfirmed(tookMs: number): void;
  /** A linearizable read of this node was rejected with `code`. */
  readFailed(code: RaftErrorCode): void;
  /** A snapshot of this node's state was taken and is stored, `tookMs` after its capture. Received snapshots do not count. */
  snapshotTaken(tookMs: number): void;
}
