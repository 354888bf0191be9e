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
/** What pino adds to every record and a person at a terminal knows. */
const OMITTED = new Set(["level", "time", "msg", "pid", "hostname"]);

/** How a line looks on a terminal. */
export type Tone = "plain" | "warning" | "failure";

/** One record for a person. */
export interface LogLine {
  /** With its line break. */
  readonly text: string;
  readonly tone: Tone;
}

/** The line of a record as pino wrote it. What is no record is passed on as it is. */
export function formatLogLine(record: string): LogLine {
  const fields = parse(record);
  if (fields === undefined) return { text: record, tone: "plain" };
  const number = Number(fields.level);
  const level = LEVELS.get(number) ?? String(fields.level);
  const details = Object.entries(fields)
    .filter(([key]) => !OMITTED.has(key))
    .map(([key, value]) => ` ${key}=${formatValue(key, value)}`)
    .join("");
  return {
    text: `${timeOf(fields.time)} ${level.padEnd(5)} ${oneLine(String(fields.msg ?? ""))}${details}\n`,
    tone: toneOf(number),
  };
}

/** Line ends would begin lines that look like records of their own. */
function oneLine(text: string): string {
  return /[\r\n]/.test(text) ? JSON.stringify(text).slice(1, -1) : text;
}

function toneOf(level: number): Tone {
  if (level >= 50) return "failure";
  return level >= 40 ? "warning" : "plain";
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
