/** Finds the run that a command is about, or says why there is none. */
import type { NodeId } from "@raftoral/raft-core";
import { runNotFoundText } from "../errors.ts";
import type { Epoch } from "../model/runs/ownership.ts";
import type { RunningHead, RunRecord } from "../state/runs/run-record.ts";
import type { Tables } from "../state/tables.ts";
import { type Refused, refused } from "./refusal.ts";

/** A run that has not ended. */
export interface Running {
  readonly ok: true;
  readonly run: RunRecord;
  readonly head: RunningHead;
}

/** The run, if it has not ended. */
export function runningRun(tables: Tables, runId: string): Running | Refused {
  const run = tables.runs.get(runId);
  if (run === undefined) return refusedAsEnded(tables, runId);
  const { head } = run;
  if (head.status !== "running") {
    return refused("WORKFLOW_FINISHED", `Run ${runId} has ended: it is ${head.outcome}. Ask for its result instead.`, {
      runId,
      status: head.outcome,
    });
  }
  return { ok: true, run, head };
}

/** What is said of a run that is not there: it was pruned, if its id is kept still. */
export function refusedAsEnded({ runs }: Tables, runId: string): Refused {
  const pruned = runs.tombstones.get(runId);
  if (pruned === undefined) return refused("WORKFLOW_NOT_FOUND", runNotFoundText(runId), { runId });
  const { status } = pruned;
  return refused("WORKFLOW_FINISHED", `Run ${runId} has ended: it was ${status}, and has been pruned since.`, {
    runId,
    status,
    pruned: true,
  });
}

/** The run, if the command is of the process that executes it (command.ts C3, tables.ts O1). */
export function ownedRun(tables: Tables, command: OfOwner): Running | Refused {
  const found = runningRun(tables, command.runId);
  if (!found.ok) return found;
  const { epoch } = found.head;
  const owner = tables.ownerOf(found.run);
  if (owner === 0 || owner !== command.owner || epoch !== command.epoch) {
    return refused(
      "STALE_OWNER",
      `Run ${command.runId} belongs to node ${owner} at epoch ${epoch}, not to node ${command.owner} at epoch ${command.epoch}. Leave the run to that owner.`,
      { owner, epoch },
    );
  }
  return found;
}

/** What a command on behalf of a run's owner has. */
export interface OfOwner {
  readonly runId: string;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}
