/** Checks when a run is to begin. */
import { invalid } from "../arguments.ts";

/** Longest delay, in ms: what a moment can say for sure, whatever time it is. */
const MAX_DELAY_MS = 2 ** 52;

/** When a run is to begin; neither: with its start. */
export interface Beginning {
  /** How long after the call, in ms. */
  readonly delayMs: number | undefined;
  /** Milliseconds since the epoch. */
  readonly startAtMs: number | undefined;
}

/** When a run begins. Throws REQUEST_INVALID. */
export function beginningArgument(delayMs: unknown, startAt: unknown): Beginning {
  if (delayMs !== undefined && startAt !== undefined)
    throw invalid("startAt", startAt, "left out where there is a delayMs");
  if (delayMs !== undefined && !(typeof delayMs === "number" && delayMs >= 0 && delayMs <= MAX_DELAY_MS))
    throw invalid("delayMs", delayMs, "a number of milliseconds from 0, or left out");
  const startAtMs = startAt instanceof Date ? startAt.getTime() : startAt === undefined ? undefined : Number.NaN;
  if (startAtMs !== undefined && !Number.isFinite(startAtMs)) throw invalid("startAt", startAt, "a Date, or left out");
  return {
    delayMs: delayMs === undefined ? undefined : Math.ceil(delayMs),
    // A time before the epoch has passed, too.
    startAtMs: startAtMs === undefined ? undefined : Math.max(0, startAtMs),
  };
}
