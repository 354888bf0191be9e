/**
 * One log record as one line for a person: `12:30:01.123 INFO  message key=value`.
 */

const LEVELS: ReadonlyMap<number, string> = new Map([
  [10, "TRACE"],
  [20, "DEBUG"],
  [30, "INFO"],
  [40, "WARN"],
  [50, "ERROR"],
  [60, "FATAL"],
]);
const COLORS: ReadonlyMap<string, string> = new Map([
  ["WARN", "\x1b[33m"],
  ["ERROR", "\x1b[31m"],
  ["FATAL", "\x1b[31m"],
]);
const RESET = "\x1b[0m";
/** What pino adds to every record and a person at a terminal knows. */
const OMITTED = new Set(["level", "time", "msg", "pid", "hostname"]);

/** The line of a record as pino wrote it. A line that is no record is passed on as it is. */
export function formatLogLine(record: string, isColored: boolean): string {
  const fields = parse(record);
  if (fields === undefined) return record;
  const level = LEVELS.get(Number(fields.level)) ?? String(fields.level);
  const color = isColored ? COLORS.get(level) : undefined;
  const details = Object.entries(fields)
    .filter(([key]) => !OMITTED.has(key))
    .map(([key, value]) => ` ${key}=${formatValue(key, value)}`)
    .join("");
  const line = `${timeOf(fields.time)} ${level.padEnd(5)} ${String(fields.msg ?? "")}${details}`;
  return color === undefined ? `${line}\n` : `${color}${line}${RESET}\n`;
}

function parse(record: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(record);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function timeOf(time: unknown): string {
  return typeof time === "number" ? new Date(time).toISOString().slice(11, 23) : "";
}

function formatValue(key: string, value: unknown): string {
  if (key === "err" && typeof value === "object" && value !== null) {
    const { code, message } = value as { code?: unknown; message?: unknown };
    return JSON.stringify(code === undefined ? message : `${String(code)}: ${String(message)}`);
  }
  if (typeof value === "string") return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? "";
}
