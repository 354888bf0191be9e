/** Signal: a message for a run, kept until the run waits for it. The same signal id again is taken once. */
import { bytes, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { runningRun } from "../find-run.ts";
import { refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/** Signals a run may have waiting; more are refused with SIGNAL_BUFFER_FULL. */
export const MAX_BUFFERED_SIGNALS = 1000;
/** Bytes of their payloads; a run and all that waits for it must fit into one record of a snapshot. */
export const MAX_BUFFERED_SIGNAL_BYTES = 16 * 1024 * 1024;
/** Signal ids a run remembers, to drop repeated ones. */
export const MAX_SIGNAL_IDS = 256;

/** A signal for a run. Answered with Done; `changed` is false when the run knows `signalId`. Refused with SIGNAL_BUFFER_FULL. */
export interface Signal {
  readonly kind: "Signal";
  readonly runId: string;
  readonly name: string;
  readonly payload: Uint8Array;
  readonly signalId: string;
  readonly atMs: number;
}

export const signal = defineCommand<Signal, Done>({
  kind: "Signal",
  field: 16,
  summary: "Keeps a message for a run until the run waits for it.",
  maxRuns: 1,
  fields: { runId: string(1), name: string(2), payload: bytes(3), signalId: string(4), atMs: uint(5) },
  apply(tables, command) {
    // Looked for before all else: it may have been this signal that the run waited for to end.
    const known = command.signalId === "" ? undefined : tables.runs.get(command.runId)?.head.signalIds;
    if (known?.includes(command.signalId) === true) return { ok: true, kind: "Done", changed: false };
    const found = runningRun(tables, command.runId);
    if (!found.ok) return found;
    const { run, head } = found;
    const size = run.signals.reduce((sum, { payload }) => sum + payload.length, command.payload.length);
    if (run.signals.length >= MAX_BUFFERED_SIGNALS || size > MAX_BUFFERED_SIGNAL_BYTES) {
      return refused(
        "SIGNAL_BUFFER_FULL",
        `Run ${command.runId} has ${run.signals.length} signals waiting, as many or as much as it may. ` +
          `Send ${command.name} again once it has taken some.`,
        { runId: command.runId },
      );
    }
    const { name, payload, signalId } = command;
    const ids = signalId === "" ? head.signalIds : [...head.signalIds, signalId].slice(-MAX_SIGNAL_IDS);
    tables.runs.addSignal(run, { name, payload, atMs: tables.clock });
    if (ids !== head.signalIds) tables.runs.update(run, { ...head, signalIds: ids });
    const { runId, workflowType } = run;
    const at = { index: tables.index, atMs: tables.clock };
    tables.events.push({ type: "signal-buffered", ...at, runId, workflowType, name, payload });
    return { ok: true, kind: "Done", changed: true };
  },
});
