/** The queue of a run, as callers name it. */
import { WorkflowError } from "../errors.ts";
import {
  MAX_PRIORITY_NUMBER,
  MAX_QUEUE_MS,
  MAX_QUEUE_NAME_LENGTH,
  NO_RUN_QUEUE,
  PRIORITY_ZERO,
  type RunQueue,
} from "../model/runs/run-queue.ts";

/** Highest priority; the lowest is as far below 0. */
export const MAX_PRIORITY = MAX_PRIORITY_NUMBER - PRIORITY_ZERO;

/** What callers give. */
export interface GivenQueue {
  readonly queue?: string | undefined;
  readonly key?: string | undefined;
  readonly priority?: number | undefined;
}

/** What callers give from outside of a body. */
export interface GivenUniqueQueue extends GivenQueue {
  readonly dedupeKey?: string | undefined;
  readonly debounceMs?: number | undefined;
  readonly debounceMaxMs?: number | undefined;
}

/** How much longer than a debounce it may be put off, unless told otherwise. */
const DEBOUNCE_MAX_FACTOR = 10;

/** The queue as commands have it; undefined for none. Throws QUEUE_OPTIONS_INVALID. */
export function runQueue(given: GivenUniqueQueue): RunQueue | undefined {
  const { queue: name, key, priority = 0, dedupeKey, debounceMs, debounceMaxMs } = given;
  if (name === undefined) {
    const other = Object.entries({ key, priority: given.priority, dedupeKey, debounceMs, debounceMaxMs });
    const stray = other.find(([, value]) => value !== undefined);
    if (stray === undefined) return undefined;
    throw invalid(`${stray[0]} is given without a queue. Name the queue, or leave ${stray[0]} out`);
  }
  if (!isText(name))
    throw invalid(`queue is not text of 1 to ${MAX_QUEUE_NAME_LENGTH} characters. Give a queue's name`);
  if (key !== undefined && !isText(key))
    throw invalid(`key is not text of 1 to ${MAX_QUEUE_NAME_LENGTH} characters. Give a shorter text, or leave it out`);
  if (dedupeKey !== undefined && !isText(dedupeKey))
    throw invalid(
      `dedupeKey is not text of 1 to ${MAX_QUEUE_NAME_LENGTH} characters. Give a shorter text, or leave it out`,
    );
  if (!Number.isInteger(priority) || Math.abs(priority) > MAX_PRIORITY)
    throw invalid(`priority is not a whole number from -${MAX_PRIORITY} to ${MAX_PRIORITY}. Give one, or leave it out`);
  if (debounceMs !== undefined && dedupeKey === undefined)
    throw invalid("debounceMs is given without a dedupeKey. Say with dedupeKey which starts belong together");
  if (debounceMaxMs !== undefined && debounceMs === undefined)
    throw invalid("debounceMaxMs is given without debounceMs. Give both, or neither");
  for (const [option, ms] of Object.entries({ debounceMs, debounceMaxMs })) {
    if (ms !== undefined && !(typeof ms === "number" && ms > 0 && ms <= MAX_QUEUE_MS))
      throw invalid(`${option} is not a number of milliseconds above 0. Give one, or leave it out`);
  }
  const waitMs = Math.ceil(debounceMs ?? 0);
  const mostMs = Math.ceil(debounceMaxMs ?? Math.min(waitMs * DEBOUNCE_MAX_FACTOR, MAX_QUEUE_MS));
  return {
    ...NO_RUN_QUEUE,
    name,
    key: key ?? "",
    priority: priority + PRIORITY_ZERO,
    dedupeKey: dedupeKey ?? "",
    debounceMs: waitMs,
    debounceMaxMs: Math.max(mostMs, waitMs),
  };
}

function isText(value: unknown): value is string {
  if (typeof value !== "string" || value.length === 0) return false;
  return value.length <= MAX_QUEUE_NAME_LENGTH && value.isWellFormed();
}

function invalid(problem: string): WorkflowError {
  return new WorkflowError("QUEUE_OPTIONS_INVALID", `A run cannot be queued: ${problem}.`);
}
