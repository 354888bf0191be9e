/** The port of schedules to a whole test cluster: each call goes to a node that is up. */
import { attributeValues, type OccurrenceOutcome } from "@raftoral/workflow";
import type { CallLimit, ReadOptions } from "../../api/call-options.ts";
import type { ScheduleChanges, ScheduleDescription, SchedulePage, Schedules } from "../../api/schedules/schedules.ts";
import type { ScheduleParts, SchedulesPort } from "../../api/schedules/schedules-port.ts";
import type { PageRequest } from "../../api/workflows-port.ts";

/** What {@link schedulesPort} needs of the cluster. */
interface Asking {
  readonly call: <T>(call: (schedules: Schedules) => Promise<T>) => Promise<T>;
  readonly options: (limit: CallLimit) => ReadOptions;
}

/** The port. */
export function schedulesPort({ call, options }: Asking): SchedulesPort {
  return {
    create: ({ scheduleId, workflowType, pauseNote, requestId, reason, ...parts }, limit) => {
      const paused = pauseNote === undefined ? false : pauseNote || true;
      const schedule = { workflow: workflowType, ...changesOf(parts), paused };
      return call((schedules) => schedules.create(scheduleId, schedule, { requestId, reason, ...options(limit) }));
    },
    update: ({ scheduleId, requestId, reason, ...parts }, limit) =>
      call((schedules) => schedules.update(scheduleId, changesOf(parts), { requestId, reason, ...options(limit) })),
    pause: ({ scheduleId, reason: note }, limit) =>
      call((schedules) => schedules.pause(scheduleId, { note, ...options(limit) })),
    resume: ({ scheduleId, reason: note }, limit) =>
      call((schedules) => schedules.resume(scheduleId, { note, ...options(limit) })),
    trigger: ({ scheduleId, runId, overlap, reason }, limit): Promise<OccurrenceOutcome> => {
      const requestId = runId.slice(`${scheduleId}/trigger-`.length);
      const given = { requestId, reason, ...(overlap === undefined ? {} : { overlap }), ...options(limit) };
      return call(async (schedules) => (await schedules.trigger(scheduleId, given)).outcome);
    },
    backfill: ({ scheduleId, fromMs, toMs, overlap, requestId, reason }, limit) => {
      const given = { overlap, requestId, reason, ...options(limit) };
      return call((schedules) => schedules.backfill(scheduleId, fromMs, toMs, given));
    },
    delete: ({ scheduleId, reason }, limit) =>
      call((schedules) => schedules.delete(scheduleId, { reason, ...options(limit) })),
    get: (scheduleId, upcoming, limit): Promise<ScheduleDescription> =>
      call((schedules) => schedules.get(scheduleId, { upcoming, ...options(limit) })),
    list: ({ pageSize, pageToken }: PageRequest, limit): Promise<SchedulePage> => {
      const page = { pageSize, ...(pageToken === undefined ? {} : { pageToken }) };
      return call((schedules) => schedules.listPage({ ...page, ...options(limit) }));
    },
  };
}

function changesOf({ version, input, attributes, runTimeoutMs, overlap, times }: ScheduleParts): ScheduleChanges {
  const { startAtMs, endAtMs, ...rest } = times;
  const given = Object.entries({ version, input, runTimeoutMs, overlap, startAt: startAtMs, endAt: endAtMs, ...rest });
  return {
    ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
    ...(attributes === undefined ? {} : { attributes: attributeValues(attributes) }),
  };
}
