/**
 * BeginDue: begins the next piece of the delayed runs that are due. The leader proposes it when its clock says so, until none are left.
 *
 * BD1. The command says until when runs are due: by the leader's time of day, and, for delays, by its time that does not jump (runtime/due/duty-clock.ts). Applying looks at no
 *      other clock.
 * BD2. A run that has begun is not in the index, so the same command again begins what is left, or nothing.
 * BD3. A piece is at most `MAX_BEGUN_AT_ONCE` runs, those that are due first.
 */
import { delayedPrefix, lastNumberIn, numberKey } from "../../records/state-keys.ts";
import { firstKeys } from "../../state/runs/first-keys.ts";
import type { Tables } from "../../state/tables.ts";
import { uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";

/** Runs that one command begins at most. */
export const MAX_BEGUN_AT_ONCE = 256;

/** Begins one piece of runs. Answered with Begun. */
export interface BeginDue {
  readonly kind: "BeginDue";
  /** Runs of a time of day until this one are due, in ms since the epoch. */
  readonly untilMs: number;
  /** Runs of delays that end until then are due, in ms since the epoch. */
  readonly delaysUntilMs: number;
  readonly atMs: number;
}

/** How many runs have begun, and whether more may be due. */
export interface Begun {
  readonly ok: true;
  readonly kind: "Begun";
  readonly begun: number;
  readonly more: boolean;
}

export const beginDue = defineCommand<BeginDue, Begun>({
  kind: "BeginDue",
  field: 75,
  summary: "Begins the next piece of the delayed runs that are due.",
  maxRuns: MAX_BEGUN_AT_ONCE,
  fields: { untilMs: uint(1), delaysUntilMs: uint(2), atMs: uint(3) },
  apply(tables, { untilMs, delaysUntilMs }) {
    let room = MAX_BEGUN_AT_ONCE;
    room -= beginOf(tables, true, delaysUntilMs, room);
    room -= beginOf(tables, false, untilMs, room);
    return { ok: true, kind: "Begun", begun: MAX_BEGUN_AT_ONCE - room, more: room === 0 };
  },
});

function beginOf(tables: Tables, isDelay: boolean, untilMs: number, room: number): number {
  if (room === 0 || tables.runs.places.delayedCount === 0) return 0;
  const prefix = delayedPrefix(isDelay);
  const end = prefix + numberKey(Math.min(untilMs, Number.MAX_SAFE_INTEGER - 1) + 1);
  const keys = firstKeys(tables.runs.records.scan(prefix, end), room);
  for (const key of keys) {
    const run = tables.runs.at(lastNumberIn(key));
    if (run.head.status === "running") tables.begin(run, run.head);
  }
  return keys.length;
}
