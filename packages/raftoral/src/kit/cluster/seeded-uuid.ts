/** UUIDs that a seed decides. */
import type { Rng } from "@raftoral/raft-core";

/** A version 4 UUID out of a seed's randomness. */
export function seededUuid(rng: Rng): string {
  const hex = Array.from({ length: 32 }, () => rng.below(16).toString(16));
  hex[12] = "4";
  hex[16] = "89ab"[rng.below(4)] ?? "8";
  return hex.join("").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
