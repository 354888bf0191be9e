/** Why a run is stuck: it has not ended, and no node executes it until something from outside changes. */

/** Positions, from 1 on, are the numbers in the state's records. `owner-losses`: its owners ended one after the other (owner-losses.ts OL4). */
export const STUCK_REASONS = ["owner-losses"] as const;

/** Why a run is stuck. */
export type StuckReason = (typeof STUCK_REASONS)[number];
