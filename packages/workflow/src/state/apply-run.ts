/**
 * Applies the commands of a running run: its owner's (Checkpoint, SignalReceive, WorkflowEnd) and others' (Signal, Cancel).
 *
 * A1. A command of an owner changes nothing unless its (owner, epoch) is the run's present one.
 * A2. A checkpoint, once recorded, stays: a second one at its path is answered with the first.
 * A3. A signal is recorded at one path, once, in the order of arrival per name.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { CommandResult, HistoryRecord, Refused } from "../command/command-result.ts";
import type {
  Cancel,
  Checkpoint,
  Epoch,
  RecordKind,
  Signal,
  SignalReceive,
  WorkflowEnd,
} from "../command/workflow-command.ts";
import { runNotFoundText } from "../errors.ts";
import type { RunningHead, RunRecord } from "./run-record.ts";
import { findHistoryRecord } from "./run-records.ts";
import { refused, type Tables } from "./tables.ts";

/** Signals a run may have waiting; more are refused with SIGNAL_BUFFER_FULL. */
export const MAX_BUFFERED_SIGNALS = 1000;
/** Bytes of their payloads; a run and all that waits for it must fit into one record of a snapshot. */
export const MAX_BUFFERED_SIGNAL_BYTES = 16 * 1024 * 1024;
/** Signal ids a run remembers, to drop repeated ones. */
export const MAX_SIGNAL_IDS = 256;

interface Running {
  readonly ok: true;
  readonly run: RunRecord;
  readonly head: RunningHead;
}

function runningRun(tables: Tables, runId: string): Running | Refused {
  const run = tables.runs.get(runId);
  if (run === undefined) return refused("WORKFLOW_NOT_FOUND", runNotFoundText(runId), { runId });
  const { head } = run;
  if (head.status !== "running") {
    return refused("WORKFLOW_FINISHED", `Run ${runId} has ended: it is ${head.outcome}. Ask for its result instead.`, {
      runId,
      status: head.outcome,
    });
  }
  return { ok: true, run, head };
}

function ownedRun(tables: Tables, command: { runId: string; owner: NodeId; epoch: Epoch }): Running | Refused {
  const found = runningRun(tables, command.runId);
  if (!found.ok) return found;
  const { owner, epoch } = found.head;
  if (owner === 0 || owner !== command.owner || epoch !== command.epoch) {
    return refused(
      "STALE_OWNER",
      `Run ${command.runId} belongs to node ${owner} at epoch ${epoch}, not to node ${command.owner} at epoch ${command.epoch}`,
      { owner, epoch },
    );
  }
  return found;
}

export function applyRecord(tables: Tables, command: Checkpoint): CommandResult {
  const found = ownedRun(tables, command);
  if (!found.ok) return found;
  return record(tables, found, command.path, command.recordKind, command.value);
}

export function applySignalReceive(tables: Tables, command: SignalReceive): CommandResult {
  const found = ownedRun(tables, command);
  if (!found.ok) return found;
  const { run } = found;
  const standing = findHistoryRecord(tables.runs.records, run, command.path);
  if (standing !== undefined) return stands(run, command.path, "signal", standing);
  const signal = run.signals.find((waiting) => waiting.name === command.name);
  if (signal === undefined) {
    if (command.timedOut) return record(tables, found, command.path, "signal-timeout", new Uint8Array(0));
    return refused("SIGNAL_MISSING", `Run ${command.runId} has no signal ${command.name} waiting`);
  }
  tables.runs.removeSignal(run, signal);
  return record(tables, found, command.path, "signal", signal.payload);
}

/** Kinds that one call of the author's may record at its path. */
const FAMILY: Readonly<Record<RecordKind, string>> = Object.freeze({
  step: "step",
  "step-failed": "step",
  variable: "variable",
  "variable-failed": "variable",
  sleep: "sleep",
  "wait-deadline": "wait deadline",
  now: "now",
  signal: "wait",
  "signal-timeout": "wait",
});

/** Whether a checkpoint of this kind can answer a call that would record the other. */
export function sameFamily(a: RecordKind, b: RecordKind): boolean {
  return FAMILY[a] === FAMILY[b];
}

function stands(run: RunRecord, key: string, kind: RecordKind, standing: HistoryRecord): CommandResult {
  if (!sameFamily(standing.kind, kind)) {
    return refused(
      "NON_DETERMINISM",
      `Run ${run.runId} recorded a ${FAMILY[standing.kind]} at ${key}, not a ${FAMILY[kind]}`,
      { key, expected: kind, recorded: standing.kind },
    );
  }
  return { ok: true, kind: "Recorded", recorded: false, record: standing };
}

function record(
  tables: Tables,
  { run, head }: Running,
  path: string,
  kind: RecordKind,
  value: Uint8Array,
): CommandResult {
  const committed: HistoryRecord = {
    kind,
    value,
    recordedAtMs: tables.clock,
    index: tables.index,
    epoch: head.epoch,
  };
  const standing = tables.runs.record(run, path, committed);
  if (standing !== undefined) return stands(run, path, kind, standing);
  tables.events.push({
    type: "record-committed",
    index: tables.index,
    atMs: tables.clock,
    runId: run.runId,
    path,
    kind,
    owner: head.owner,
    epoch: head.epoch,
  });
  return { ok: true, kind: "Recorded", recorded: true, record: committed };
}

export function applyEnd(tables: Tables, command: WorkflowEnd): CommandResult {
  const found = ownedRun(tables, command);
  if (!found.ok) return found;
  tables.finish(found.run, found.head, command.outcome);
  return { ok: true, kind: "Done", changed: true };
}

export function applySignal(tables: Tables, command: Signal): CommandResult {
  // Looked for before all else: it may have been this signal that the run waited for to end.
  const known = command.signalId === "" ? undefined : tables.runs.get(command.runId)?.head.signalIds;
  if (known?.includes(command.signalId) === true) return { ok: true, kind: "Done", changed: false };
  const found = runningRun(tables, command.runId);
  if (!found.ok) return found;
  const { run, head } = found;
  const bytes = run.signals.reduce((sum, { payload }) => sum + payload.length, command.payload.length);
  if (run.signals.length >= MAX_BUFFERED_SIGNALS || bytes > MAX_BUFFERED_SIGNAL_BYTES) {
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
  tables.events.push({ type: "signal-buffered", index: tables.index, atMs: tables.clock, runId: run.runId, name });
  return { ok: true, kind: "Done", changed: true };
}

export function applyCancel(tables: Tables, command: Cancel): CommandResult {
  const found = runningRun(tables, command.runId);
  if (!found.ok) return found;
  const { run, head } = found;
  if (head.owner === 0) {
    tables.finish(run, head, { status: "cancelled", reason: command.reason });
    return { ok: true, kind: "Done", changed: true };
  }
  if (head.cancelReason !== undefined) return { ok: true, kind: "Done", changed: false };
  tables.runs.update(run, { ...head, cancelReason: command.reason });
  tables.events.push({
    type: "cancel-requested",
    index: tables.index,
    atMs: tables.clock,
    runId: run.runId,
    reason: command.reason,
  });
  return { ok: true, kind: "Done", changed: true };
}
