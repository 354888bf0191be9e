/** The status of a run, as people see it. */
import type { RunHead } from "../run-record.ts";

/** Every status; their places are their numbers in keys and counts, and never change. */
export const RUN_STATUSES = ["running", "stuck", "completed", "failed", "cancelled"] as const;

/** The status of a run. A stuck run has not ended: it goes on when somebody resumes it. */
export type RunStatus = (typeof RUN_STATUSES)[number];

/** The status that a run's head says. */
export function statusOf(head: RunHead): RunStatus {
  if (head.status === "finished") return head.outcome;
  return head.stuck === undefined ? "running" : "stuck";
}

/** The number of the status that a run's head says. */
export function statusNumber(head: RunHead): number {
  return RUN_STATUSES.indexOf(statusOf(head));
}
