/** Schedules as the API shows and takes them. */
import type {
  AttributeValues,
  CalendarFields,
  Moment,
  OccurrenceOutcome,
  OverlapPolicy,
  TimingSpec,
  WorkflowInput,
} from "@raftoral/workflow";
import type { CallOptions, ReadOptions, ReasonOptions } from "../call-options.ts";
import type { PageOptions } from "../pages.ts";
import type { Payload } from "../payloads/payload.ts";
import type { WorkflowName, WorkflowType } from "../workflow-name.ts";

/**
 * When a schedule's occurrences are. Patterns, calendars and an interval may be given together: an occurrence of any of them is one. Where the clocks of the time zone are set forward, what would
 * be in the gap comes when the gap is over; where they are set back, a time that comes twice is met the first time, but for patterns of every hour or minute, which meet both.
 */
export interface ScheduleTimes {
  /** Cron patterns of five fields, or of six with seconds first: `0 30 2 * * *`. Names, ranges, steps, `L`, `W` and `#` may be used. */
  readonly cron?: string | readonly string[];
  /** Times at which all of the fields hold: `{ hours: "9-17", daysOfWeek: "MON-FRI", years: "2027" }`. Left out, `seconds`, `minutes` and `hours` are 0, and the others hold always. */
  readonly calendars?: readonly CalendarFields[];
  /** Calendars whose times are no occurrences, such as holidays. */
  readonly excluding?: readonly CalendarFields[];
  /** An occurrence every so many milliseconds, from 1,000 on, counted from the epoch. */
  readonly everyMs?: number;
  /** Moves the occurrences of `everyMs`, in milliseconds (0). */
  readonly offsetMs?: number;
  /** The time zone of patterns and calendars: an IANA name, such as `Europe/Berlin` (UTC). */
  readonly timeZone?: string;
  /** Each occurrence is run up to so many milliseconds later, by a part that follows from the schedule and the occurrence (0). */
  readonly jitterMs?: number;
  /** Occurrences before it are none. */
  readonly startAt?: Moment;
  /** Occurrences after it are none. */
  readonly endAt?: Moment;
  /** How late an occurrence may be run, in milliseconds, because no node led or a clock jumped (an hour). Older ones are counted as missed. */
  readonly catchUpMs?: number;
  /** Of several occurrences that are late and not too old: "last" (the default) runs the last one and counts the others as missed, "all" runs all. */
  readonly catchUp?: "all" | "last";
}

/** What may be changed of a schedule. Any of `cron`, `calendars` and `everyMs` takes the place of all three. */
export interface ScheduleChanges extends ScheduleTimes {
  /** Of its runs. The newest one at each occurrence by default. */
  readonly version?: number;
  /** What its runs are started with. */
  readonly input?: unknown;
  /** What its runs are found by, beside `scheduleId` and `scheduledFor`, which each has. */
  readonly attributes?: AttributeValues;
  /** How long each run may take, in milliseconds. Without a limit by default. */
  readonly runTimeoutMs?: number;
  /**
   * What is done with an occurrence while an earlier run of the schedule goes on. "skip" (the default): it is not run. "buffer-one": it runs after the earlier run, unless another one waits. "buffer-all":
   * it runs after all that came before it; 100 may wait. "cancel-other": the earlier run is asked to cancel, and this one runs after it. "terminate-other": the earlier run ends at once, and this one
   * begins. "allow": it runs beside the earlier ones, of which there may be 100.
   */
  readonly overlap?: OverlapPolicy;
}

/** What a schedule is created with: at least one of `cron`, `calendars` and `everyMs`. */
export interface ScheduleOptions<Workflow extends WorkflowName = WorkflowName> extends ScheduleChanges {
  readonly workflow: Workflow | WorkflowType<Workflow>;
  readonly input?: WorkflowInput<Workflow> | Payload;
  /** Whether the schedule begins paused (false); a text says why. */
  readonly paused?: boolean | string;
}

/** Options of a change. */
export interface ScheduleCallOptions extends ReasonOptions {
  /** The same request again is done once. A random UUID by default. */
  readonly requestId?: string;
}

/** Options of a pause and a resumption. */
export interface ScheduleNoteOptions extends CallOptions {
  /** Why: text of at most 10,000 characters, which the schedule shows. The audit has it, too. */
  readonly note?: string;
}

/** Options of a trigger. */
export interface TriggerOptions extends ScheduleCallOptions {
  /** By default as the schedule says. */
  readonly overlap?: OverlapPolicy;
}

/** Options of a backfill. */
export interface BackfillOptions extends ScheduleCallOptions {
  /** As of the schedule; "buffer-all" by default: one run after the other. */
  readonly overlap?: OverlapPolicy;
}

/** Options of a description. */
export interface ScheduleReadOptions extends ReadOptions {
  /** Next occurrences to show, 0 to 100 (5). */
  readonly upcoming?: number;
}

