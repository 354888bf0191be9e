/** Who executes a run, and why. */

/** Fences owners: grows with every change of a run's owner, over all runs of a group. 0 stands for "none". */
export type Epoch = number;

/** Why a run has the owner that it has. */
export type OwnerReason =
  | "start"
  | "node-failure"
  | "load-balancing"
  | "drain"
  | "restart"
  | "adoption"
  | "stuck"
  | "resume"
  | "mending"
  | "admission";

/** Positions are the numbers in the state's records. */
export const OWNER_REASONS = [
  "start",
  "node-failure",
  "load-balancing",
  "drain",
  "restart",
  "adoption",
  "stuck",
  "resume",
  "mending",
  "admission",
] as const satisfies readonly OwnerReason[];
