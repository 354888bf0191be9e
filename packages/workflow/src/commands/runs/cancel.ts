/** Cancel: asks the owner to stop a run. A run without an owner is cancelled at once; a paused one goes on, for its body to hear of it. */

import type { RunningHead, RunRecord } from "../../state/runs/run-record.ts";
import type { Tables } from "../../state/tables.ts";
import { optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { runningRun } from "../find-run.ts";
import { BY_FIELD } from "../operators/operated.ts";
import type { Done } from "../results.ts";

/** Asks to cancel a run. Answered with Done; `changed` is false when a cancellation was asked for before. */
export interface Cancel {
  readonly kind: "Cancel";
  readonly runId: string;
  readonly reason: string;
  readonly atMs: number;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
}

export const cancel = defineCommand<Cancel, Done>({
  kind: "Cancel",
  field: 18,
  summary: "Asks a run's owner to cancel it; ends a run that has no owner.",
  maxRuns: 1,
  fields: { runId: string(1), reason: string(2), atMs: uint(3), by: optional(string(BY_FIELD)) },
  audited: ({ runId }) => ({ action: "cancel", subject: runId, detail: "" }),
  apply(tables, { runId, reason }) {
    const found = runningRun(tables, runId);
    if (!found.ok) return found;
    return { ok: true, kind: "Done", changed: askToCancel(tables, found.run, found.head, reason) };
  },
});

/** Asks a running run to cancel, or ends one that has no owner. Gives false when a cancellation was asked for before. */
export function askToCancel(tables: Tables, run: RunRecord, head: RunningHead, reason: string): boolean {
  const { index, clock: atMs } = tables;
  const { runId, workflowType } = run;
  const asked = { type: "cancel-requested", index, atMs, runId, workflowType, reason } as const;
  if (head.stuck === "paused") {
    tables.release(run, { ...head, cancelReason: reason });
    tables.events.push(asked);
    return true;
  }
  // Code of it that has begun is to clean up once the type is resumed (state/operators/paused-types.ts PT3).
  if (head.owner === 0 && head.attempt > 0 && head.stuck === undefined && tables.pausedTypes.has(workflowType)) {
    if (head.cancelReason !== undefined) return false;
    tables.runs.update(run, { ...head, cancelReason: reason });
    tables.events.push(asked);
    return true;
  }
  if (head.owner === 0) {
    tables.finish(run, { ...head, cancelReason: reason }, { status: "cancelled", reason });
    return true;
  }
  if (head.cancelReason !== undefined) return false;
  tables.runs.update(run, { ...head, cancelReason: reason, pauseReason: undefined });
  tables.events.push(asked);
  return true;
}
