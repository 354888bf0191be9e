/**
 * ScheduleBackfill: has the occurrences of a time of the past run. The leader fires one after the other (schedule-fire.ts), as there is room for them.
 *
 * SB1. Backfills of a schedule are carried out one after the other, in the order in which they came.
 */
import { MAX_BACKFILLS, OVERLAP_POLICIES } from "../../model/schedule.ts";
import { named, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { BY_FIELD, REASON_FIELD } from "../operators/operated.ts";
import { refused } from "../refusal.ts";
import { answered, change, noSchedule, type ScheduleAnswered } from "./schedule-changes.ts";

/** Asks for a backfill. Answered with ScheduleAnswered. Refused with SCHEDULE_NOT_FOUND, SCHEDULE_CHANGED or SCHEDULE_INVALID for one too many. */
export interface ScheduleBackfill {
  readonly kind: "ScheduleBackfill";
  readonly scheduleId: string;
  /** Whose times `firstMs` is of. */
  readonly generation: number;
  /** The first occurrence; 0: there is none. In ms since the epoch. */
  readonly firstMs: number;
  /** The last moment at which one may be. */
  readonly toMs: number;
  readonly overlap: (typeof OVERLAP_POLICIES)[number];
  /** The same request again, while it is under way, is done once. */
  readonly requestId: string;
  readonly atMs: number;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
  /** Why. */
  readonly reason?: string;
}

export const scheduleBackfill = defineCommand<ScheduleBackfill, ScheduleAnswered>({
  kind: "ScheduleBackfill",
  field: 80,
  summary: "Has the occurrences of a schedule in a time of the past run.",
  maxRuns: 0,
  fields: {
    scheduleId: string(1),
    generation: uint(2),
    firstMs: uint(3),
    toMs: uint(4),
    overlap: named(5, OVERLAP_POLICIES, "overlap policy"),
    requestId: string(6),
    atMs: uint(7),
    by: optional(string(BY_FIELD)),
    reason: optional(string(REASON_FIELD)),
  },
  audited: ({ scheduleId, firstMs, toMs }) => {
    return { action: "backfill-schedule", subject: scheduleId, detail: `${firstMs} to ${toMs} (ms since the epoch)` };
  },
  apply(tables, { scheduleId, generation, firstMs, toMs, overlap, requestId }) {
    const schedule = tables.schedules.get(scheduleId);
    if (schedule === undefined) return noSchedule(scheduleId);
    if (schedule.generation !== generation) {
      return refused(
        "SCHEDULE_CHANGED",
        `Schedule ${scheduleId} was changed meanwhile. Ask for the backfill again if it is still wanted.`,
        { scheduleId },
      );
    }
    if (firstMs === 0 || firstMs > toMs) return answered(false);
    if (schedule.backfills.some((each) => each.requestId === requestId)) return answered(false);
    if (schedule.backfills.length >= MAX_BACKFILLS) {
      return refused(
        "SCHEDULE_INVALID",
        `Schedule ${scheduleId} has ${MAX_BACKFILLS} backfills under way. Wait until one is done.`,
        { scheduleId },
      );
    }
    change(tables, { ...schedule, backfills: [...schedule.backfills, { requestId, nextMs: firstMs, toMs, overlap }] });
    return answered(true);
  },
});
