/**
 * What a group measures of itself as it goes, for whoever keeps metrics. What can be asked at any time is in
 * {@link ClusterStatus} instead.
 *
 * Role: the only tie between the driver and metrics; the driver knows no library for them. Without a probe nothing is
 * measured and no clock is read for it. Methods are called on the hot path: they must be quick and must not throw.
 */
import type { RaftErrorCode } from "../errors.ts";

export interface ClusterProbe {
  /** A proposal of this node was applied here, `tookMs` after the call that made it. Configuration changes count as well. */
  proposalCommitted(tookMs: number): void;
  /** A proposal of this node was given up; it may have been committed all the same, as its code says. */
  proposalFailed(code: RaftErrorCode): void;
  /** A linearizable read of this node was confirmed and its index is applied, `tookMs` after the call. */
  readConfirmed(tookMs: number): void;
  /** A linearizable read of this node was given up. */
  readFailed(code: RaftErrorCode): void;
  /** A snapshot of this node's state was taken and is in force, `tookMs` after its capture. Received ones are not told. */
  snapshotTaken(tookMs: number): void;
}
