/** How long to leave a peer alone: doubling with each failure in a row, half of it random so that nodes do not march in step. */
import type { Rng } from "@raftoral/raft-core";

/** `failures` counts from 1. */
export function backoffMs(
  failures: number,
  bounds: { readonly minBackoffMs: number; readonly maxBackoffMs: number },
  rng: Rng,
): number {
  const full = Math.min(bounds.maxBackoffMs, bounds.minBackoffMs * 2 ** Math.min(failures - 1, 30));
  const half = full / 2;
  return half + (half * rng.below(1024)) / 1024;
}
