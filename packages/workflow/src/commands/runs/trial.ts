/**
 * Trial: a run's owner says that it begins to execute this suspect, and no other, or that the run has come through (model/runs/owner-losses.ts OL3).
 *
 * TR1. The owner begins the body once the beginning of the trial is committed, and has one trial at a time (runtime/execution/trials.ts).
 */
import type { NodeId } from "@raftoral/raft-core";
import { isSuspect, NO_LOSSES } from "../../model/runs/owner-losses.ts";
import type { Epoch } from "../../model/runs/ownership.ts";
import { bool, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { ownedRun } from "../find-run.ts";
import type { Done } from "../results.ts";

/** The beginning or the end of a suspect's trial. Answered with Done; `changed` is false when the run is no suspect or the state knows it already. */
export interface Trial {
  readonly kind: "Trial";
  readonly runId: string;
  /** Whether the run has come through, rather than that its trial begins. */
  readonly isOver: boolean;
  readonly atMs: number;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

export const trial = defineCommand<Trial, Done>({
  kind: "Trial",
  field: 26,
  summary: "Says that a suspect's owner begins to execute it alone, or that the run has come through.",
  maxRuns: 1,
  fields: { runId: string(1), isOver: bool(2), atMs: uint(16), owner: uint(17), epoch: uint(18) },
  apply(tables, command) {
    const found = ownedRun(tables, command);
    if (!found.ok) return found;
    const { run, head } = found;
    const { losses } = head;
    // A record that came meanwhile has ended the trial.
    if (!isSuspect(losses) || losses.onTrial === !command.isOver) return { ok: true, kind: "Done", changed: false };
    tables.runs.update(run, { ...head, losses: command.isOver ? NO_LOSSES : { ...losses, onTrial: true } });
    return { ok: true, kind: "Done", changed: true };
  },
});
