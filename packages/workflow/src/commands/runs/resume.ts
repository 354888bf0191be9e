/** Resume: lets a stuck run go on, as if it had lost no owner. A run that is not stuck is left as it is. */
import { string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { runningRun } from "../find-run.ts";
import type { Done } from "../results.ts";

/** Resumes a stuck run. Answered with Done; `changed` is false for a run that is not stuck. Refused with WORKFLOW_FINISHED for one that has ended. */
export interface Resume {
  readonly kind: "Resume";
  readonly runId: string;
  readonly atMs: number;
}

export const resume = defineCommand<Resume, Done>({
  kind: "Resume",
  field: 27,
  summary: "Lets a stuck run go on.",
  maxRuns: 1,
  fields: { runId: string(1), atMs: uint(2) },
  apply(tables, { runId }) {
    const found = runningRun(tables, runId);
    if (!found.ok) return found;
    if (found.head.stuck === undefined) return { ok: true, kind: "Done", changed: false };
    tables.release(found.run, found.head);
    return { ok: true, kind: "Done", changed: true };
  },
});
