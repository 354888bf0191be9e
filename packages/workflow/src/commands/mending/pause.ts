/**
 * Pause: takes a run off its owner until somebody resumes it.
 *
 * PA1. A run that no node executes is paused at once. The owner of another one is asked: it lets the steps under way finish, records what they gave, begins nothing
 *      more, and says so with the same command; then the run is paused. What an owner is asked is in the run's head, so the next owner does it when this one dies.
 *      A run that continues as new before its owner says so is paused at the beginning of the next generation.
 * PA2. `isNow` waits for no owner: steps under way are aborted, and run again once the run goes on.
 * PA3. An owner that holds still for a request that was withdrawn meanwhile gets the run again, under a new epoch: it has begun nothing since.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { Epoch } from "../../model/runs/ownership.ts";
import type { Tables } from "../../state/tables.ts";
import { bool, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { ownedRun, runningRun } from "../find-run.ts";
import { BY_FIELD } from "../operators/operated.ts";
import type { Refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/**
 * Asks to pause a run, or says that its owner holds still. Answered with Done; `changed` is false when the run is paused, or was asked to. Refused with
 * WORKFLOW_FINISHED, and with STALE_OWNER when it is the word of another process than the run's owner.
 */
export interface Pause {
  readonly kind: "Pause";
  readonly runId: string;
  readonly reason: string;
  /** Whether to wait for no step under way (PA2). */
  readonly isNow: boolean;
  readonly atMs: number;
  /** The owner that holds still; 0: somebody asks for it. */
  readonly owner: NodeId;
  readonly epoch: Epoch;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
}

export const pause = defineCommand<Pause, Done>({
  kind: "Pause",
  field: 50,
  summary: "Asks to pause a run, or says that its owner holds still for that.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    reason: string(2),
    isNow: bool(3),
    atMs: uint(16),
    owner: uint(17),
    epoch: uint(18),
    by: optional(string(BY_FIELD)),
  },
  audited: ({ isNow, runId }) => ({ action: "pause", subject: runId, detail: isNow ? "now" : "" }),
  apply(tables, command) {
    return command.owner === 0 ? asked(tables, command) : heldStill(tables, command);
  },
});

function asked(tables: Tables, { runId, reason, isNow }: Pause): Done | Refused {
  const found = runningRun(tables, runId);
  if (!found.ok) return found;
  const { run, head } = found;
  if (head.stuck === "paused") return { ok: true, kind: "Done", changed: false };
  if (isNow || tables.ownerOf(run) === 0) {
    tables.pause(run, head, reason);
    return { ok: true, kind: "Done", changed: true };
  }
  if (head.pauseReason !== undefined) return { ok: true, kind: "Done", changed: false };
  tables.runs.update(run, { ...head, pauseReason: reason });
  const { index, clock: atMs } = tables;
  const { workflowType } = run;
  tables.events.push({ type: "pause-requested", index, atMs, runId, workflowType, reason });
  return { ok: true, kind: "Done", changed: true };
}

function heldStill(tables: Tables, command: Pause): Done | Refused {
  const found = ownedRun(tables, command);
  if (!found.ok) return found;
  const { run, head } = found;
  if (head.pauseReason === undefined) tables.release(run, head);
  else tables.pause(run, head, head.pauseReason);
  return { ok: true, kind: "Done", changed: true };
}
