/**
 * StepProgress: a run's owner records how far a step has come that is not done: a failed attempt that will be followed by another, heartbeat details,
 * when the first attempt began.
 *
 * SP1. Of one step's commands, one that knows of fewer failed attempts than the state changes nothing: it was overtaken.
 * SP2. A step that has its record has no progress: a command that comes after the record changes nothing.
 * SP3. When the first attempt began is told once: the first word stands, so that a deadline over all attempts counts across owners.
 */
import type { NodeId } from "@raftoral/raft-core";
import { encodeFailure, failureCodec, type RecordedError } from "../../model/failure.ts";
import type { Epoch } from "../../model/runs/ownership.ts";
import { MAX_ATTEMPT_ERROR_BYTES, MAX_HEARTBEAT_BYTES } from "../../model/step-progress.ts";
import { findHistoryRecord } from "../../state/runs/run-records.ts";
import { bytes, message, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { ownedRun } from "../find-run.ts";
import { forgetLosses } from "../put-record.ts";
import { refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/** What is known of one step that has no record. Answered with Done; refused with STALE_OWNER unless it comes from the run's owner. */
export interface StepProgressCommand {
  readonly kind: "StepProgress";
  readonly runId: string;
  readonly path: string;
  /** Attempts that have failed, over all owners. */
  readonly attempts: number;
  /** What the last of them failed of. Absent: what is known stands. */
  readonly error?: RecordedError;
  /** When the next attempt is due. 0: what is known stands. */
  readonly nextAtMs: number;
  readonly beganAtMs: number;
  /** What the last heartbeat said, as JSON. Empty: what is known stands. */
  readonly details: Uint8Array;
  readonly atMs: number;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

export const stepProgress = defineCommand<StepProgressCommand, Done>({
  kind: "StepProgress",
  field: 25,
  summary: "Records a step's failed attempts, the time of its next one and its heartbeat details.",
  maxRuns: 1,
  fields: {
    runId: string(1),
    path: string(2),
    attempts: uint(3),
    error: optional(message(4, failureCodec, { name: "", message: "" })),
    nextAtMs: uint(5),
    beganAtMs: uint(6),
    details: bytes(7),
    atMs: uint(16),
    owner: uint(17),
    epoch: uint(18),
  },
  apply(tables, command) {
    const { path, attempts, error, nextAtMs, beganAtMs, details } = command;
    const isTooLarge = details.length > MAX_HEARTBEAT_BYTES || errorBytes(error) > MAX_ATTEMPT_ERROR_BYTES;
    if (isTooLarge) {
      return refused(
        "COMMAND_INVALID",
        `The progress of step ${path} of run ${command.runId} is too large. Propose at most ${MAX_HEARTBEAT_BYTES} bytes of details and ${MAX_ATTEMPT_ERROR_BYTES} of an error.`,
      );
    }
    const found = ownedRun(tables, command);
    if (!found.ok) return found;
    const { run } = found;
    const { runs } = tables;
    const isDone = findHistoryRecord(runs.records, run, path) !== undefined;
    const known = isDone ? undefined : runs.progressAt(run, path);
    const standing = known !== undefined && known.epoch < found.head.mending.progressFrom ? undefined : known;
    if (isDone || attempts < (standing?.attempts ?? 0)) return { ok: true, kind: "Done", changed: false };
    const lastError = error ?? standing?.error;
    runs.setProgress(run, {
      path,
      attempts,
      ...(lastError === undefined ? {} : { error: lastError }),
      nextAtMs: nextAtMs === 0 ? (standing?.nextAtMs ?? 0) : nextAtMs,
      beganAtMs: standing?.beganAtMs ?? beganAtMs,
      details: details.length === 0 ? (standing?.details ?? details) : details,
      recordedAtMs: tables.clock,
      epoch: command.epoch,
    });
    // Attempts are bounded: a run that ends its owners in between gets no further by them.
    if (attempts > (standing?.attempts ?? 0)) {
      forgetLosses(tables, run);
      const { runId, workflowType } = run;
      const at = { index: tables.index, atMs: tables.clock };
      const { owner, epoch } = command;
      const what = { runId, workflowType, path, attempts, error: lastError, nextAtMs, owner, epoch };
      tables.events.push({ type: "attempt-failed", ...at, ...what });
    }
    return { ok: true, kind: "Done", changed: true };
  },
});

function errorBytes(error: RecordedError | undefined): number {
  return error === undefined ? 0 : encodeFailure(error).length;
}
