/**
 * Hold: a run's owner has code that does not fit the run's history. The run is stuck, and goes on by itself when a node registers code of its type and version.
 *
 * HO1. Nothing is recorded of a body that does not fit: the run's history is as it was.
 * HO2. A run that somebody has asked to cancel is cancelled instead: no code has to fit for that.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { Epoch } from "../../model/runs/ownership.ts";
import type { CodeMismatch } from "../../model/runs/stuck-reason.ts";
import { string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { ownedRun } from "../find-run.ts";
import type { Done } from "../results.ts";

/** Holds a run whose code does not fit. Answered with Done. */
export interface Hold extends CodeMismatch {
  readonly kind: "Hold";
  readonly runId: string;
  readonly atMs: number;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

export const hold = defineCommand<Hold, Done>({
  kind: "Hold",
  field: 36,
  summary: "Holds a run whose code does not fit its history.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    path: string(2),
    expected: string(3),
    recorded: string(4),
    atMs: uint(16),
    owner: uint(17),
    epoch: uint(18),
  },
  apply(tables, command) {
    const found = ownedRun(tables, command);
    if (!found.ok) return found;
    tables.hold(found.run, found.head, command);
    return { ok: true, kind: "Done", changed: true };
  },
});
