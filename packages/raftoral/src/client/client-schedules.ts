/** {@link SchedulesPort} of a client: over gRPC, through any node. A call that changes something carries an id, so that it can be sent again. */
import type { OccurrenceOutcome } from "@raftoral/workflow";
import type { CallLimit } from "../api/call-options.ts";
import type { ScheduleDescription, SchedulePage } from "../api/schedules/schedules.ts";
import type {
  BackfillScheduleRequest,
  CreateScheduleRequest,
  ScheduleRequest,
  SchedulesPort,
  TriggerRequest,
  UpdateScheduleRequest,
} from "../api/schedules/schedules-port.ts";
import type { PageRequest } from "../api/workflows-port.ts";
import { consistencyToWire } from "../wire/filter-messages.ts";
import { overlapToWire, partsToWire, scheduleFromWire } from "../wire/schedule-messages.ts";
import type { ClientCalls } from "./client-calls.ts";

/** The schedule calls of one client. */
export class ClientSchedules implements SchedulesPort {
  readonly #calls: ClientCalls;

  constructor(calls: ClientCalls) {
    this.#calls = calls;
  }

  async create(request: CreateScheduleRequest, limit: CallLimit): Promise<void> {
    const { scheduleId, workflowType, pauseNote, requestId, reason } = request;
    const paused = { paused: pauseNote !== undefined, note: pauseNote ?? "" };
    const message = { scheduleId, workflowType, parts: partsToWire(request), ...paused, requestId, reason };
    await this.#calls.call(`Creating schedule ${scheduleId}`, limit, (node, options) =>
      node.schedules.createSchedule({ ...message, timeoutMs: options.timeoutMs }, options),
    );
  }

  async update(request: UpdateScheduleRequest, limit: CallLimit): Promise<void> {
    const { scheduleId, requestId, reason } = request;
    const message = { scheduleId, parts: partsToWire(request), requestId, reason };
    await this.#calls.call(`Updating schedule ${scheduleId}`, limit, (node, options) =>
      node.schedules.updateSchedule({ ...message, timeoutMs: options.timeoutMs }, options),
    );
  }

  async pause({ scheduleId, reason: note }: ScheduleRequest, limit: CallLimit): Promise<void> {
    await this.#calls.call(`Pausing schedule ${scheduleId}`, limit, (node, options) =>
      node.schedules.pauseSchedule({ scheduleId, note, timeoutMs: options.timeoutMs }, options),
    );
  }

  async resume({ scheduleId, reason: note }: ScheduleRequest, limit: CallLimit): Promise<void> {
    await this.#calls.call(`Resuming schedule ${scheduleId}`, limit, (node, options) =>
      node.schedules.resumeSchedule({ scheduleId, note, timeoutMs: options.timeoutMs }, options),
    );
  }

  async trigger({ scheduleId, runId, overlap, reason }: TriggerRequest, limit: CallLimit): Promise<OccurrenceOutcome> {
    const requestId = runId.slice(`${scheduleId}/trigger-`.length);
    const message = { scheduleId, overlap: overlapToWire(overlap), requestId, reason };
    const { outcome } = await this.#calls.call(`Triggering schedule ${scheduleId}`, limit, (node, options) =>
      node.schedules.triggerSchedule({ ...message, timeoutMs: options.timeoutMs }, options),
    );
    // Later versions may have more.
    return outcome as OccurrenceOutcome;
  }

  async backfill(request: BackfillScheduleRequest, limit: CallLimit): Promise<void> {
    const { scheduleId, fromMs, toMs, overlap, requestId, reason } = request;
    const times = { fromMs: BigInt(fromMs), toMs: BigInt(toMs) };
    const message = { scheduleId, ...times, overlap: overlapToWire(overlap), requestId, reason };
    await this.#calls.call(`Backfilling schedule ${scheduleId}`, limit, (node, options) =>
      node.schedules.backfillSchedule({ ...message, timeoutMs: options.timeoutMs }, options),
    );
  }

  async delete({ scheduleId, reason }: ScheduleRequest, limit: CallLimit): Promise<void> {
    await this.#calls.call(`Deleting schedule ${scheduleId}`, limit, (node, options) =>
      node.schedules.deleteSchedule({ scheduleId, reason, timeoutMs: options.timeoutMs }, options),
    );
  }

  async get(scheduleId: string, upcoming: number, limit: CallLimit): Promise<ScheduleDescription> {
    const message = { scheduleId, upcoming, consistency: consistencyToWire(limit) };
    const { schedule } = await this.#calls.call(`Describing schedule ${scheduleId}`, limit, (node, options) =>
      node.schedules.describeSchedule({ ...message, timeoutMs: options.timeoutMs }, options),
    );
    return scheduleFromWire(schedule);
  }

  async list({ pageSize, pageToken = "" }: PageRequest, limit: CallLimit): Promise<SchedulePage> {
    const message = { pageSize, pageToken, consistency: consistencyToWire(limit) };
    const { schedules, nextPageToken } = await this.#calls.call("Listing schedules", limit, (node, options) =>
      node.schedules.listSchedules({ ...message, timeoutMs: options.timeoutMs }, options),
    );
    return {
      schedules: schedules.map(scheduleFromWire),
      nextPageToken: nextPageToken === "" ? undefined : nextPageToken,
    };
  }
}
