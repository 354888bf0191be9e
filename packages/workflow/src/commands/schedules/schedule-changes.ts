/** What the commands of schedules have in common. */

import type { ScheduleSettings } from "../../model/schedule.ts";
import type { ScheduleRecord } from "../../state/schedules/schedule-record.ts";
import type { Tables } from "../../state/tables.ts";
import { type Refused, refused } from "../refusal.ts";
import type { OccurrenceOutcome } from "./occurrences.ts";

/** How a command about a schedule is answered. */
export interface ScheduleAnswered {
  readonly ok: true;
  readonly kind: "ScheduleAnswered";
  /** False when it had been done before, or when there was nothing to do. */
  readonly changed: boolean;
  /** What became of the occurrence that the command was about; undefined for a command about none. */
  readonly outcome: OccurrenceOutcome | undefined;
}

/** The answer of a command about no occurrence. */
export function answered(changed: boolean, outcome?: OccurrenceOutcome): ScheduleAnswered {
  return { ok: true, kind: "ScheduleAnswered", changed, outcome };
}

/** Puts a schedule, and has the leader look at it. */
export function change(tables: Tables, schedule: ScheduleRecord, settings?: ScheduleSettings): void {
  const { index, clock: atMs } = tables;
  tables.schedules.put(schedule, settings);
  tables.events.push({ type: "schedule-changed", index, atMs, scheduleId: schedule.scheduleId });
}

/** The refusal of a command about a schedule that is not there. */
export function noSchedule(scheduleId: string): Refused {
  return refused(
    "SCHEDULE_NOT_FOUND",
    `There is no schedule ${scheduleId}: it was never created, or was deleted. Check the id, or create it.`,
    { scheduleId },
  );
}
