/** Schedules of a node that answers from memory. Nothing is ever due. */
import { attributeValues, type OccurrenceOutcome, scheduleNotFound, type TimingSpec } from "@raftoral/workflow";
import type { ScheduleDescription, SchedulePage } from "../api/schedules/schedules.ts";
import type {
  BackfillScheduleRequest,
  CreateScheduleRequest,
  ScheduleRequest,
  SchedulesPort,
  TriggerRequest,
  UpdateScheduleRequest,
} from "../api/schedules/schedules-port.ts";

/** When the next occurrence of every schedule is. */
export const NEXT_MS = 1_806_195_600_000;

/** A port whose schedules a test may look at. */
export class FakeSchedules implements SchedulesPort {
  readonly known = new Map<string, ScheduleDescription>();
  readonly backfills: BackfillScheduleRequest[] = [];
  /** Why each change was asked for, in order. */
  readonly reasons: string[] = [];

  async create(request: CreateScheduleRequest): Promise<void> {
    const { scheduleId, workflowType, version, times, overlap = "skip", runTimeoutMs, attributes, pauseNote } = request;
    this.reasons.push(request.reason);
    this.known.set(scheduleId, {
      scheduleId,
      workflowType,
      version,
      times: { catchUpMs: 3_600_000, catchUp: "last", ...times } as TimingSpec,
      overlap,
      runTimeoutMs,
      attributes: attributes === undefined ? {} : attributeValues(attributes),
      createdAtMs: 1_700_000_000_000,
      isPaused: pauseNote !== undefined,
      note: pauseNote ?? "",
      nextDueMs: NEXT_MS,
      upcomingMs: [NEXT_MS],
      running: [],
      buffered: [],
      recent: [],
      backfills: 0,
      started: 0,
      skipped: 0,
      missed: 0,
      failed: 0,
      failure: undefined,
    });
  }

  async update({ scheduleId, times, overlap, reason }: UpdateScheduleRequest): Promise<void> {
    this.reasons.push(reason);
    const found = await this.get(scheduleId);
    const changes = { times: { ...found.times, ...times } as TimingSpec, overlap: overlap ?? found.overlap };
    this.known.set(scheduleId, { ...found, ...changes });
  }

  async pause({ scheduleId, reason: note }: ScheduleRequest): Promise<void> {
    this.known.set(scheduleId, { ...(await this.get(scheduleId)), isPaused: true, note });
  }

  async resume({ scheduleId, reason: note }: ScheduleRequest): Promise<void> {
    this.known.set(scheduleId, { ...(await this.get(scheduleId)), isPaused: false, note });
  }

  async trigger({ scheduleId, reason }: TriggerRequest): Promise<OccurrenceOutcome> {
    this.reasons.push(reason);
    await this.get(scheduleId);
    return "started";
  }

  async backfill(request: BackfillScheduleRequest): Promise<void> {
    await this.get(request.scheduleId);
    this.backfills.push(request);
    this.reasons.push(request.reason);
  }

  async delete({ scheduleId, reason }: ScheduleRequest): Promise<void> {
    this.reasons.push(reason);
    this.known.delete(scheduleId);
  }

  async get(scheduleId: string): Promise<ScheduleDescription> {
    const found = this.known.get(scheduleId);
    if (found === undefined) throw scheduleNotFound(scheduleId);
    return found;
  }

  async list(): Promise<SchedulePage> {
    return { schedules: [...this.known.values()], nextPageToken: undefined };
  }
}
