/**
 * Resume: lets a stuck or paused run go on, as if it had lost no owner, begins a delayed one, and withdraws what an owner is asked to pause for. Another run is left as it is.
 *
 * RS1. A run that was paused before it began, and is not due yet, is delayed again.
 */
import { optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { runningRun } from "../find-run.ts";
import { BY_FIELD, REASON_FIELD } from "../operators/operated.ts";
import type { Done } from "../results.ts";

/** Resumes a stuck, paused or delayed run. Answered with Done; `changed` is false for another one. Refused with WORKFLOW_FINISHED for one that has ended. */
export interface Resume {
  readonly kind: "Resume";
  readonly runId: string;
  readonly atMs: number;
  /** Why. */
  readonly reason?: string;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
}

export const resume = defineCommand<Resume, Done>({
  kind: "Resume",
  field: 27,
  summary: "Lets a stuck, paused or delayed run go on.",
  maxRuns: 1,
  fields: { runId: string(1), atMs: uint(2), by: optional(string(BY_FIELD)), reason: optional(string(REASON_FIELD)) },
  audited: ({ runId }) => ({ action: "resume", subject: runId, detail: "" }),
  apply(tables, { runId, atMs }) {
    const found = runningRun(tables, runId);
    if (!found.ok) return found;
    const { run, head } = found;
    if (head.stuck === "delayed") tables.begin(run, head);
    else if (head.stuck === "paused" && head.attempt === 0 && run.startAtMs > atMs) tables.delay(run, head);
    else if (head.stuck !== undefined) tables.release(run, head);
    // The owner that holds still for the request gets the run again (pause.ts PA3).
    else if (head.pauseReason !== undefined) tables.runs.update(run, { ...head, pauseReason: undefined });
    else return { ok: true, kind: "Done", changed: false };
    return { ok: true, kind: "Done", changed: true };
  },
});
