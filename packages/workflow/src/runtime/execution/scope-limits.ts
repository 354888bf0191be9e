/** Limits of scopes, maps and shields: defaults, and what authors may give. */

import type { StepPaths } from "../../author/step-path.ts";
import { type Duration, durationMs } from "../../author/values/duration.ts";
import { WorkflowError } from "../../errors.ts";
import type { BranchLimits } from "../calls/branches.ts";

/** Items of a `map` that are under way at once, unless told otherwise. */
export const DEFAULT_MAP_CONCURRENCY = 16;
const MAX_CONCURRENCY = 1_000_000;
/** How long a shield may take unless its author says otherwise, in milliseconds. */
export const DEFAULT_SHIELD_MS = 60_000;

/** The timeout of a scope, with the place where it is recorded. Throws DURATION_INVALID. */
export function timeoutIn(paths: StepPaths, scope: string, timeout: Duration | undefined): BranchLimits["timeout"] {
  // No path of a call within the scope: those have a number.
  return timeout === undefined ? undefined : { path: `${paths.prefix}timeout`, scope, ms: durationMs(timeout) };
}

/** Throws INPUT_INVALID unless it is a whole number from 1. */
export function checkedConcurrency(concurrency: number): number {
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= MAX_CONCURRENCY) return concurrency;
  throw new WorkflowError(
    "INPUT_INVALID",
    `The concurrency is ${String(concurrency)}. Give a whole number from 1 to ${MAX_CONCURRENCY}.`,
  );
}
