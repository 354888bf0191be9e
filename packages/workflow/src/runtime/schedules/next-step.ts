/**
 * What is to be done for a schedule that is due: a pure function of its record and the leader's time.
 *
 * NS1. Occurrences that are older than the catch-up window are missed. Of those within it, all are run, one command each, or the last one alone, as the schedule says.
 * NS2. One step looks at a bounded number of occurrences. Of more that were missed, so many are counted, and the rest is passed over.
 */
import type { ScheduleFire } from "../../commands/schedules/schedule-fire.ts";
import { hasRoom, startsBuffered } from "../../state/schedules/schedule-record.ts";
import type { ScheduleView } from "../../state/schedules/schedule-table.ts";
import type { Timing } from "./timing.ts";

/** Missed occurrences that one step counts (NS2). */
const MAX_COUNTED = 10_000;

/** What the step is made for. */
export interface Asked {
  readonly timing: Timing;
  /** The leader's time of day, in ms since the epoch. */
  readonly nowMs: number;
  /** The proposer's wall clock. */
  readonly atMs: number;
}

/** The command of the next step; undefined when nothing is due. */
export function nextStep(schedule: ScheduleView, { timing, nowMs, atMs }: Asked): ScheduleFire | undefined {
  const { scheduleId, generation, buffered, backfills } = schedule;
  const blank = { expectedMs: 0, expectedId: "", missed: 0, occurrenceMs: 0, runId: "", nextMs: 0, nextDueMs: 0 };
  const fire = { kind: "ScheduleFire", scheduleId, generation, ...blank, atMs } as const;
  const [waiting] = buffered;
  if (waiting !== undefined && startsBuffered(schedule)) return { ...fire, of: "buffer", expectedId: waiting.runId };
  const [backfill] = backfills;
  if (backfill !== undefined && hasRoom(schedule, backfill.overlap)) {
    const { nextMs: expectedMs, requestId: expectedId } = backfill;
    const runId = occurrenceRunId(scheduleId, expectedMs);
    return { ...fire, of: "backfill", expectedMs, expectedId, runId, nextMs: timing.nextMs(expectedMs) };
  }
  const { isPaused, nextMs: expectedMs } = schedule;
  if (isPaused || expectedMs === 0 || schedule.nextDueMs > nowMs) return undefined;
  const { occurrenceMs, missed, nextMs } = choose(schedule, timing, nowMs);
  const runId = occurrenceMs === 0 ? "" : occurrenceRunId(scheduleId, occurrenceMs);
  const nextDueMs = timing.dueMs(scheduleId, nextMs);
  return { ...fire, of: "time", expectedMs, missed, occurrenceMs, runId, nextMs, nextDueMs };
}

/** The id of the run of an occurrence. */
export function occurrenceRunId(scheduleId: string, occurrenceMs: number): string {
  return `${scheduleId}/${new Date(occurrenceMs).toISOString()}`;
}

interface Choice {
  readonly occurrenceMs: number;
  readonly missed: number;
  readonly nextMs: number;
}

/** NS1. */
function choose({ scheduleId, nextMs: first }: ScheduleView, timing: Timing, nowMs: number): Choice {
  const { catchUpMs, catchUp } = timing.spec;
  let [at, missed] = [first, 0];
  const tooOld = (ms: number): boolean => timing.dueMs(scheduleId, ms) + catchUpMs < nowMs;
  while (at !== 0 && tooOld(at)) {
    missed += 1;
    at = missed < MAX_COUNTED ? timing.nextMs(at) : timing.nextMs(Math.max(at, nowMs - catchUpMs - 1));
  }
  const isDue = (ms: number): boolean => ms !== 0 && timing.dueMs(scheduleId, ms) <= nowMs;
  if (!isDue(at)) return { occurrenceMs: 0, missed, nextMs: at };
  let nextMs = timing.nextMs(at);
  for (; catchUp === "last" && isDue(nextMs) && missed < MAX_COUNTED; nextMs = timing.nextMs(nextMs)) {
    at = nextMs;
    missed += 1;
  }
  return { occurrenceMs: at, missed, nextMs };
}
