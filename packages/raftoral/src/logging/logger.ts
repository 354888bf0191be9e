/**
 * The process's own log, for the command line: pino, as JSON for machines or as lines for people.
 */
import { type Logger, pino, stdSerializers } from "pino";
import { formatLogLine, type LogLine, type Tone } from "./log-lines.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
/** The lowest level that is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number];
/** `auto`: lines on a terminal, JSON elsewhere. */
export const LOG_FORMATS = ["auto", "json", "pretty"] as const;
/** How a line of the log is written. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Where a log goes. */
export interface LogTarget {
  readonly isTty: boolean;
  /** Takes one record. It makes text safe for a terminal, and colours it there. */
  write(text: string, tone: Tone): void;
}

/** A pino logger, which is a raft-core `Logger`. Every record carries its time and, once known, what `child` adds. */
export function createLogger(options: { level: LogLevel; format: LogFormat; target: LogTarget }): Logger {
  const { level, format, target } = options;
  const isPretty = format === "pretty" || (format === "auto" && target.isTty);
  return pino(
    { level, base: null, serializers: { err: stdSerializers.err, error: stdSerializers.err } },
    {
      write: (record: string) => {
        const { text, tone }: LogLine = isPretty ? formatLogLine(record) : { text: record, tone: "plain" };
        target.write(text, tone);
      },
    },
  );
}
