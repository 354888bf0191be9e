/** Checks what callers give about schedules. Everything throws REQUEST_INVALID, unless it says otherwise. */
import {
  type CalendarFields,
  MAX_SCHEDULE_ID_LENGTH,
  OVERLAP_POLICIES,
  type OverlapPolicy,
  storedAttributes,
} from "@raftoral/workflow";
import { invalid, optionsArgument, runTimeoutArgument, textProblem } from "../arguments.ts";
import { Payload } from "../payloads/payload.ts";
import { momentArgument } from "../starts/beginning.ts";
import type { ScheduleChanges, ScheduleTimes } from "./schedules.ts";
import type { PartialTimes, ScheduleParts } from "./schedules-port.ts";

const CALENDAR_FIELDS: ReadonlySet<string> = new Set([
  "seconds",
  "minutes",
  "hours",
  "daysOfMonth",
  "months",
  "daysOfWeek",
  "years",
] satisfies (keyof CalendarFields)[]);
const MAX_PATTERN_LENGTH = 1_000;
const MAX_REQUEST_ID_LENGTH = 200;
const MAX_LENGTH_MS = 2 ** 52;

/** The id of a schedule. */
export function scheduleIdArgument(scheduleId: unknown): string {
  if (textProblem(scheduleId, MAX_SCHEDULE_ID_LENGTH) === undefined) return scheduleId as string;
  throw invalid("scheduleId", scheduleId, `text of 1 to ${MAX_SCHEDULE_ID_LENGTH} characters without lone surrogates`);
}

/** An overlap policy; undefined where none is given. */
export function overlapArgument(overlap: unknown): OverlapPolicy | undefined {
  if (overlap === undefined || OVERLAP_POLICIES.includes(overlap as OverlapPolicy))
    return overlap as OverlapPolicy | undefined;
  throw invalid("overlap", overlap, `one of ${OVERLAP_POLICIES.join(", ")}`);
}

/** What names a request. */
export function requestIdArgument(requestId: unknown, uuid: () => string): string {
  if (requestId === undefined) return uuid();
  if (textProblem(requestId, MAX_REQUEST_ID_LENGTH) === undefined) return requestId as string;
  throw invalid("requestId", requestId, `text of 1 to ${MAX_REQUEST_ID_LENGTH} characters, or left out`);
}

/** What is given of a schedule. Throws ATTRIBUTES_INVALID and VALUE_NOT_SERIALIZABLE as well. */
export function scheduleParts(scheduleId: string, changes: ScheduleChanges): ScheduleParts {
  const { version, attributes, runTimeoutMs, overlap } = optionsArgument<ScheduleChanges>(changes);
  if (version !== undefined && !(Number.isSafeInteger(version) && version > 0))
    throw invalid("version", version, "a whole number above 0, or left out");
  const hasInput = "input" in changes;
  return {
    version,
    input: hasInput ? Payload.of(changes.input, `the input of schedule ${scheduleId}`) : undefined,
    attributes: attributes === undefined ? undefined : storedAttributes(scheduleId, attributes),
    runTimeoutMs: runTimeoutArgument(runTimeoutMs),
    overlap: overlapArgument(overlap),
    times: timesArgument(changes),
  };
}

function timesArgument(times: ScheduleTimes): PartialTimes {
  const { cron, calendars, excluding, everyMs, offsetMs, timeZone, jitterMs, startAt, endAt } = times;
  const { catchUpMs, catchUp } = times;
  const isWhen = cron !== undefined || calendars !== undefined || everyMs !== undefined;
  if (catchUp !== undefined && catchUp !== "all" && catchUp !== "last")
    throw invalid("catchUp", catchUp, '"all", "last", or left out');
  if (timeZone !== undefined && textProblem(timeZone, MAX_PATTERN_LENGTH) !== undefined)
    throw invalid("timeZone", timeZone, "an IANA name such as Europe/Berlin, or left out");
  return {
    ...(isWhen
      ? {
          cron: patternsArgument(cron),
          calendars: calendarsArgument("calendars", calendars),
          everyMs: lengthArgument("everyMs", everyMs),
        }
      : {}),
    ...(excluding === undefined ? {} : { excluding: calendarsArgument("excluding", excluding) }),
    ...(offsetMs === undefined ? {} : { offsetMs: lengthArgument("offsetMs", offsetMs) }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(jitterMs === undefined ? {} : { jitterMs: lengthArgument("jitterMs", jitterMs) }),
    ...(startAt === undefined ? {} : { startAtMs: momentArgument("startAt", startAt) }),
    ...(endAt === undefined ? {} : { endAtMs: momentArgument("endAt", endAt) }),
    ...(catchUpMs === undefined ? {} : { catchUpMs: lengthArgument("catchUpMs", catchUpMs) }),
    ...(catchUp === undefined ? {} : { catchUp }),
  };
}

function patternsArgument(cron: unknown): readonly string[] | undefined {
  if (cron === undefined) return undefined;
  const patterns: readonly unknown[] = Array.isArray(cron) ? cron : [cron];
  if (patterns.length > 0 && patterns.every((pattern) => textProblem(pattern, MAX_PATTERN_LENGTH) === undefined))
    return patterns as readonly string[];
  throw invalid("cron", cron, "a cron pattern, a list of them, or left out");
}

function calendarsArgument(argument: string, calendars: unknown): readonly CalendarFields[] | undefined {
  if (calendars === undefined) return undefined;
  const isCalendar = (given: unknown): boolean =>
    typeof given === "object" &&
    given !== null &&
    Object.entries(given).every(
      ([name, field]) =>
        CALENDAR_FIELDS.has(name) &&
        textProblem(field, MAX_PATTERN_LENGTH) === undefined &&
        !/\s/.test(field as string),
    );
  if (Array.isArray(calendars) && calendars.every(isCalendar)) return calendars as readonly CalendarFields[];
  throw invalid(argument, calendars, `a list of objects with texts for any of ${[...CALENDAR_FIELDS].join(", ")}`);
}

function lengthArgument(argument: string, ms: unknown): number | undefined {
  if (ms === undefined) return undefined;
  if (typeof ms === "number" && ms >= 0 && ms <= MAX_LENGTH_MS) return Math.round(ms);
  throw invalid(argument, ms, "a number of milliseconds from 0, or left out");
}
