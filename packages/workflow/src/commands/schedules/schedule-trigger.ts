/**
 * ScheduleTrigger: an occurrence of a schedule now, whatever its times are, and also while it is paused.
 *
 * ST1. The run's id is the request's: the same request again finds its run, or what waits for it, and does nothing.
 */
import { MAX_SCHEDULED_RUNS, OVERLAP_POLICIES } from "../../model/schedule.ts";
import { named, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { BY_FIELD, REASON_FIELD } from "../operators/operated.ts";
import { decideOccurrence } from "./occurrences.ts";
import { answered, change, noSchedule, type ScheduleAnswered } from "./schedule-changes.ts";

/** "default": as the schedule says. Positions are the numbers of `raftoral.TriggerOverlap`. */
export const TRIGGER_OVERLAPS = ["default", ...OVERLAP_POLICIES] as const;

/** Triggers a schedule. Answered with ScheduleAnswered. Refused with SCHEDULE_NOT_FOUND. */
export interface ScheduleTrigger {
  readonly kind: "ScheduleTrigger";
  readonly scheduleId: string;
  readonly runId: string;
  readonly overlap: (typeof TRIGGER_OVERLAPS)[number];
  readonly atMs: number;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
  /** Why. */
  readonly reason?: string;
}

export const scheduleTrigger = defineCommand<ScheduleTrigger, ScheduleAnswered>({
  kind: "ScheduleTrigger",
  field: 79,
  summary: "Runs a schedule's workflow now, as its overlap policy or another one says.",
  maxRuns: MAX_SCHEDULED_RUNS + 1,
  fields: {
    scheduleId: string(1),
    runId: string(2),
    overlap: named(3, TRIGGER_OVERLAPS, "overlap policy of a trigger"),
    atMs: uint(4),
    by: optional(string(BY_FIELD)),
    reason: optional(string(REASON_FIELD)),
  },
  audited: ({ scheduleId, runId }) => ({ action: "trigger-schedule", subject: scheduleId, detail: runId }),
  apply(tables, { scheduleId, runId, overlap, atMs }) {
    const schedule = tables.schedules.get(scheduleId);
    if (schedule === undefined) return noSchedule(scheduleId);
    if (tables.runs.get(runId) !== undefined) return answered(false, "started");
    if (schedule.buffered.some((waiting) => waiting.runId === runId)) return answered(false, "buffered");
    const policy = overlap === "default" ? tables.schedules.settingsOf(schedule).overlap : overlap;
    const decided = decideOccurrence(tables, schedule, { runId, atMs }, policy);
    change(tables, decided.schedule);
    return answered(true, decided.outcome);
  },
});
