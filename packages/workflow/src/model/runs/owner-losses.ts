/**
 * How often in a row a run has lost its owner, and what follows: a body that ends the process of its owner must not end one process after the other.
 *
 * OL1. A loss is an owner that ended, or was taken for dead, without handing its runs over. A drain is none. The run's next record forgets all losses, and so does a failed attempt of a step.
 * OL2. Losses count up to `SUSPECT_LOSSES` while each comes at most `LOSS_WINDOW_MS` of the log clock after the one before: all runs of a lost node have
 *      a loss more, guilty or not.
 * OL3. From there on the run is a suspect, and counts a loss only when it was on trial: its owner executed no other suspect. So of all the runs of a lost node
 *      one is charged at most. A run that comes through its trial has no losses any more.
 * OL4. With `STUCK_LOSSES` the run is stuck: no node executes it until somebody resumes it.
 */

/** Losses that make a run a suspect. */
export const SUSPECT_LOSSES = 3;
/** Losses with which a run is stuck. */
export const STUCK_LOSSES = 5;
/** The longest time between two losses that count as two in a row, in ms. */
export const LOSS_WINDOW_MS = 600_000;

/** The losses in a row of one run. */
export interface OwnerLosses {
  readonly count: number;
  /** The log clock at the last one, in ms since the epoch; 0 without one. */
  readonly lastAtMs: number;
  /** Whether its owner executes this suspect and no other (OL3). */
  readonly onTrial: boolean;
}

/** The losses of a run that has lost no owner since its last record. */
export const NO_LOSSES: OwnerLosses = Object.freeze({ count: 0, lastAtMs: 0, onTrial: false });

/** Whether a run is to be executed alone among its kind (OL3). */
export function isSuspect({ count }: Pick<OwnerLosses, "count">): boolean {
  return count >= SUSPECT_LOSSES;
}

/** The losses of a run that has lost another owner at `atMs` of the log clock (OL2, OL3). */
export function afterLoss(before: OwnerLosses, atMs: number): OwnerLosses {
  const { count, lastAtMs, onTrial } = before;
  if (isSuspect(before)) return onTrial ? { count: count + 1, lastAtMs: atMs, onTrial: false } : before;
  const isInARow = count > 0 && atMs - lastAtMs <= LOSS_WINDOW_MS;
  return { count: isInARow ? count + 1 : 1, lastAtMs: atMs, onTrial: false };
}

/** The losses of a run that went to another owner in good order. */
export function afterHandOver(before: OwnerLosses): OwnerLosses {
  return before.onTrial ? { ...before, onTrial: false } : before;
}
