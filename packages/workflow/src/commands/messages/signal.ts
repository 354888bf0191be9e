/** Signal: a message for a run, kept until the run waits for it. The same signal id again is taken once. */
import type { Tables } from "../../state/tables.ts";
import { bytes, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { type Running, runningRun } from "../find-run.ts";
import { type Refused, refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/** Signals a run may have waiting; more are refused with SIGNAL_BUFFER_FULL. */
export const MAX_BUFFERED_SIGNALS = 1000;
/** Bytes of their payloads; a run and all that waits for it must fit into one record of a snapshot. */
export const MAX_BUFFERED_SIGNAL_BYTES = 16 * 1024 * 1024;
/** Signal ids a run remembers, to drop repeated ones. */
export const MAX_SIGNAL_IDS = 256;

/** What a sender gives. */
export interface GivenSignal {
  readonly name: string;
  readonly payload: Uint8Array;
  readonly signalId: string;
}

/** A signal for a run. Answered with Done; `changed` is false when the run knows `signalId`. Refused with SIGNAL_BUFFER_FULL. */
export interface Signal extends GivenSignal {
  readonly kind: "Signal";
  readonly runId: string;
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
    if (knowsSignal(tables, command.runId, command.signalId)) return { ok: true, kind: "Done", changed: false };
    const found = runningRun(tables, command.runId);
    return found.ok ? takeSignal(tables, found, command) : found;
  },
});

/** Whether the run has got this signal before, as far as it remembers. */
export function knowsSignal({ runs }: Tables, runId: string, signalId: string): boolean {
  return signalId !== "" && runs.get(runId)?.head.signalIds.includes(signalId) === true;
}

/** Keeps a signal that the run has not got before. */
export function takeSignal(tables: Tables, { run, head }: Running, signal: GivenSignal): Done | Refused {
  const { runId } = run;
  const { name, payload, signalId } = signal;
  const size = run.signals.reduce((sum, waiting) => sum + waiting.payload.length, payload.length);
  if (run.signals.length >= MAX_BUFFERED_SIGNALS || size > MAX_BUFFERED_SIGNAL_BYTES) {
    return refused(
      "SIGNAL_BUFFER_FULL",
      `Run ${runId} has ${run.signals.length} signals waiting, as many or as much as it may. Send ${name} again once it has taken some.`,
      { runId },
    );
  }
  const ids = signalId === "" ? head.signalIds : [...head.signalIds, signalId].slice(-MAX_SIGNAL_IDS);
  tables.runs.addSignal(run, { name, payload, atMs: tables.clock });
  if (ids !== head.signalIds) tables.runs.update(run, { ...head, signalIds: ids });
  const at = { index: tables.index, atMs: tables.clock };
  const { workflowType } = run;
  tables.events.push({ type: "signal-buffered", ...at, runId, workflowType, name, payload });
  return { ok: true, kind: "Done", changed: true };
}
