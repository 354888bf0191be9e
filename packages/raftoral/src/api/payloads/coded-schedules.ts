/** {@link SchedulesPort} through payload codecs: the input of a schedule is encoded once, and its runs get it as it is. */
import type { PayloadCoder } from "@raftoral/workflow";
import type { CallLimit } from "../call-options.ts";
import type { CreateScheduleRequest, SchedulesPort, UpdateScheduleRequest } from "../schedules/schedules-port.ts";
import { Payload } from "./payload.ts";

/** A port like `port` that encodes the inputs of schedules. */
export function codedSchedules(port: SchedulesPort, coder: PayloadCoder): SchedulesPort {
  async function encoded<Request extends CreateScheduleRequest | UpdateScheduleRequest>(request: Request) {
    if (request.input === undefined) return request;
    const { bytes, what } = request.input;
    const input = await coder.encode(bytes, { kind: "input", runId: undefined, what, isCompared: true });
    return { ...request, input: Payload.ofBytes(input, what) };
  }
  return {
    create: async (request, limit: CallLimit) => port.create(await encoded(request), limit),
    update: async (request, limit: CallLimit) => port.update(await encoded(request), limit),
    pause: (request, limit) => port.pause(request, limit),
    resume: (request, limit) => port.resume(request, limit),
    trigger: (request, limit) => port.trigger(request, limit),
    backfill: (request, limit) => port.backfill(request, limit),
    delete: (request, limit) => port.delete(request, limit),
    get: (scheduleId, upcoming, limit) => port.get(scheduleId, upcoming, limit),
    list: (page, limit) => port.list(page, limit),
  };
}
