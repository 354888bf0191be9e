/** How a run ended. */
import type { RecordedError } from "../failure.ts";

/** How a run ended, and with what. */
export type RunOutcome =
  | { readonly status: "completed"; readonly result: Uint8Array }
  | { readonly status: "failed"; readonly error: RecordedError }
  | { readonly status: "cancelled"; readonly reason: string };

/** The statuses of a run that has ended. */
export type OutcomeStatus = RunOutcome["status"];

/** Positions are the numbers of `raftoral.WorkflowOutcome`. */
export const OUTCOMES = ["completed", "failed", "cancelled"] as const satisfies readonly OutcomeStatus[];

/** The parts of an outcome as they travel and are stored: those of other statuses hold nothing. */
export interface OutcomeParts {
  readonly status: OutcomeStatus;
  readonly result: Uint8Array;
  readonly error?: RecordedError | undefined;
  readonly reason: string;
}

const NOTHING: Uint8Array = new Uint8Array(0);
const NO_ERROR: RecordedError = Object.freeze({ name: "", message: "" });

/** The outcome that its parts say. */
export function outcomeOfParts({ status, result, error = NO_ERROR, reason }: OutcomeParts): RunOutcome {
  if (status === "completed") return { status, result };
  return status === "failed" ? { status, error } : { status, reason };
}

/** The parts of an outcome. */
export function partsOfOutcome(outcome: RunOutcome): OutcomeParts {
  const parts = { result: NOTHING, reason: "" };
  return { ...parts, ...outcome };
}

/** The end of a run whose time was over. */
export function timedOut(runId: string): RunOutcome {
  const message = `Run ${runId} has not ended within its time limit. Give it a longer runTimeoutMs, or less to do.`;
  return { status: "failed", error: { name: "WorkflowError", message, code: "RUN_TIMED_OUT" } };
}

/** The end of a run that somebody has terminated. */
export function terminated(runId: string, reason: string): RunOutcome {
  const message = `Run ${runId} was terminated: ${reason}. Its body did not hear of it, so what it had begun is not undone.`;
  return { status: "failed", error: { name: "WorkflowError", message, code: "RUN_TERMINATED" } };
}
