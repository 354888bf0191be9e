/** The status of a run, as people see it. */
import type { RunHead } from "../runs/run-record.ts";

/** Every status; their places are their numbers in keys and counts, and never change. */
export const RUN_STATUSES = ["running", "stuck", "completed", "failed", "cancelled", "paused", "delayed"] as const;

/** The status of a run. Stuck, paused and delayed runs have not ended, and no node executes them. */
export type RunStatus = (typeof RUN_STATUSES)[number];

/** The status that a run's head says. */
export function statusOf(head: RunHead): RunStatus {
  if (head.status === "finished") return head.outcome;
  if (head.stuck === undefined) return "running";
  return head.stuck === "paused" || head.stuck === "delayed" ? head.stuck : "stuck";
}

/** The number of the status that a run's head says. */
export function statusNumber(head: RunHead): number {
  return RUN_STATUSES.indexOf(statusOf(head));
}
