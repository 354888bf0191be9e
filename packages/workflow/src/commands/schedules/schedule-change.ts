/**
 * ScheduleChange: pauses, resumes or deletes a schedule.
 *
 * SG1. A paused schedule fires nothing by itself. What waits in its buffer, what is triggered and what is filled in goes on.
 * SG2. A schedule that is resumed goes on with the occurrence that the proposer says, which is after the resumption: what came while it was paused is neither run nor missed.
 * SG3. A schedule that is deleted leaves its runs as they are.
 */
import { named, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { BY_FIELD } from "../operators/operated.ts";
import { answered, change, noSchedule, type ScheduleAnswered } from "./schedule-changes.ts";

/** What is done. Positions are the numbers of `raftoral.ScheduleAction`. */
export const SCHEDULE_ACTIONS = ["pause", "resume", "delete"] as const;

/** Pauses, resumes or deletes a schedule. Answered with ScheduleAnswered; refused with SCHEDULE_NOT_FOUND, but for a deletion. */
export interface ScheduleChange {
  readonly kind: "ScheduleChange";
  readonly scheduleId: string;
  readonly action: (typeof SCHEDULE_ACTIONS)[number];
  /** Why. */
  readonly note: string;
  /** Of a resumption: the generation that the times below are of; of another one it is not. */
  readonly generation: number;
  readonly nextMs: number;
  readonly nextDueMs: number;
  readonly atMs: number;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
}

export const scheduleChange = defineCommand<ScheduleChange, ScheduleAnswered>({
  kind: "ScheduleChange",
  field: 78,
  summary: "Pauses, resumes or deletes a schedule.",
  maxRuns: 0,
  fields: {
    scheduleId: string(1),
    action: named(2, SCHEDULE_ACTIONS, "action on a schedule"),
    note: string(3),
    generation: uint(4),
    nextMs: uint(5),
    nextDueMs: uint(6),
    atMs: uint(7),
    by: optional(string(BY_FIELD)),
  },
  audited: ({ scheduleId, action, note }) => {
    return { action: `${action}-schedule`, subject: scheduleId, detail: "", reason: note };
  },
  apply(tables, { scheduleId, action, note, generation, nextMs, nextDueMs }) {
    const schedule = tables.schedules.get(scheduleId);
    if (schedule === undefined) return action === "delete" ? answered(false) : noSchedule(scheduleId);
    switch (action) {
      case "pause":
        change(tables, { ...schedule, isPaused: true, note });
        return answered(!schedule.isPaused);
      case "resume": {
        if (!schedule.isPaused) return answered(false);
        // SG2. Of another generation, the settings are others: its next occurrence stands.
        const next = generation === schedule.generation ? { nextMs, nextDueMs } : {};
        change(tables, { ...schedule, isPaused: false, note, ...next });
        return answered(true);
      }
      case "delete":
        tables.schedules.delete(schedule);
        return answered(true);
    }
  },
});
