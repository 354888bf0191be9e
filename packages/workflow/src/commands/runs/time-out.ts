/**
 * TimeOut: the time of a run is over. Its owner proposes it; the body hears of it as of a cancellation.
 *
 * TO1. However a run ends as cancelled after that, it has failed with RUN_TIMED_OUT (tables.ts O6). A body that returns all the same has completed.
 * TO2. A run that somebody has asked to cancel before is cancelled, and not timed out.
 */
import type { LogIndex } from "@raftoral/raft-core";
import { string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { runningRun } from "../find-run.ts";
import type { Done } from "../results.ts";
import { askToCancel } from "./cancel.ts";

/** The time of a run is over. Answered with Done; `changed` is false for another run of the same id, and for one that was cancelled before. */
export interface TimeOut {
  readonly kind: "TimeOut";
  readonly runId: string;
  /** Place of the start of the run's first generation. */
  readonly family: LogIndex;
  readonly atMs: number;
}

export const timeOut = defineCommand<TimeOut, Done>({
  kind: "TimeOut",
  field: 34,
  summary: "Asks a run's owner to end it because its time is over.",
  maxRuns: 1,
  fields: { runId: string(1), family: uint(2), atMs: uint(3) },
  apply(tables, { runId, family }) {
    const found = runningRun(tables, runId);
    if (!found.ok) return found;
    const { run, head } = found;
    if (run.family !== family || run.deadlineAtMs === 0 || head.cancelReason !== undefined) {
      return { ok: true, kind: "Done", changed: false };
    }
    const changed = askToCancel(tables, run, { ...head, isTimedOut: true }, "its time is over");
    return { ok: true, kind: "Done", changed };
  },
});
