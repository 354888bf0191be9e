/** raftoral.v1.ScheduleService over the API of a node. It translates; what a call may be and what it does, the API says. */
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { ScheduleService } from "../gen/raftoral/v1/schedule_service_pb.ts";
import { consistencyFromWire } from "../wire/filter-messages.ts";
import { safeNumber } from "../wire/numbers.ts";
import { overlapFromWire, partsFromWire, scheduleToWire } from "../wire/schedule-messages.ts";
import { callerName } from "./caller-name.ts";
import { callLimit, callOptions, guarded, required } from "./calls.ts";
import type { ServedNode } from "./served-node.ts";

/** Adds the service to a router. `served` gives the node, and throws while there is none. */
export function registerScheduleService(
  router: ConnectRouter,
  served: () => ServedNode,
  defaultTimeoutMs: number,
): void {
  const options = ({ timeoutMs }: { readonly timeoutMs: number }, context: HandlerContext) =>
    callOptions(callLimit(timeoutMs, context, defaultTimeoutMs));
  const asked = ({ requestId, reason }: { readonly requestId: string; readonly reason: string }) => {
    return { ...(requestId === "" ? {} : { requestId }), reason };
  };
  const schedules = (context: HandlerContext) => served().workflowsOf(callerName(context)).schedules;
  router.service(ScheduleService, {
    createSchedule: guarded(async (request, context) => {
      const scheduleId = required(request.scheduleId, "schedule_id");
      const { paused, note } = request;
      const schedule = {
        workflow: required(request.workflowType, "workflow_type"),
        ...partsFromWire(scheduleId, request.parts),
        paused: paused && (note === "" || note),
      };
      await schedules(context).create(scheduleId, schedule, { ...options(request, context), ...asked(request) });
      return {};
    }),

    updateSchedule: guarded(async (request, context) => {
      const scheduleId = required(request.scheduleId, "schedule_id");
      const given = { ...options(request, context), ...asked(request) };
      await schedules(context).update(scheduleId, partsFromWire(scheduleId, request.parts), given);
      return {};
    }),

    pauseSchedule: guarded(async (request, context) => {
      const { note } = request;
      await schedules(context).pause(required(request.scheduleId, "schedule_id"), {
        ...options(request, context),
        note,
      });
      return {};
    }),

    resumeSchedule: guarded(async (request, context) => {
      const { note } = request;
      await schedules(context).resume(required(request.scheduleId, "schedule_id"), {
        ...options(request, context),
        note,
      });
      return {};
    }),

    triggerSchedule: guarded(async (request, context) => {
      const overlap = overlapFromWire(request.overlap);
      return await schedules(context).trigger(required(request.scheduleId, "schedule_id"), {
        ...options(request, context),
        ...asked(request),
        ...(overlap === undefined ? {} : { overlap }),
      });
    }),

    backfillSchedule: guarded(async (request, context) => {
      const overlap = overlapFromWire(request.overlap);
      const [from, to] = [safeNumber(request.fromMs, "from_ms"), safeNumber(request.toMs, "to_ms")];
      await schedules(context).backfill(required(request.scheduleId, "schedule_id"), from, to, {
        ...options(request, context),
        ...asked(request),
        ...(overlap === undefined ? {} : { overlap }),
      });
      return {};
    }),

    deleteSchedule: guarded(async (request, context) => {
      await schedules(context).delete(required(request.scheduleId, "schedule_id"), {
        ...options(request, context),
        reason: request.reason,
      });
      return {};
    }),

    describeSchedule: guarded(async (request, context) => {
      const { upcoming, consistency } = request;
      const given = { ...options(request, context), ...consistencyFromWire(consistency), upcoming };
      return {
        schedule: scheduleToWire(await schedules(context).get(required(request.scheduleId, "schedule_id"), given)),
      };
    }),

    listSchedules: guarded(async (request, context) => {
      const { pageSize, pageToken, consistency } = request;
      const page = await schedules(context).listPage({
        ...options(request, context),
        ...consistencyFromWire(consistency),
        ...(pageSize === 0 ? {} : { pageSize }),
        ...(pageToken === "" ? {} : { pageToken }),
      });
      return { schedules: page.schedules.map(scheduleToWire), nextPageToken: page.nextPageToken ?? "" };
    }),
  });
}
