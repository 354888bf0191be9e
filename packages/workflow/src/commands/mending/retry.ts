/**
 * Retry: a run that failed or was cancelled goes on from its record: the same run, under a new epoch.
 *
 * RT1. What is recorded at `from` and everything after it does not count any more (model/mending.ts ME1); without `from`, all that is recorded counts. What is left is
 *      what the run had recorded at an earlier moment, so a replay takes it as it takes the record of a run whose owner died then.
 * RT2. Its end is taken back: a parent that has not heard of it hears of the next one. One that has keeps what it heard.
 * RT3. A child goes on by itself when its parent, which was retried, waits for it again: then the command comes from the parent's owner and names the parent. A child that
 *      has completed, or has ended again since, is told to the parent once more instead.
 * RT4. A cancellation that was asked for is taken back: the run goes on from before its body heard of it. Its time limit begins again.
 * RT5. An update whose acceptance does not count any more has failed for its callers (state/update-table.ts UT5). One whose acceptance counts keeps its answer, also that
 *      the run ended first: its handler runs again, and its answer goes to no caller.
 * RT6. Its attributes are those that it had at the place that it goes back to (state/attribute-changes.ts AC2).
 * RT7. A call of another run that is taken back is the same call when it is made again: it has the same id, so its answer is the same, and is recorded once.
 */

