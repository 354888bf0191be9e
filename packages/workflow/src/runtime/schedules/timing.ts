/**
 * When a schedule's occurrences are: of cron patterns, intervals and calendars, in a time zone.
 *
 * TI1. An occurrence is a moment. One at which several patterns agree is one.
 * TI2. Where the clocks are set forward, what would be in the gap comes when the gap is over; where they are set back, a time that comes twice is met the first time. Patterns with every hour
 *      or minute meet both. (Patterns are croner's, on the platform's time zones.)
 * TI3. Nothing here looks at a clock. What is computed is no part of the state's commands: it is proposed, and recorded as numbers.
 */
import { Cron } from "croner";
import { WorkflowError } from "../../errors.ts";
import { pathHash } from "../../records/state-keys.ts";

/** Fields of a calendar, written as those of a cron pattern. Left out, seconds, minutes and hours are 0, and all others match everything. */
export interface CalendarFields {
  readonly seconds?: string;
  readonly minutes?: string;
  readonly hours?: string;
  readonly daysOfMonth?: string;
  readonly months?: string;
  readonly daysOfWeek?: string;
  readonly years?: string;
}

/** When, as it is recorded. */
export interface TimingSpec {
  /** Patterns of five or six fields: with six, the first one is of seconds. */
  readonly cron?: readonly string[];
  /** All fields of one hold. */
  readonly calendars?: readonly CalendarFields[];
  /** Occurrences at these are left out. */
  readonly excluding?: readonly CalendarFields[];
  /** An occurrence each so many ms since the epoch, and `offsetMs`. */
  readonly everyMs?: number;
  readonly offsetMs?: number;
  /** An IANA name (UTC). */
  readonly timeZone?: string;
  /** Occurrences are due up to so much later, each by its own part of it. */
  readonly jitterMs?: number;
  /** From the first moment on, and until the second one, both in ms since the epoch. */
  readonly startAtMs?: number;
  readonly endAtMs?: number;
  /** How old an occurrence may be when it is run, in ms. */
  readonly catchUpMs: number;
  /** Which of those that are not too old. */
  readonly catchUp: "all" | "last";
}

/** Shortest interval, in ms. */
const MIN_EVERY_MS = 1000;
/** Patterns and calendars of one schedule. */
const MAX_PATTERNS = 50;
/** Occurrences that are looked at for one that is not excluded. */
const MAX_EXCLUDED = 10_000;
/** The last moment that a Date can be. */
const LAST_MS = 8.64e15;

/** A source of occurrences: the first one after a moment, or undefined. */
type Source = (afterMs: number) => number | undefined;

/** The occurrences of one schedule (TI1 to TI3). */
export class Timing {
  readonly spec: TimingSpec;
  readonly #sources: readonly Source[];
  readonly #excluded: readonly Cron[];

  /** Throws SCHEDULE_INVALID for what gives no occurrences. */
  constructor(spec: TimingSpec) {
    this.spec = spec;
    const { cron = [], calendars = [], excluding = [], everyMs, offsetMs = 0, timeZone = "UTC" } = spec;
    if (cron.length + calendars.length + excluding.length > MAX_PATTERNS)
      throw timingInvalid(`it has more than ${MAX_PATTERNS} patterns and calendars`);
    assertTimeZone(timeZone);
    const patterns = [
      ...cron.map((text) => patternOf(text, timeZone, "5-or-6-parts")),
      ...calendars.map((calendar) => patternOf(calendarPattern(calendar), timeZone, "7-part")),
    ];
    this.#excluded = excluding.map((calendar) => patternOf(calendarPattern(calendar), timeZone, "7-part"));
    const sources: Source[] = patterns.map((pattern) => (afterMs) => pattern.nextRun(new Date(afterMs))?.getTime());
    if (everyMs !== undefined) {
      if (!Number.isSafeInteger(everyMs) || everyMs < MIN_EVERY_MS)
        throw timingInvalid(`its interval is ${everyMs} ms, and may be ${MIN_EVERY_MS} ms or longer`);
      sources.push((afterMs) => Math.floor((afterMs - offsetMs) / everyMs + 1) * everyMs + offsetMs);
    }
    if (sources.length === 0) throw timingInvalid("it has no cron pattern, calendar or interval");
    this.#sources = sources;
  }

  /** Reads what {@link Timing.encode} wrote. Throws SCHEDULE_INVALID. */
  static decode(bytes: Uint8Array): Timing {
    let spec: TimingSpec;
    try {
      spec = JSON.parse(new TextDecoder().decode(bytes)) as TimingSpec;
    } catch (cause) {
      throw timingInvalid("its recorded times cannot be read", cause);
    }
    return new Timing(spec);
  }

  /** The times as they are recorded. */
  encode(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify(this.spec));
  }

  /** The first occurrence after a moment; 0 for none. In ms since the epoch. */
  nextMs(afterMs: number): number {
    const { startAtMs = 0, endAtMs = LAST_MS } = this.spec;
    let after = Math.max(afterMs, startAtMs - 1);
    for (let looked = 0; looked < MAX_EXCLUDED; looked++) {
      let next = Number.POSITIVE_INFINITY;
      for (const source of this.#sources) next = Math.min(next, source(after) ?? Number.POSITIVE_INFINITY);
      if (!(next > after) || next > endAtMs || next > LAST_MS) return 0;
      const moment = new Date(next);
      if (!this.#excluded.some((pattern) => pattern.match(moment))) return next;
      after = next;
    }
    return 0;
  }

  /** When an occurrence is due: with its part of the jitter, which is the same for every leader. */
  dueMs(scheduleId: string, occurrenceMs: number): number {
    const { jitterMs = 0 } = this.spec;
    if (jitterMs === 0 || occurrenceMs === 0) return occurrenceMs;
    return occurrenceMs + (pathHash(`${scheduleId}/${occurrenceMs}`) % (Math.floor(jitterMs) + 1));
  }

  /** The next occurrences after a moment, at most so many. */
  upcoming(afterMs: number, limit: number): readonly number[] {
    const times: number[] = [];
    for (let next = this.nextMs(afterMs); next !== 0 && times.length < limit; next = this.nextMs(next))
      times.push(next);
    return times;
  }
}

/** The failure of a schedule that makes no sense. */
export function timingInvalid(problem: string, cause?: unknown): WorkflowError {
  return new WorkflowError("SCHEDULE_INVALID", `The schedule cannot be used: ${problem}. Change it.`, {
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A pattern finds out with its first occurrence alone. */
function assertTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch (cause) {
    throw timingInvalid(`${JSON.stringify(timeZone)} is no time zone of this platform; give an IANA name`, cause);
  }
}

function patternOf(text: string, timeZone: string, mode: "5-or-6-parts" | "7-part"): Cron {
  try {
    return new Cron(text, {
      paused: true,
      timezone: timeZone,
      mode,
      // A calendar asks for all of its fields.
      domAndDow: mode === "7-part",
    });
  } catch (cause) {
    throw timingInvalid(`pattern ${JSON.stringify(text)} in time zone ${timeZone}: ${(cause as Error).message}`, cause);
  }
}

function calendarPattern({ seconds = "0", minutes = "0", hours = "0", ...days }: CalendarFields): string {
  const { daysOfMonth = "*", months = "*", daysOfWeek = "*", years = "*" } = days;
  return [seconds, minutes, hours, daysOfMonth, months, daysOfWeek, years].join(" ");
}