/** A run of a schedule. */
export interface ScheduledRun {
  readonly runId: string;
  /** The occurrence, or the time of the trigger: milliseconds since the epoch. */
  readonly scheduledForMs: number;
}

/** A schedule. Times are milliseconds since the epoch. */
export interface ScheduleDescription {
  readonly scheduleId: string;
  readonly workflowType: string;
  /** Undefined: the newest at each occurrence. */
  readonly version: number | undefined;
  readonly times: TimingSpec;
  readonly overlap: OverlapPolicy;
  readonly runTimeoutMs: number | undefined;
  readonly attributes: AttributeValues;
  readonly createdAtMs: number;
  readonly isPaused: boolean;
  /** What was said with the last pause or resumption; empty for nothing. */
  readonly note: string;
  /** When the next occurrence is due, with its jitter; undefined while the schedule is paused, or has none. */
  readonly nextDueMs: number | undefined;
  /** The next occurrences from now, as the node that is asked computes them. */
  readonly upcomingMs: readonly number[];
  /** Runs that go on, the oldest first. */
  readonly running: readonly ScheduledRun[];
  /** Occurrences that wait for the end of a run. */
  readonly buffered: readonly ScheduledRun[];
  /** The latest ten runs, the oldest first. */
  readonly recent: readonly ScheduledRun[];
  /** Backfills that are under way. */
  readonly backfills: number;
  /** Occurrences that were run. */
  readonly started: number;
  /** Occurrences that the overlap policy dropped, or whose run was there. */
  readonly skipped: number;
  /** Occurrences that were too old when a leader came to them. */
  readonly missed: number;
  /** Occurrences that could not be started. */
  readonly failed: number;
  /** Why the last of these could not. */
  readonly failure: string | undefined;
}

/** One page of schedules. */
export interface SchedulePage {
  readonly schedules: readonly ScheduleDescription[];
  /** Gives the next page; undefined on the last one. */
  readonly nextPageToken: string | undefined;
}

/** Schedules: runs that are started at times, one for each occurrence, whatever nodes and clocks do. What changes something is recorded in the audit. */
export interface Schedules {
  /**
   * Creates a schedule. Its runs have the id `ID/TIME`, with the occurrence as an ISO time in UTC. Resolves once that is committed. Rejects with SCHEDULE_EXISTS, SCHEDULE_INVALID,
   * WORKFLOW_TYPE_UNKNOWN, INPUT_INVALID, VALUE_NOT_SERIALIZABLE, PAYLOAD_TOO_LARGE or REQUEST_INVALID.
   */
  create<Workflow extends WorkflowName>(
    scheduleId: string,
    schedule: ScheduleOptions<Workflow>,
    options?: ScheduleCallOptions,
  ): Promise<void>;
  /** Changes a schedule: what is given takes the place of what was. It goes on with the first occurrence from now. Rejects as `create` does, and with SCHEDULE_NOT_FOUND or SCHEDULE_CHANGED. */
  update(scheduleId: string, changes: ScheduleChanges, options?: ScheduleCallOptions): Promise<void>;
  /** Lets a schedule start nothing by itself. What waits, and what is triggered or backfilled, goes on. Rejects with SCHEDULE_NOT_FOUND. */
  pause(scheduleId: string, options?: ScheduleNoteOptions): Promise<void>;
  /** Lets a paused schedule go on with the first occurrence from now. Rejects with SCHEDULE_NOT_FOUND. */
  resume(scheduleId: string, options?: ScheduleNoteOptions): Promise<void>;
  /** Runs the workflow of a schedule now, also of a paused one. Gives the id of the run and what became of it. Rejects with SCHEDULE_NOT_FOUND. */
  trigger(
    scheduleId: string,
    options?: TriggerOptions,
  ): Promise<{ readonly runId: string; readonly outcome: OccurrenceOutcome }>;
  /**
   * Has the occurrences from one moment to another run, both included. Occurrences whose runs are there are not run again. Resolves once that is committed; it is carried out from then on. Rejects with
   * SCHEDULE_NOT_FOUND, SCHEDULE_CHANGED, or SCHEDULE_INVALID when ten are under way.
   */
  backfill(scheduleId: string, from: Moment, to: Moment, options?: BackfillOptions): Promise<void>;
  /** Deletes a schedule; one that is not there is taken for deleted. Its runs stay. */
  delete(scheduleId: string, options?: ReasonOptions): Promise<void>;
  /** Everything about a schedule but its input. Rejects with SCHEDULE_NOT_FOUND. */
  get(scheduleId: string, options?: ScheduleReadOptions): Promise<ScheduleDescription>;
  /** All schedules by their ids, fetched in pages as they are consumed; `options` limit each page. */
  list(options?: ReadOptions): AsyncIterable<ScheduleDescription>;
  /** One page of {@link Schedules.list}. */
  listPage(options?: PageOptions): Promise<SchedulePage>;
}
