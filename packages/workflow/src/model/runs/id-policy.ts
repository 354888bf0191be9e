/**
 * What a start does with a run that has its id.
 *
 * IP1. A start that is repeated because its outcome was not known finds what it made, whatever its policy: its seed or its start id says so.
 * IP2. The decision follows from the policy and the run's state alone, so every kind of start decides alike.
 */

/**
 * use-existing: the run is the start's if type and input are the same, else they conflict. reject: there may be no such run. replace-failed: a run that has failed or
 * was cancelled makes way; any other is as for use-existing. replace: any run makes way, one that goes on is ended as cancelled.
 */
export type IdPolicy = "use-existing" | "reject" | "replace-failed" | "replace";

/** Positions are the numbers of `raftoral.IdPolicy`. */
export const ID_POLICIES = [
  "use-existing",
  "reject",
  "replace-failed",
  "replace",
] as const satisfies readonly IdPolicy[];

/** What is known of the run that has the id of a start. */
export interface ExistingRun {
  readonly status: "running" | "stuck" | "paused" | "delayed" | "queued" | "completed" | "failed" | "cancelled";
  /** Whether the start is the one that made it (IP1). */
  readonly isOwn: boolean;
  /** Whether the start asks for the same: type, input and what else is compared. */
  readonly isSame: boolean;
}

/** own: the start has made the run before. existing: the run is given. replace: the run makes way for a new one. conflict: the start is refused. */
export type StartDecision = "own" | "existing" | "replace" | "conflict";

/** What a start does with the run that has its id (IP1, IP2). */
export function startDecision(policy: IdPolicy, { status, isOwn, isSame }: ExistingRun): StartDecision {
  if (isOwn && isSame) return "own";
  if (policy === "reject") return "conflict";
  if (policy === "replace") return "replace";
  if (policy === "replace-failed" && (status === "failed" || status === "cancelled")) return "replace";
  return isSame ? "existing" : "conflict";
}
