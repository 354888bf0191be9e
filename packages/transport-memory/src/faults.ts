/** What a network may do to messages, as numbers. A seed decides each single case. */
import { RaftError } from "@raftoral/raft-core";

/** Faults of one direction between two nodes. Rates are probabilities per message, in `[0, 1]`. */
export interface LinkFaults {
  /** Delivery takes between `minDelayMs` and `maxDelayMs`, order kept (0). Both 0: delivery in the next turn. */
  readonly minDelayMs: number;
  /** See `minDelayMs` (`minDelayMs`). */
  readonly maxDelayMs: number;
  /** Messages that are lost (0). */
  readonly dropRate: number;
  /** Messages that come twice (0). */
  readonly duplicateRate: number;
  /** Messages that leave the order (0): each takes up to `reorderMs` longer while others pass it. */
  readonly reorderRate: number;
  /** See `reorderRate` (10). */
  readonly reorderMs: number;
}

/** A network without faults. */
export const NO_FAULTS: LinkFaults = Object.freeze({
  minDelayMs: 0,
  maxDelayMs: 0,
  dropRate: 0,
  duplicateRate: 0,
  reorderRate: 0,
  reorderMs: 0,
});

/** Fills in what is left out with no fault. Throws CONFIG_INVALID for rates and delays that make no sense. */
export function linkFaults(faults: Partial<LinkFaults>): LinkFaults {
  const all = { ...NO_FAULTS, maxDelayMs: faults.minDelayMs ?? 0, reorderMs: faults.reorderRate ? 10 : 0, ...faults };
  for (const rate of ["dropRate", "duplicateRate", "reorderRate"] as const) {
    if (!(all[rate] >= 0 && all[rate] <= 1)) refuse(`${rate} is ${all[rate]}; it is a probability in [0, 1]`);
  }
  for (const delay of ["minDelayMs", "maxDelayMs", "reorderMs"] as const) {
    if (!(all[delay] >= 0 && Number.isFinite(all[delay]))) refuse(`${delay} is ${all[delay]}; it is in milliseconds`);
  }
  if (all.minDelayMs > all.maxDelayMs) refuse(`minDelayMs ${all.minDelayMs} is above maxDelayMs ${all.maxDelayMs}`);
  return all;
}

function refuse(message: string): never {
  throw new RaftError("CONFIG_INVALID", `in-memory transport: ${message}`);
}
