/** Checks what callers give of queues. Everything throws REQUEST_INVALID, unless it says otherwise. */
import { MAX_QUEUE_MS, MAX_QUEUE_NAME_LENGTH, WorkflowError } from "@raftoral/workflow";
import { invalid, textProblem } from "../arguments.ts";
import type { QueueLimits } from "./queues.ts";

const LIMITS = ["concurrency", "perKey", "perNode", "rate"] as const;
/** What a command can say. */
const MAX_LIMIT = 2 ** 32 - 1;

/** Throws NAME_INVALID. */
export function queueNameArgument(name: unknown): string {
  const problem = textProblem(name, MAX_QUEUE_NAME_LENGTH);
  if (problem === undefined) return name as string;
  throw new WorkflowError(
    "NAME_INVALID",
    `The name of a queue is text of 1 to ${MAX_QUEUE_NAME_LENGTH} characters without lone surrogates; this one ${problem}. Choose another name.`,
  );
}

/** Limits without what is left out. */
export function queueLimitsArgument(limits: unknown): QueueLimits {
  if (limits === undefined) return {};
  if (typeof limits !== "object" || limits === null)
    throw invalid("limits", limits, `an object with some of ${LIMITS.join(", ")}`);
  const stray = Object.keys(limits).find((name) => !LIMITS.some((known) => known === name));
  if (stray !== undefined)
    throw invalid(`limits.${stray}`, (limits as never)[stray], `left out: there are ${LIMITS.join(", ")}`);
  const { concurrency, perKey, perNode, rate } = limits as QueueLimits;
  const checked = {
    concurrency: whole("concurrency", concurrency),
    perKey: whole("perKey", perKey),
    perNode: whole("perNode", perNode),
  };
  const present = Object.fromEntries(Object.entries(checked).filter(([, value]) => value !== undefined));
  if (rate === undefined) return present;
  if (typeof rate !== "object" || rate === null)
    throw invalid("limits.rate", rate, "an object with limit and periodMs");
  const { limit, periodMs } = rate;
  if (typeof periodMs !== "number" || !(periodMs > 0 && periodMs <= MAX_QUEUE_MS))
    throw invalid("limits.rate.periodMs", periodMs, "a number of milliseconds above 0");
  const most = whole("rate.limit", limit);
  if (most === undefined) throw invalid("limits.rate.limit", limit, "a whole number from 1");
  return { ...present, rate: { limit: most, periodMs: Math.ceil(periodMs) } };
}

function whole(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_LIMIT) return value;
  throw invalid(`limits.${name}`, value, "a whole number from 1, or left out for no limit");
}
