/** The status of a run, as people see it. */
import type { RunHead, RunningHead } from "../runs/run-record.ts";

/** Every status; their places are their numbers in keys and counts, and never change. */
export const RUN_STATUSES = [
  "running",
  "stuck",
  "completed",
  "failed",
  "cancelled",
  "paused",
  "delayed",
  "queued",
] as const;

/** The status of a run. Stuck, paused, delayed and queued runs have not ended, and no node executes them. */
export type RunStatus = (typeof RUN_STATUSES)[number];

/** The status that a run's head says. */
export function statusOf(head: RunHead): RunStatus {
  if (head.status === "finished") return head.outcome;
  if (head.stuck === undefined) return isQueued(head) ? "queued" : "running";
  return head.stuck === "paused" || head.stuck === "delayed" ? head.stuck : "stuck";
}

/** Whether a run waits in a queue, for its turn or its time. */
function isQueued({ queued }: RunningHead): boolean {
  return queued !== undefined && queued.stage !== "admitted";
}

/** The number of the status that a run's head says. */
export function statusNumber(head: RunHead): number {
  return RUN_STATUSES.indexOf(statusOf(head));
}
