/** Routes of the JSON API to schedules. What the fields may be, the API says. */
import type { ScheduleCallOptions, ScheduleChanges, ScheduleOptions } from "../../api/schedules/schedules.ts";
import { callOptions, deleteOptions, pageOptions, readOptions } from "./call-options.ts";
import { type JsonCall, numberIn } from "./json-call.ts";
import {
  CHANGE_PARAMETERS,
  DELETE_PARAMETERS,
  type JsonParameter,
  type JsonRoute,
  PAGE_PARAMETERS,
  READ_PARAMETERS,
  REASON,
} from "./json-route.ts";

const SCHEDULE = { scheduleId: "The id of a schedule." };
const TEXT = { type: "string" } as const;
const MS = { type: "integer" } as const;
const NOTE: JsonParameter = { name: "note", what: "Why.", schema: TEXT };
const OVERLAP: JsonParameter = { name: "overlap", what: "What happens while an earlier run goes on.", schema: TEXT };
const ASKED: readonly JsonParameter[] = [
  { name: "requestId", what: "The same request again is done once.", schema: TEXT },
  REASON,
];

const CHANGES: readonly JsonParameter[] = [
  { name: "version", what: "The version to start. The newest by default.", schema: { type: "integer" } },
  { name: "input", what: "The input of the runs." },
  { name: "attributes", what: "What the runs are found by.", schema: { type: "object" } },
  { name: "runTimeoutMs", what: "How long a run may take.", schema: MS },
  OVERLAP,
  { name: "cron", what: "One pattern or several, of five fields, or of six with seconds first.", schema: {} },
  { name: "calendars", what: "Fields that all hold at an occurrence.", schema: { type: "array" } },
  { name: "excluding", what: "What is no occurrence.", schema: { type: "array" } },
  { name: "everyMs", what: "Time between occurrences.", schema: MS },
  { name: "offsetMs", what: "When the interval begins, counted from the epoch.", schema: MS },
  { name: "timeZone", what: "Of patterns and calendars. UTC by default.", schema: TEXT },
  { name: "jitterMs", what: "Each occurrence is due up to so much later.", schema: MS },
  { name: "startAt", what: "The first moment, in ms since the epoch.", schema: MS },
  { name: "endAt", what: "The last moment, in ms since the epoch.", schema: MS },
  { name: "catchUpMs", what: "How old a missed occurrence may be.", schema: MS },
  { name: "catchUp", what: "Which missed occurrences come.", schema: { ...TEXT, enum: ["all", "last"] } },
];

/** The routes. */
export const SCHEDULE_ROUTES: readonly JsonRoute[] = [
  {
    method: "GET",
    path: "schedules",
    summary: "Schedules, in pages.",
    query: PAGE_PARAMETERS,
    answer: async (call) => ({ body: await call.workflows.schedules.listPage(pageOptions(call)) }),
  },
  {
    method: "GET",
    path: "schedules/{scheduleId}",
    summary: "A schedule, its next times and its runs.",
    segments: SCHEDULE,
    query: [{ name: "upcoming", what: "How many next times.", schema: { type: "integer" } }, ...READ_PARAMETERS],
    answer: async (call) => {
      const upcoming = numberIn(call.query, "upcoming");
      const options = { ...readOptions(call), ...(upcoming === undefined ? {} : { upcoming }) };
      return { body: await call.workflows.schedules.get(call.path.scheduleId ?? "", options) };
    },
  },
  {
    method: "POST",
    path: "schedules/{scheduleId}",
    summary: "Creates a schedule.",
    segments: SCHEDULE,
    query: CHANGE_PARAMETERS,
    body: [
      { name: "workflow", what: "The type of the workflow.", schema: TEXT },
      { name: "paused", what: "Whether it begins paused, or why.", schema: {} },
      ...CHANGES,
      ...ASKED,
    ],
    answer: async (call) => {
      const [schedule, options] = changeIn(call);
      await call.workflows.schedules.create(call.path.scheduleId ?? "", schedule as ScheduleOptions<string>, options);
      return { status: 201, body: {} };
    },
  },
  {
    method: "POST",
    path: "schedules/{scheduleId}/update",
    summary: "Changes a schedule. What is left out stays.",
    segments: SCHEDULE,
    query: CHANGE_PARAMETERS,
    body: [...CHANGES, ...ASKED],
    answer: async (call) => {
      const [changes, options] = changeIn(call);
      await call.workflows.schedules.update(call.path.scheduleId ?? "", changes, options);
      return { body: {} };
    },
  },
  {
    method: "POST",
    path: "schedules/{scheduleId}/pause",
    summary: "Pauses a schedule.",
    segments: SCHEDULE,
    query: CHANGE_PARAMETERS,
    body: [NOTE],
    answer: async (call) => {
      await call.workflows.schedules.pause(call.path.scheduleId ?? "", { ...call.body, ...callOptions(call) });
      return { body: {} };
    },
  },
  {
    method: "POST",
    path: "schedules/{scheduleId}/resume",
    summary: "Lets a paused schedule go on.",
    segments: SCHEDULE,
    query: CHANGE_PARAMETERS,
    body: [NOTE],
    answer: async (call) => {
      await call.workflows.schedules.resume(call.path.scheduleId ?? "", { ...call.body, ...callOptions(call) });
      return { body: {} };
    },
  },
  {
    method: "POST",
    path: "schedules/{scheduleId}/trigger",
    summary: "Starts a run now.",
    segments: SCHEDULE,
    query: CHANGE_PARAMETERS,
    body: [OVERLAP, ...ASKED],
    answer: async (call) => {
      const options = { ...call.body, ...callOptions(call) };
      return { body: await call.workflows.schedules.trigger(call.path.scheduleId ?? "", options) };
    },
  },
  {
    method: "POST",
    path: "schedules/{scheduleId}/backfill",
    summary: "Runs the occurrences of a time that has passed. They run after the answer.",
    segments: SCHEDULE,
    query: CHANGE_PARAMETERS,
    body: [
      { name: "from", what: "The first moment, in ms since the epoch.", schema: MS },
      { name: "to", what: "The last moment, which is included.", schema: MS },
      OVERLAP,
      ...ASKED,
    ],
    answer: async (call) => {
      const { from, to, ...options } = call.body;
      const given = { ...options, ...callOptions(call) };
      await call.workflows.schedules.backfill(call.path.scheduleId ?? "", from as number, to as number, given);
      return { body: {} };
    },
  },
  {
    method: "DELETE",
    path: "schedules/{scheduleId}",
    summary: "Deletes a schedule. Its runs stay.",
    segments: SCHEDULE,
    query: DELETE_PARAMETERS,
    answer: async (call) => {
      await call.workflows.schedules.delete(call.path.scheduleId ?? "", deleteOptions(call));
      return { body: {} };
    },
  },
];

/** What a schedule is to be, and how it is asked for. What the fields may be, the API says. */
function changeIn(call: JsonCall): readonly [changes: ScheduleChanges, options: ScheduleCallOptions] {
  const { requestId, reason, ...changes } = call.body;
  const asked = Object.entries({ requestId, reason }).filter(([, value]) => value !== undefined);
  return [changes, { ...Object.fromEntries(asked), ...callOptions(call) }];
}
