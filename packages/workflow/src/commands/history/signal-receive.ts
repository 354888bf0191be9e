/**
 * SignalReceive: a run's owner takes the oldest signal of a name and records it at a path; with `timedOut`, records that there was none.
 *
 * SR1. A signal is recorded at one path, once, in the order of arrival per name.
 * SR2. What a wait had received before a retry went back to before it, it receives again (model/mending.ts ME2).
 */
import type { NodeId } from "@raftoral/raft-core";
import type { Epoch } from "../../model/runs/ownership.ts";
import { findAnyRecord, findHistoryRecord } from "../../state/runs/run-records.ts";
import { bool, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { ownedRun } from "../find-run.ts";
import { record, stands } from "../put-record.ts";
import { refused } from "../refusal.ts";
import type { Recorded } from "../results.ts";

/**
 * Asks for a signal to be received. Answered with Recorded, also when the path has a record already; refused with SIGNAL_MISSING when no signal of
 * this name waits and `timedOut` is false.
 */
export interface SignalReceive {
  readonly kind: "SignalReceive";
  readonly runId: string;
  readonly path: string;
  readonly name: string;
  readonly timedOut: boolean;
  readonly atMs: number;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

const NOTHING: Uint8Array = new Uint8Array(0);

export const signalReceive = defineCommand<SignalReceive, Recorded>({
  kind: "SignalReceive",
  field: 17,
  summary: "Takes the oldest signal of a name into the run's history, or records that none came in time.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    path: string(2),
    name: string(3),
    timedOut: bool(4),
    atMs: uint(5),
    owner: uint(6),
    epoch: uint(7),
  },
  apply(tables, command) {
    const found = ownedRun(tables, command);
    if (!found.ok) return found;
    const { run, head } = found;
    const standing = findHistoryRecord(tables.runs.records, run, command.path);
    if (standing !== undefined) return stands(run, command.path, "signal", standing);
    const before = head.mending.undone.length === 0 ? undefined : findAnyRecord(tables.runs.records, run, command.path);
    if (before?.kind === "signal") return record(tables, found, command.path, "signal", before.value);
    const signal = run.signals.find((waiting) => waiting.name === command.name);
    if (signal === undefined) {
      if (command.timedOut) return record(tables, found, command.path, "signal-timeout", NOTHING);
      return refused(
        "SIGNAL_MISSING",
        `Run ${command.runId} has no signal ${command.name} waiting. Ask again when one has come.`,
      );
    }
    tables.runs.removeSignal(run, signal);
    return record(tables, found, command.path, "signal", signal.payload);
  },
});
