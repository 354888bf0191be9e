/** What an implementation of {@link Schedules} has to do itself. Every call keeps its limit and rejects with a RaftoralError. */
import type { Attributes, OccurrenceOutcome, OverlapPolicy, TimingSpec } from "@raftoral/workflow";
import type { CallLimit } from "../call-options.ts";
import type { PageRequest } from "../pages.ts";
import type { Payload } from "../payloads/payload.ts";
import type { ScheduleDescription, SchedulePage } from "./schedules.ts";

/** Times of which not all are given; one that is there and undefined takes away what was. */
export type PartialTimes = { readonly [Name in keyof TimingSpec]?: TimingSpec[Name] | undefined };

/** Checked changes of a schedule. Undefined: as it was, or the default for a new one. */
export interface ScheduleParts {
  readonly version: number | undefined;
  readonly input: Payload | undefined;
  readonly attributes: Attributes | undefined;
  readonly runTimeoutMs: number | undefined;
  readonly overlap: OverlapPolicy | undefined;
  readonly times: PartialTimes;
}

/** What every checked change of a schedule has. */
export interface ScheduleRequest {
  readonly scheduleId: string;
  /** Why; empty when nothing was said. */
  readonly reason: string;
}

/** A checked creation. */
export interface CreateScheduleRequest extends ScheduleRequest, ScheduleParts {
  readonly workflowType: string;
  /** Undefined: it is not paused. */
  readonly pauseNote: string | undefined;
  readonly requestId: string;
}

/** A checked change. */
export interface UpdateScheduleRequest extends ScheduleRequest, ScheduleParts {
  readonly requestId: string;
}

/** A checked trigger. */
export interface TriggerRequest extends ScheduleRequest {
  readonly runId: string;
  readonly overlap: OverlapPolicy | undefined;
}

/** A checked backfill. Times are ms since the epoch, both included. */
export interface BackfillScheduleRequest extends ScheduleRequest {
  readonly fromMs: number;
  readonly toMs: number;
  readonly overlap: OverlapPolicy;
  readonly requestId: string;
}

/** The calls that differ. */
export interface SchedulesPort {
  create(request: CreateScheduleRequest, limit: CallLimit): Promise<void>;
  update(request: UpdateScheduleRequest, limit: CallLimit): Promise<void>;
  /** The reason is the note that the schedule shows. */
  pause(request: ScheduleRequest, limit: CallLimit): Promise<void>;
  resume(request: ScheduleRequest, limit: CallLimit): Promise<void>;
  trigger(request: TriggerRequest, limit: CallLimit): Promise<OccurrenceOutcome>;
  backfill(request: BackfillScheduleRequest, limit: CallLimit): Promise<void>;
  delete(request: ScheduleRequest, limit: CallLimit): Promise<void>;
  /** `upcoming`: next occurrences to show. */
  get(scheduleId: string, upcoming: number, limit: CallLimit): Promise<ScheduleDescription>;
  list(page: PageRequest, limit: CallLimit): Promise<SchedulePage>;
}
