/** Lengths of time as authors write them. */
import { WorkflowError } from "../../errors.ts";

/** Milliseconds, or parts of days, hours, minutes, seconds and milliseconds: `"10s"`, `"2d"`, `"1h30m"`, `"250ms"`. */
export type Duration = number | string;

const UNIT_MS: Readonly<Record<string, number>> = Object.freeze({
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
});
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;
/** A hundred years. */
const MAX_MS = 100 * 366 * 86_400_000;

/** Moments that a Date can be. */
const MAX_MOMENT_MS = 8.64e15;

/** Whole milliseconds of a duration. Throws DURATION_INVALID. */
export function durationMs(duration: Duration): number {
  const ms = typeof duration === "number" ? duration : parsed(duration);
  if (!Number.isFinite(ms) || ms < 0 || ms > MAX_MS) throw invalid(duration);
  return Math.round(ms);
}

/** Whole milliseconds since the epoch of a moment. Throws DURATION_INVALID. */
export function momentMs(moment: Date | number): number {
  const ms = typeof moment === "number" ? moment : moment instanceof Date ? moment.getTime() : Number.NaN;
  if (Number.isFinite(ms) && Math.abs(ms) <= MAX_MOMENT_MS) return Math.max(0, Math.round(ms));
  throw new WorkflowError(
    "DURATION_INVALID",
    `${typeof moment === "number" ? moment : "The value"} is no moment. Give a valid Date, or milliseconds since the epoch.`,
  );
}

function parsed(text: string): number {
  if (typeof text !== "string" || !WHOLE.test(text)) throw invalid(text);
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(PART)) ms += Number(amount) * (UNIT_MS[unit ?? ""] ?? Number.NaN);
  return ms;
}

function invalid(duration: unknown): WorkflowError {
  return new WorkflowError(
    "DURATION_INVALID",
    `No duration is written as ${typeof duration === "string" ? JSON.stringify(duration) : String(duration)}. Write milliseconds as a ` +
      'number, or parts as in "250ms", "10s", "1h30m", "2d", up to a hundred years.',
  );
}
