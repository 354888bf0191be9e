/**
 * ScheduleFire: what is due of a schedule happens. The leader proposes it.
 *
 * SF1. The command names what it is about as the leader has read it: the next occurrence, the first of what is buffered, or the next one of the first backfill. Once that has
 *      happened, or the schedule has changed, it is refused without a trace. So each occurrence is decided about once, whatever leaders and clocks do.
 * SF2. The occurrence after it, and how many were missed before it, come with the command: applying knows no calendar.
 */
import { MAX_SCHEDULED_RUNS } from "../../model/schedule.ts";
import { type ScheduleRecord, startsBuffered } from "../../state/schedules/schedule-record.ts";
import type { Tables } from "../../state/tables.ts";
import { named, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { counted, type Decided, decideOccurrence, startOccurrence } from "./occurrences.ts";
import { answered, change, type ScheduleAnswered } from "./schedule-changes.ts";

/** What of a schedule is due. Positions are the numbers of `raftoral.DueOf`. */
export const DUE_OF = ["time", "buffer", "backfill"] as const;

/** Fires an occurrence. Answered with ScheduleAnswered; `changed` is false for what has happened, or is not there (SF1). */
export interface ScheduleFire {
  readonly kind: "ScheduleFire";
  readonly scheduleId: string;
  readonly generation: number;
  readonly of: (typeof DUE_OF)[number];
  /** What the leader saw first: a time in ms since the epoch. */
  readonly expectedMs: number;
  /** What the leader saw first, of a backfill (its request) and of the buffer (its run). */
  readonly expectedId: string;
  /** Occurrences that are too old. */
  readonly missed: number;
  /** The occurrence that is run; 0: none. */
  readonly occurrenceMs: number;
  /** Id of its run. */
  readonly runId: string;
  /** The one after it; 0: none. */
  readonly nextMs: number;
  readonly nextDueMs: number;
  readonly atMs: number;
}

export const scheduleFire = defineCommand<ScheduleFire, ScheduleAnswered>({
  kind: "ScheduleFire",
  field: 77,
  summary: "Lets happen what is due of a schedule: an occurrence, one that waited, or one of a backfill.",
  // What ends or is asked to cancel, and what is started.
  maxRuns: MAX_SCHEDULED_RUNS + 1,
  fields: {
    scheduleId: string(1),
    generation: uint(2),
    of: named(3, DUE_OF, "part of a schedule"),
    expectedMs: uint(4),
    expectedId: string(5),
    missed: uint(6),
    occurrenceMs: uint(7),
    runId: string(8),
    nextMs: uint(9),
    nextDueMs: uint(10),
    atMs: uint(11),
  },
  apply(tables, command) {
    const schedule = tables.schedules.get(command.scheduleId);
    if (schedule?.generation !== command.generation) return answered(false);
    const decided = fired(tables, schedule, command);
    if (decided === undefined) return answered(false);
    change(tables, decided.schedule);
    return answered(true, decided.outcome);
  },
});

type Fired = Omit<Decided, "outcome"> & Partial<Pick<Decided, "outcome">>;

function fired(tables: Tables, schedule: ScheduleRecord, command: ScheduleFire): Fired | undefined {
  switch (command.of) {
    case "time":
      return time(tables, schedule, command);
    case "buffer":
      return buffer(tables, schedule, command);
    case "backfill":
      return backfill(tables, schedule, command);
  }
}

function time(tables: Tables, schedule: ScheduleRecord, command: ScheduleFire): Fired | undefined {
  const { expectedMs, missed, nextMs, nextDueMs, runId, occurrenceMs: atMs } = command;
  // An occurrence never comes before what was decided about.
  const isForward = (atMs === 0 || atMs >= expectedMs) && (nextMs === 0 || nextMs > Math.max(atMs, expectedMs - 1));
  if (schedule.isPaused || schedule.nextMs === 0 || schedule.nextMs !== expectedMs || !isForward) return undefined;
  const next = { ...counted(schedule, "missed", missed), nextMs, nextDueMs };
  if (atMs === 0) return { schedule: next };
  return decideOccurrence(tables, next, { runId, atMs }, tables.schedules.settingsOf(schedule).overlap);
}

function buffer(tables: Tables, schedule: ScheduleRecord, { expectedId }: ScheduleFire): Fired | undefined {
  const [first, ...buffered] = schedule.buffered;
  if (first === undefined || first.runId !== expectedId || !startsBuffered(schedule)) return undefined;
  return startOccurrence(tables, { ...schedule, buffered }, first);
}

function backfill(tables: Tables, schedule: ScheduleRecord, command: ScheduleFire): Fired | undefined {
  const { expectedMs, expectedId, nextMs, runId } = command;
  const [first, ...others] = schedule.backfills;
  if (first === undefined || first.requestId !== expectedId || first.nextMs !== expectedMs) return undefined;
  const isOver = nextMs <= expectedMs || nextMs > first.toMs;
  const backfills = isOver ? others : [{ ...first, nextMs }, ...others];
  return decideOccurrence(tables, { ...schedule, backfills }, { runId, atMs: expectedMs }, first.overlap);
}
