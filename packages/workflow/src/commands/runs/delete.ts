/**
 * Delete: drops a run that has ended, at once and whatever the retention.
 *
 * DL1. The run is gone with the command; what it has many of is swept in pieces, with the commands that follow (run-remains.ts RM1).
 * DL2. A run that is not there is deleted already, so a delete that is proposed again changes nothing.
 * DL4. What is kept of a run that was pruned goes, too: the id is free afterwards. A start that was sent before the delete, and that comes late, does not run again (tombstones.ts
 *      TS4).
 * DL3. A run that has not ended is not deleted, and neither is a child whose parent is to hear of its end.
 */
import type { LogIndex } from "@raftoral/raft-core";
import { optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { BY_FIELD, REASON_FIELD } from "../operators/operated.ts";
import { refused } from "../refusal.ts";

/** Drops a run that has ended, and frees its id. Answered with Deleted. Refused with WORKFLOW_RUNNING for one that has not. */
export interface Delete {
  readonly kind: "Delete";
  readonly runId: string;
  readonly atMs: number;
  /** Why. */
  readonly reason?: string;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
}

/** No run has the id any more. */
export interface Deleted {
  readonly ok: true;
  readonly kind: "Deleted";
  /** Whether there was one, or its id was kept. */
  readonly changed: boolean;
  /** Place of the command in the log: no entry behind it has anything of the run. */
  readonly index: LogIndex;
}

export const deleteRun = defineCommand<Delete, Deleted>({
  kind: "Delete",
  field: 45,
  summary: "Drops a run that has ended.",
  maxRuns: 1,
  fields: { runId: string(1), atMs: uint(2), by: optional(string(BY_FIELD)), reason: optional(string(REASON_FIELD)) },
  audited: ({ runId }) => ({ action: "delete", subject: runId, detail: "" }),
  apply(tables, { runId }) {
    const { runs, children, index, clock: atMs } = tables;
    const run = runs.get(runId);
    if (run === undefined) {
      const pruned = runs.tombstones.get(runId);
      if (pruned !== undefined) runs.tombstones.addDeleted(pruned, tables.uptimeMs);
      return { ok: true, kind: "Deleted", changed: pruned !== undefined, index };
    }
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
    runs.tombstones.addDeleted(run, tables.uptimeMs);
    tables.events.push({ type: "runs-pruned", index, atMs, runIds: [runId] });
    return { ok: true, kind: "Deleted", changed: true, index };
  },
});
