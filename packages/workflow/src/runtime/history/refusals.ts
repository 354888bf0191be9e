/** What the log refuses a body's proposals with, as errors of the body. */
import { NonDeterminismError } from "../../author/errors/errors.ts";
import type { Refused } from "../../commands/refusal.ts";
import { WorkflowError } from "../../errors.ts";

/** Codes that say that the run is not this node's any more, or has ended. */
export const LOST: ReadonlySet<string> = new Set(["STALE_OWNER", "WORKFLOW_FINISHED", "WORKFLOW_NOT_FOUND"]);

/** The error of a refused proposal. `key`: what was to be recorded. */
export function refusal(key: string, result: Refused): WorkflowError {
  if (result.code === "NON_DETERMINISM") {
    return new NonDeterminismError(key, {
      expected: String(result.details?.expected),
      recorded: String(result.details?.recorded),
    });
  }
  return new WorkflowError(result.code, result.message, { details: result.details ?? {} });
}
