/**
 * PauseType: pauses all runs of a workflow type, and those that are started of it, until somebody resumes the type (paused-types.ts).
 *
 * PY1. Pausing changes no run: owners hear of it, and give each of their runs back once it holds still.
 * PY2. Resuming gives the first piece of the runs that wait to nodes; the leader moves the next ones (runs/move-runs.ts).
 * PY3. A queue lets no run of a paused type through, and passes over their lanes (state/queues/admission.ts Q2). Resuming has all queues look again.
 */
import { MAX_PAUSED_TYPES } from "../../state/operators/paused-types.ts";
import { bool, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { refused } from "../refusal.ts";
import type { Done } from "../results.ts";
import { MAX_MOVED_AT_ONCE, movePiece } from "../runs/move-runs.ts";
import { BY_FIELD } from "./operated.ts";

/** Longest name of a type, in UTF-16 units. */
const MAX_TYPE_LENGTH = 200;

/** Pauses a type, or resumes it. Answered with Done; `changed` is false when it was so before. Refused with NAME_INVALID. */
export interface PauseType {
  readonly kind: "PauseType";
  readonly workflowType: string;
  readonly isPaused: boolean;
  readonly reason: string;
  readonly atMs: number;
  /** Who asks for it (operated.ts). */
  readonly by?: string;
}

export const pauseType = defineCommand<PauseType, Done>({
  kind: "PauseType",
  field: 51,
  summary: "Pauses all runs of a workflow type, also those that are started later, or resumes the type.",
  maxRuns: MAX_MOVED_AT_ONCE,
  fields: {
    workflowType: string(1),
    isPaused: bool(2),
    reason: string(3),
    atMs: uint(4),
    by: optional(string(BY_FIELD)),
  },
  audited: ({ workflowType, isPaused }) => {
    return { action: isPaused ? "pause-type" : "resume-type", subject: workflowType, detail: "" };
  },
  apply(tables, { workflowType, isPaused, reason, by = "" }) {
    const { pausedTypes, index, clock: atMs } = tables;
    const problem = problemOf(workflowType);
    if (problem !== undefined) return refused("NAME_INVALID", problem, { workflowType });
    if (pausedTypes.has(workflowType) === isPaused) return { ok: true, kind: "Done", changed: false };
    if (isPaused && pausedTypes.count >= MAX_PAUSED_TYPES) {
      return refused("NAME_INVALID", `${MAX_PAUSED_TYPES} types are paused, as many as may be. Resume some of them.`);
    }
    if (isPaused) pausedTypes.add({ workflowType, reason, by, atMs });
    else pausedTypes.remove(workflowType);
    tables.events.push({ type: "type-paused", index, atMs, workflowType, isPaused, reason });
    if (!isPaused) {
      tables.queues.wakeAll();
      movePiece(tables);
    }
    return { ok: true, kind: "Done", changed: true };
  },
});

function problemOf(workflowType: string): string | undefined {
  const { length } = workflowType;
  if (length > 0 && length <= MAX_TYPE_LENGTH) return undefined;
  return `A workflow type has 1 to ${MAX_TYPE_LENGTH} characters; this one has ${length}. Give the name that nodes register.`;
}
