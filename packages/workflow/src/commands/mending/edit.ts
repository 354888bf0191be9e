/**
 * Edit: answers a step of a run in the place of its function: with a value, or with nothing to skip it.
 *
 * ED1. The record is of the kind `edited`, at a path of its own. The step is answered with it as with a record of its own, whenever the body comes to the step; a body that
 *      never does is not bound to. So it may be given before the step begins, and while it is tried for ever.
 * ED2. A record stays: a step that has one is not answered again, and what its own function gives after this is dropped.
 * ED3. The run gets a new epoch, so that its owner begins again from the record: the attempt that is under way is aborted.
 */
import { isSameValue } from "../../model/payload-envelope.ts";
import { editPath } from "../../model/record.ts";
import { findHistoryRecord } from "../../state/runs/run-records.ts";
import { bytes, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { runningRun } from "../find-run.ts";
import { BY_FIELD } from "../operators/operated.ts";
import { recordFromOutside } from "../put-record.ts";
import { refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/** Longest path that is edited, in UTF-16 units. */
const MAX_PATH_LENGTH = 4096;

/**
 * Answers a step. Answered with Done; `changed` is false when the step has this answer already. Refused with WORKFLOW_FINISHED, NAME_INVALID for no path, and
 * STEP_RECORDED for a step that has its record.
 */
export interface Edit {
  readonly kind: "Edit";
  readonly runId: string;
  readonly path: string;
  /** JSON as UTF-8; empty stands for undefined. */
  readonly value: Uint8Array;
  readonly reason: string;
  readonly atMs: number;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
}

export const edit = defineCommand<Edit, Done>({
  kind: "Edit",
  field: 55,
  summary: "Answers a step of a run in the place of its function.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    path: string(2),
    value: bytes(3),
    reason: string(4),
    atMs: uint(5),
    by: optional(string(BY_FIELD)),
  },
  audited: ({ path, runId }) => ({ action: "complete-step", subject: runId, detail: path }),
  apply(tables, { runId, path, value }) {
    const found = runningRun(tables, runId);
    if (!found.ok) return found;
    if (path.length === 0 || path.length > MAX_PATH_LENGTH) {
      return refused(
        "NAME_INVALID",
        `A step's path has 1 to ${MAX_PATH_LENGTH} characters; this one has ${path.length}. Copy it from show.`,
        { runId },
      );
    }
    const { run, head } = found;
    const { records } = tables.runs;
    const standing = findHistoryRecord(records, run, path) ?? findHistoryRecord(records, run, editPath(path));
    if (standing !== undefined) {
      if (standing.kind === "edited" && isSameValue(standing.value, value))
        return { ok: true, kind: "Done", changed: false };
      return refused(
        "STEP_RECORDED",
        `Run ${runId} has a record at ${path} already: ${standing.kind}. It stays. To run a step of a failed run again, retry the run from it.`,
        { runId, path, recorded: standing.kind },
      );
    }
    recordFromOutside(tables, found, editPath(path), "edited", value);
    tables.restart(run, run.head.status === "running" ? run.head : head);
    if (run.head.stepsInProgress > 0) tables.runs.dropProgress(run, path);
    return { ok: true, kind: "Done", changed: true };
  },
});
