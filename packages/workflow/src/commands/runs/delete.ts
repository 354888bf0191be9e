/**
 * Delete: drops a run that has ended, at once and whatever the retention.
 *
 * DL1. The run is gone with the command; what it has many of is swept in pieces, with the commands that follow (run-remains.ts RM1).
 * DL2. A run that is not there is deleted already, so a delete that is proposed again changes nothing.
 * DL3. A run that has not ended is not deleted, and neither is a child whose parent is to hear of its end.
 */
import { string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/** Drops a run that has ended. Answered with Done. Refused with WORKFLOW_RUNNING for one that has not. */
export interface Delete {
  readonly kind: "Delete";
  readonly runId: string;
  readonly atMs: number;
}

export const deleteRun = defineCommand<Delete, Done>({
  kind: "Delete",
  field: 45,
  summary: "Drops a run that has ended.",
  maxRuns: 1,
  fields: { runId: string(1), atMs: uint(2) },
  apply(tables, { runId }) {
    const { runs, children, index, clock: atMs } = tables;
    const run = runs.get(runId);
    if (run === undefined) return { ok: true, kind: "Done", changed: false };
    if (run.head.status === "running") {
      return refused(
        "WORKFLOW_RUNNING",
        `Run ${runId} has not ended. Cancel it, wait for its end, and delete it then.`,
        {
          runId,
        },
      );
    }
    if (!children.isReported(run.startIndex)) {
      return refused(
        "WORKFLOW_RUNNING",
        `Run ${runId} has ended, and its parent is still to hear of that. Delete it once its parent has heard.`,
        { runId },
      );
    }
    runs.prune(run);
    tables.events.push({ type: "runs-pruned", index, atMs, runIds: [runId] });
    return { ok: true, kind: "Done", changed: true };
  },
});
