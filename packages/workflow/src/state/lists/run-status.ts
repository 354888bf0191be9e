/** The status of a run, as people see it. */
import type { RunHead } from "../runs/run-record.ts";

/** Every status; their places are their numbers in keys and counts, and never change. */
export const RUN_STATUSES = ["running", "stuck", "completed", "failed", "cancelled", "paused"] as const;

/** The status of a run. Stuck and paused runs have not ended: they go on when somebody resumes them. */
export type RunStatus = (typeof RUN_STATUSES)[number];

/** The status that a run's head says. */
export function statusOf(head: RunHead): RunStatus {
  if (head.status === "finished") return head.outcome;
  if (head.stuck === undefined) return "running";
  return head.stuck === "paused" ? "paused" : "stuck";
}

/** The number of the status that a run's head says. */
export function statusNumber(head: RunHead): number {
  return RUN_STATUSES.indexOf(statusOf(head));
}
