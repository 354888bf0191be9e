/** Checks when a run is to begin. */
import { momentMs } from "@raftoral/workflow";
import { invalid } from "../arguments.ts";
import type { StartRequest } from "../workflows-port.ts";

/** Longest delay, in ms: what a moment can say for sure, whatever time it is. */
const MAX_DELAY_MS = 2 ** 52;

/** When a run begins. Throws REQUEST_INVALID. */
export function beginningArgument(delayMs: unknown, startAt: unknown): Pick<StartRequest, "delayMs" | "startAtMs"> {
  if (delayMs !== undefined && startAt !== undefined)
    throw invalid("startAt", startAt, "left out where there is a delayMs");
  if (delayMs !== undefined && !(typeof delayMs === "number" && delayMs >= 0 && delayMs <= MAX_DELAY_MS))
    throw invalid("delayMs", delayMs, "a number of milliseconds from 0, or left out");
  return {
    delayMs: delayMs === undefined ? undefined : Math.ceil(delayMs),
    startAtMs: startAt === undefined ? undefined : momentArgument("startAt", startAt),
  };
}

/** A moment in ms since the epoch: 0 for one before it. Throws REQUEST_INVALID. */
export function momentArgument(argument: string, moment: unknown): number {
  try {
    return momentMs(moment as number);
  } catch {
    throw invalid(argument, moment, "a valid Date, or milliseconds since the epoch");
  }
}