import { MAX_UNDONE_RANGES, type RunMending, withUndone } from "../../model/mending.ts";
import { CANCELLED_PATH, type RecordPosition, recordPosition } from "../../model/record.ts";
import { NO_LOSSES } from "../../model/runs/owner-losses.ts";
import { NO_PARENT, resultPath, type StartingParent, startingParentCodec } from "../../model/runs/parent.ts";
import type { FinishedHead, RunningHead, RunRecord } from "../../state/runs/run-record.ts";
import { recordAt } from "../../state/runs/run-records.ts";
import type { Tables } from "../../state/tables.ts";
import { message, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { type Running, refusedAsEnded, runningRun } from "../find-run.ts";
import { BY_FIELD } from "../operators/operated.ts";
import { recordFromOutside } from "../put-record.ts";
import { type Refused, refused } from "../refusal.ts";
import type { Done } from "../results.ts";
import { namedRecord, notRecorded } from "./named-record.ts";

/**
 * Lets a run go on that failed or was cancelled. Answered with Done; `changed` is false when this request has done so before, or when a child goes on already. Refused
 * with WORKFLOW_RUNNING, WORKFLOW_FINISHED for one that has completed, STEP_NOT_RECORDED, or RETRY_LIMIT_REACHED.
 */
export interface Retry {
  readonly kind: "Retry";
  readonly runId: string;
  /** Path of a record (RT1); empty: from its end. */
  readonly from: string;
  readonly reason: string;
  /** The same request again is done once. */
  readonly requestId: string;
  /** The run that waits for it (RT3). */
  readonly parent?: StartingParent;
  readonly atMs: number;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
}

export const retry = defineCommand<Retry, Done>({
  kind: "Retry",
  field: 52,
  summary: "Lets a run that failed or was cancelled go on from its record.",
  maxRuns: 2,
  fields: {
    runId: string(1),
    from: string(2),
    reason: string(3),
    requestId: string(4),
    parent: optional(message(5, startingParentCodec, NO_PARENT)),
    atMs: uint(6),
    by: optional(string(BY_FIELD)),
  },
  audited: ({ from, runId }) => ({ action: "retry", subject: runId, detail: from === "" ? "" : `from ${from}` }),
  apply(tables, command) {
    return command.parent === undefined ? ofOperator(tables, command) : ofParent(tables, command, command.parent);
  },
});

function ofOperator(tables: Tables, command: Retry): Done | Refused {
  const { runId, requestId } = command;
  const run = tables.runs.get(runId);
  if (run === undefined) return refusedAsEnded(tables, runId);
  const { head } = run;
  if (requestId !== "" && head.mending.requestId === requestId) return { ok: true, kind: "Done", changed: false };
  if (head.status === "running") {
    return refused(
      "WORKFLOW_RUNNING",
      `Run ${runId} has not ended, so there is nothing to retry. Resume it if it is stuck or paused, or terminate it first.`,
      { runId },
    );
  }
  if (head.outcome === "completed") {
    return refused(
      "WORKFLOW_FINISHED",
      `Run ${runId} has completed, and its result may have been given out. Fork it instead of retrying it.`,
      { runId, status: head.outcome },
    );
  }
  return reopened(tables, run, head, command);
}

/** RT3. */
function ofParent(tables: Tables, command: Retry, parent: StartingParent): Done | Refused {
  const found = runningRun(tables, parent.runId);
  if (!found.ok) return found;
  if (found.run.startIndex !== parent.startIndex || found.head.epoch !== parent.epoch) {
    return refused(
      "STALE_OWNER",
      `Run ${command.runId} is not retried: its parent ${parent.runId} has another owner than at epoch ${parent.epoch}. Leave the run to that owner.`,
      { runId: parent.runId },
    );
  }
  const run = tables.runs.get(command.runId);
  const known = run?.parent;
  if (run === undefined || known?.startIndex !== parent.startIndex || known.path !== parent.path) {
    return gone(tables, found, command.runId, parent.path);
  }
  const { head } = run;
  if (head.status === "running") return { ok: true, kind: "Done", changed: false };
  const isOver = head.outcome === "completed" || head.endIndex > found.head.mending.retriedAt;
  if (!isOver) return reopened(tables, run, head, command);
  tables.children.report(run.startIndex);
  return { ok: true, kind: "Done", changed: true };
}

/** The parent waits for nothing: it meets a failure. */
function gone(tables: Tables, parent: Running, runId: string, path: string): Done {
  const text = `Run ${runId} is not kept any more, or is another run's child: its outcome is not known. Retry the run from the call that starts it, with another id.`;
  const value = new TextEncoder().encode(
    JSON.stringify({ name: "WorkflowError", message: text, code: "WORKFLOW_NOT_FOUND" }),
  );
  const changed = recordFromOutside(tables, parent, resultPath(path), "child-failed", value);
  return { ok: true, kind: "Done", changed };
}

function reopened(tables: Tables, run: RunRecord, head: FinishedHead, command: Retry): Done | Refused {
  const { runId, from } = command;
  const plan = planOf(tables, run, command);
  if ("ok" in plan) return plan;
  const { mending, from: first } = plan;
  if (mending.undone.length > MAX_UNDONE_RANGES) {
    return refused(
      "RETRY_LIMIT_REACHED",
      `Run ${runId} was retried from ${MAX_UNDONE_RANGES} different places. Retry it from an earlier step, or fork it.`,
      { runId },
    );
  }
  const { clock, index, children } = tables;
  // The time of a run in a queue begins when it is let through.
  const isTimedFromStart = run.deadlineAtMs !== 0 && run.queue === undefined;
  const limitMs = isTimedFromStart ? run.deadlineAtMs - run.startedAtMs : 0;
  const deadlineAtMs = limitMs === 0 ? 0 : Math.min(clock + limitMs, Number.MAX_SAFE_INTEGER);
  const opened: RunningHead = {
    status: "running",
    owner: 0,
    seat: 0,
    epoch: head.epoch,
    attempt: head.attempt,
    reason: "mending",
    cancelReason: undefined,
    isTimedOut: false,
    // Whether it has started one is not known any more.
    hasChildren: true,
    losses: NO_LOSSES,
    stuck: undefined,
    mismatch: undefined,
    tried: [],
    signalIds: head.signalIds,
    stepsInProgress: head.stepsInProgress,
    pauseReason: undefined,
    mending,
    queued: undefined,
    updates: tables.updates.takeBack(run, mending),
  };
  const again = tables.runs.reopen(run, { deadlineAtMs }, opened, first);
  tables.streams.reopen(again);
  children.closed(again.family);
  children.reported(again.startIndex);
  const { parent } = again;
  const parentRun = parent === undefined ? undefined : tables.runs.get(parent.runId);
  if (parent !== undefined && parentRun?.startIndex === parent.startIndex && parentRun.head.status === "running")
    children.add(parent.family, again.startIndex);
  const { workflowType } = again;
  tables.events.push({ type: "run-retried", index, atMs: clock, runId, workflowType, from, reason: command.reason });
  tables.release(again, opened, "mending");
  return { ok: true, kind: "Done", changed: true };
}

interface RetryPlan {
  readonly mending: RunMending;
  /** The first position that does not count any more; undefined when all count. */
  readonly from: RecordPosition | undefined;
}

/** RT1. */
function planOf(tables: Tables, run: RunRecord, { from, requestId }: Retry): RetryPlan | Refused {
  const { index } = tables;
  const { undone } = run.head.mending;
  const kept = { progressFrom: tables.lastEpoch + 1, retriedAt: index, requestId };
  const { records } = tables.runs;
  const heard = recordAt(records, run, CANCELLED_PATH);
  const named = from === "" ? heard : namedRecord(tables, run, from);
  const record = named !== undefined && heard !== undefined && heard.position < named.position ? heard : named;
  if (from === "" && record === undefined) return { mending: { undone, ...kept }, from: undefined };
  if (record !== undefined) {
    const { position } = record;
    return { mending: { undone: withUndone(undone, position, recordPosition(index, 0)), ...kept }, from: position };
  }
  return notRecorded(run, from);
}
