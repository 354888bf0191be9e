/** Lengths of time on the command line: `500ms`, `10s`, `5m`, `2h`; and how they are shown. */
import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds. Throws commander's InvalidArgumentError. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const ms = match === null ? Number.NaN : Math.round(Number(match[1]) * (UNITS[match[2] ?? ""] ?? Number.NaN));
  if (ms > 0) return ms;
  throw new InvalidArgumentError("Write a length of time with its unit, for example 500ms, 10s or 5m.");
}

/** A moment: a date, with a time that says its time zone if it has one. Throws commander's InvalidArgumentError. */
export function parseMoment(text: string): Date {
  const moment = new Date(text);
  const isClear = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  if (isClear && !Number.isNaN(moment.getTime())) return moment;
  throw new InvalidArgumentError(
    "Write a moment with its time zone, for example 2026-03-29T02:30:00+01:00 or 2026-03-29T00:30Z.",
  );
}

/** The two largest units that matter: `340ms`, `12.3s`, `4m 07s`, `2h 05m`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes}m ${String(Math.floor((ms % 60_000) / 1000)).padStart(2, "0")}s`;
  return `${Math.floor(minutes / 60)}h ${String(minutes % 60).padStart(2, "0")}m`;
}

/** `2026-01-31 12:30:01` in UTC, `-` for 0. */
export function formatTime(ms: number): string {
  return ms === 0 ? "-" : new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}
