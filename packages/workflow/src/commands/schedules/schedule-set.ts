/**
 * ScheduleSet: creates a schedule, or gives one other settings.
 *
 * SS1. The proposer says what the next occurrence is: applying knows no calendar.
 * SS2. A change begins a generation, named by its place in the log: what was proposed for the one before is refused.
 * SS3. A change is judged by the generation that its proposer saw, so two changes of parts do not undo each other.
 */
import {
  MAX_SCHEDULE_ID_LENGTH,
  NO_COUNTS,
  NO_SETTINGS,
  type ScheduleSettings,
  scheduleSettingsCodec,
} from "../../model/schedule.ts";
import type { Tables } from "../../state/tables.ts";
import { bool, message, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { BY_FIELD, REASON_FIELD } from "../operators/operated.ts";
import { type Refused, refused } from "../refusal.ts";
import { answered, change, noSchedule, type ScheduleAnswered } from "./schedule-changes.ts";

/** Creates or changes a schedule. Refused with SCHEDULE_EXISTS, SCHEDULE_NOT_FOUND, SCHEDULE_CHANGED, SCHEDULE_INVALID or WORKFLOW_TYPE_UNKNOWN. */
export interface ScheduleSet {
  readonly kind: "ScheduleSet";
  readonly scheduleId: string;
  /** The generation that is changed; 0: the schedule is created. */
  readonly generation: number;
  readonly settings: ScheduleSettings;
  /** The next occurrence; 0: none. In ms since the epoch. */
  readonly nextMs: number;
  readonly nextDueMs: number;
  /** Whether a new schedule is paused. */
  readonly isPaused: boolean;
  readonly note: string;
  /** The same request again is done once. */
  readonly requestId: string;
  readonly atMs: number;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
  /** Why. */
  readonly reason?: string;
}

export const scheduleSet = defineCommand<ScheduleSet, ScheduleAnswered>({
  kind: "ScheduleSet",
  field: 76,
  summary: "Creates a schedule, or gives one other settings.",
  maxRuns: 0,
  fields: {
    scheduleId: string(1),
    generation: uint(2),
    settings: message(3, scheduleSettingsCodec, NO_SETTINGS),
    nextMs: uint(4),
    nextDueMs: uint(5),
    isPaused: bool(6),
    note: string(7),
    requestId: string(8),
    atMs: uint(9),
    by: optional(string(BY_FIELD)),
    reason: optional(string(REASON_FIELD)),
  },
  audited: ({ scheduleId, generation, settings: { workflowType } }) => {
    return {
      action: generation === 0 ? "create-schedule" : "update-schedule",
      subject: scheduleId,
      detail: workflowType,
    };
  },
  apply(tables, command) {
    const { scheduleId, generation, requestId } = command;
    const { length } = scheduleId;
    if (length === 0 || length > MAX_SCHEDULE_ID_LENGTH) {
      return refused(
        "SCHEDULE_INVALID",
        `A schedule's id has 1 to ${MAX_SCHEDULE_ID_LENGTH} characters; this one has ${length}. Choose another id.`,
      );
    }
    const existing = tables.schedules.get(scheduleId);
    if (existing !== undefined && requestId !== "" && existing.requestId === requestId) return answered(false);
    const { workflowType, version } = command.settings;
    const { nodes } = tables;
    const newest = version === 0 ? nodes.newestVersion(workflowType) : version;
    if (newest === undefined || !nodes.knows(workflowType, newest)) {
      return refused(
        "WORKFLOW_TYPE_UNKNOWN",
        `No node has registered workflow ${workflowType}${version === 0 ? "" : `@${version}`}. Check the name, or start a node that has it.`,
        { workflowType, version },
      );
    }
    return generation === 0 ? created(tables, command) : changed(tables, command);
  },
});

function created(tables: Tables, command: ScheduleSet): ScheduleAnswered | Refused {
  const { scheduleId, settings, nextMs, nextDueMs, isPaused, note, requestId } = command;
  if (tables.schedules.get(scheduleId) !== undefined) {
    return refused("SCHEDULE_EXISTS", `There is a schedule ${scheduleId}. Update it, or choose another id.`, {
      scheduleId,
    });
  }
  const born = { createdIndex: tables.index, createdAtMs: tables.clock, generation: tables.index };
  const nothing = { counts: NO_COUNTS, failure: "", running: [], buffered: [], recent: [], backfills: [] };
  const schedule = { scheduleId, ...born, requestId, nextMs, nextDueMs, isPaused, note, ...nothing };
  change(tables, schedule, settings);
  return answered(true);
}

function changed(tables: Tables, command: ScheduleSet): ScheduleAnswered | Refused {
  const { scheduleId, settings, nextMs, nextDueMs, requestId, generation } = command;
  const schedule = tables.schedules.get(scheduleId);
  if (schedule === undefined) return noSchedule(scheduleId);
  if (schedule.generation !== generation) {
    return refused(
      "SCHEDULE_CHANGED",
      `Schedule ${scheduleId} was changed meanwhile. Read it again, and update it then.`,
      {
        scheduleId,
      },
    );
  }
  change(tables, { ...schedule, generation: tables.index, requestId, nextMs, nextDueMs, failure: "" }, settings);
  return answered(true);
}
