/**
 * Delete: drops one finished run, before its time is over.
 *
 * DE1. The run, its input and its outcome are gone at once. Records, progress and streams that it has many of go in pieces, with the commands that follow
 *      (run-table.ts T4); nothing finds them meanwhile, and no snapshot has them.
 */
import { runNotFoundText } from "../../errors.ts";
import { string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/**
 * Drops a finished run. Answered with Done. Refused with WORKFLOW_NOT_FOUND, and with WORKFLOW_NOT_FINISHED for a run that goes on, or that its parent has not heard
 * of yet.
 */
export interface Delete {
  readonly kind: "Delete";
  readonly runId: string;
  readonly reason: string;
  readonly atMs: number;
}

export const deleteRun = defineCommand<Delete, Done>({
  kind: "Delete",
  field: 56,
  summary: "Drops a finished run.",
  maxRuns: 1,
  fields: { runId: string(1), reason: string(2), atMs: uint(3) },
  apply(tables, { runId }) {
    const run = tables.runs.get(runId);
    if (run === undefined) return refused("WORKFLOW_NOT_FOUND", runNotFoundText(runId), { runId });
    if (run.head.status === "running") {
      return refused(
        "WORKFLOW_NOT_FINISHED",
        `Run ${runId} has not ended and cannot be deleted. Cancel or terminate it first.`,
        { runId },
      );
    }
    if (!tables.children.isReported(run.startIndex)) {
      return refused(
        "WORKFLOW_NOT_FINISHED",
        `Run ${runId} has ended, and its parent ${run.parent?.runId ?? ""} has not heard of it yet. Delete it in a moment.`,
        { runId },
      );
    }
    tables.runs.prune(run);
    tables.events.push({ type: "runs-pruned", index: tables.index, atMs: tables.clock, runIds: [runId] });
    return { ok: true, kind: "Done", changed: true };
  },
});
