/**
 * MendRuns: does one thing to each of several runs, as the commands for one run do it.
 *
 * MR1. The runs are those that a list gave. Each is judged again when the command is applied: one that does not fit the conditions any more, or whose id another run has by now, is
 *      left as it is.
 * MR2. A run that refuses what is done to it harms no other; its refusal is in the result.
 * MR3. A command does so much at most that ends of as many runs cost; what is left of a list is asked for with further commands.
 */
import type { LogIndex } from "@raftoral/raft-core";
import { decodeConditions } from "../../state/lists/conditions-codec.ts";
import { filterOf } from "../../state/lists/run-filter.ts";
import type { Tables } from "../../state/tables.ts";
import { bytes, messages, named, optional, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { defineCommand } from "../command.ts";
import { pause } from "../mending/pause.ts";
import { retry } from "../mending/retry.ts";
import { terminate } from "../mending/terminate.ts";
import { type Refused, refused } from "../refusal.ts";
import { cancel } from "../runs/cancel.ts";
import { deleteRun } from "../runs/delete.ts";
import { resume } from "../runs/resume.ts";
import { BY_FIELD } from "./operated.ts";

/** Runs that one command is about at most (MR3). */
export const MAX_MENDED_AT_ONCE = 32;

/** What may be done to many runs. Positions are the numbers of `raftoral.BulkAction`. */
export const BULK_ACTIONS = ["cancel", "terminate", "retry", "pause", "resume", "delete"] as const;

/** See {@link BULK_ACTIONS}. */
export type BulkAction = (typeof BULK_ACTIONS)[number];

/** One of the runs. */
export interface MendedRunName {
  readonly runId: string;
  /** Place of its start in the log, as the list gave it. */
  readonly startIndex: LogIndex;
  /** Where a retry goes back to (mending/retry.ts); empty for what is no retry. */
  readonly from: string;
}

/** Does something to at most MAX_MENDED_AT_ONCE runs. Answered with MendedRuns. Refused with COMMAND_INVALID for conditions that are none. */
export interface MendRuns {
  readonly kind: "MendRuns";
  readonly action: BulkAction;
  /** What each of the runs must fit (conditions-codec.ts). */
  readonly conditions: Uint8Array;
  readonly runs: readonly MendedRunName[];
  readonly reason: string;
  /** Of every one of these requests: a run does it once. */
  readonly requestId: string;
  readonly atMs: number;
  readonly by?: string;
}

/** What became of a run: `done`, `unchanged` when there was nothing to do or the run does not fit any more, or the code of its refusal. */
export interface MendedRun {
  readonly runId: string;
  readonly outcome: string;
}

/** Something was done to runs. */
export interface MendedRuns {
  readonly ok: true;
  readonly kind: "MendedRuns";
  /** Whether any run was changed. */
  readonly changed: boolean;
  readonly runs: readonly MendedRun[];
}

const runCodec = messageCodec<MendedRunName>({ runId: string(1), startIndex: uint(2), from: string(3) }, {});

export const mendRuns = defineCommand<MendRuns, MendedRuns>({
  kind: "MendRuns",
  field: 62,
  summary: "Cancels, terminates, retries, pauses, resumes or deletes several runs.",
  // A retry may be about a child and its parent.
  maxRuns: 2 * MAX_MENDED_AT_ONCE,
  fields: {
    action: named(1, BULK_ACTIONS, "bulk action"),
    conditions: bytes(2),
    runs: messages(3, runCodec),
    reason: string(4),
    requestId: string(5),
    atMs: uint(6),
    by: optional(string(BY_FIELD)),
  },
  audited: ({ action, runs }) => {
    const ids = runs.map(({ runId }) => runId).join(", ");
    return { action: `${action}-many`, subject: runs[0]?.runId ?? "", detail: `${runs.length} runs: ${ids}` };
  },
  apply(tables, command) {
    const conditions = decodeConditions(command.conditions);
    if (conditions === undefined)
      return refused("COMMAND_INVALID", "The conditions of a command about several runs cannot be read. Correct them.");
    const fits = filterOf(tables, conditions);
    const runs = command.runs.slice(0, MAX_MENDED_AT_ONCE).map((name): MendedRun => {
      const { runId, startIndex } = name;
      const run = tables.runs.get(runId);
      // A retry that was done before is known to the run, which does not fit any more.
      if (run === undefined || run.startIndex !== startIndex || !fits(run)) return { runId, outcome: "unchanged" };
      const result = done(tables, command, name);
      if (!result.ok) return { runId, outcome: result.code };
      return { runId, outcome: result.changed ? "done" : "unchanged" };
    });
    return { ok: true, kind: "MendedRuns", changed: runs.some(({ outcome }) => outcome === "done"), runs };
  },
});

/** What the command for one run does. */
function done(
  tables: Tables,
  { action, reason, requestId, atMs }: MendRuns,
  { runId, from }: MendedRunName,
): { readonly ok: true; readonly changed: boolean } | Refused {
  switch (action) {
    case "cancel":
      return cancel.apply(tables, { kind: "Cancel", runId, reason, atMs });
    case "terminate":
      return terminate.apply(tables, { kind: "Terminate", runId, reason, requestId, atMs });
    case "retry":
      return retry.apply(tables, { kind: "Retry", runId, from, reason, requestId, atMs });
    case "pause":
      return pause.apply(tables, { kind: "Pause", runId, reason, isNow: false, atMs, owner: 0, epoch: 0 });
    case "resume":
      return resume.apply(tables, { kind: "Resume", runId, atMs });
    case "delete":
      return deleteRun.apply(tables, { kind: "Delete", runId, atMs });
  }
}
