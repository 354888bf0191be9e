/** Terminate: ends a run now. Its body hears nothing of it and undoes nothing. */
import { terminated } from "../../model/runs/run-outcome.ts";
import { optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { runningRun } from "../find-run.ts";
import { BY_FIELD } from "../operators/operated.ts";
import type { Done } from "../results.ts";

/** Ends a run as failed with RUN_TERMINATED. Answered with Done; `changed` is false when this request has done so before. Refused with WORKFLOW_FINISHED. */
export interface Terminate {
  readonly kind: "Terminate";
  readonly runId: string;
  readonly reason: string;
  /** The same request again is done once. */
  readonly requestId: string;
  readonly atMs: number;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
}

export const terminate = defineCommand<Terminate, Done>({
  kind: "Terminate",
  field: 49,
  summary: "Ends a run now, as failed, without its body.",
  maxRuns: 1,
  fields: { runId: string(1), reason: string(2), requestId: string(3), atMs: uint(4), by: optional(string(BY_FIELD)) },
  audited: ({ runId }) => ({ action: "terminate", subject: runId, detail: "" }),
  apply(tables, { runId, reason, requestId }) {
    const run = tables.runs.get(runId);
    const isRepeated = requestId !== "" && run?.head.mending.requestId === requestId;
    if (isRepeated && run?.head.status === "finished") return { ok: true, kind: "Done", changed: false };
    const found = runningRun(tables, runId);
    if (!found.ok) return found;
    const { head } = found;
    const mending = { ...head.mending, requestId };
    // Its time is not what ends it.
    tables.finish(found.run, { ...head, isTimedOut: false, mending }, terminated(runId, reason));
    return { ok: true, kind: "Done", changed: true };
  },
});
