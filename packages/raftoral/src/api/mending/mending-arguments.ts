/** Checks what callers give to do something to a run. Everything throws REQUEST_INVALID, unless it says otherwise. */
import { WorkflowError } from "@raftoral/workflow";
import { invalid, optionsArgument, reasonArgument, runIdArgument, textProblem } from "../arguments.ts";
import { Payload } from "../payloads/payload.ts";
import type {
  ForkOptions,
  ForkRequest,
  MendAction,
  MendOptions,
  MendRequest,
  PauseOptions,
  RetryOptions,
} from "./mending.ts";

const MAX_PATH_LENGTH = 4096;
const MAX_REQUEST_ID_LENGTH = 200;
/** What a request says whose caller gives no reason. */
const DEFAULT_REASON = "on request";
/** The end of a step's path: how many of its name came before. */
const OCCURRENCE = /#\d+$/;

/** A checked request. Throws WORKFLOW_ID_INVALID as well. */
export function mendRequest(
  runId: string,
  options: MendOptions | undefined,
  action: () => MendAction,
  uuid: () => string,
): MendRequest {
  const id = runIdArgument(runId);
  const { reason, requestId } = optionsArgument(options);
  if (requestId !== undefined && textProblem(requestId, MAX_REQUEST_ID_LENGTH) !== undefined)
    throw invalid("requestId", requestId, `text of 1 to ${MAX_REQUEST_ID_LENGTH} characters, or left out`);
  const said = reasonArgument(reason, DEFAULT_REASON);
  // Chosen here, so that a repeat after a lost answer is the same request.
  return { runId: id, action: action(), reason: said === "" ? DEFAULT_REASON : said, requestId: requestId ?? uuid() };
}

/** What a pause does. */
export function pauseAction(options: PauseOptions | undefined): MendAction {
  const { now = false } = optionsArgument(options);
  if (typeof now !== "boolean") throw invalid("now", now, "true or false");
  return { kind: "pause", isNow: now };
}

/** Where a retry goes back to. */
export function retryAction(options: RetryOptions | undefined): MendAction {
  const { from } = optionsArgument(options);
  if (from !== undefined && textProblem(from, MAX_PATH_LENGTH) !== undefined)
    throw invalid("from", from, "the path of a record, as the history shows it, or left out");
  return { kind: "retry", from };
}

/** A checked request for a fork. Throws WORKFLOW_ID_INVALID, VALUE_NOT_SERIALIZABLE and PAYLOAD_TOO_LARGE as well. */
export function forkRequest(source: string, options: ForkOptions | undefined, uuid: () => string): ForkRequest {
  const { runId, input } = optionsArgument(options);
  const action = retryAction(options);
  const { reason, requestId } = mendRequest(source, options, () => action, uuid);
  const from = action.kind === "retry" ? action.from : undefined;
  const given = input === undefined ? undefined : Payload.of(input, `the input of a fork of run ${source}`);
  return { source, runId: runId === undefined ? uuid() : runIdArgument(runId), from, input: given, reason, requestId };
}

/** Which step is answered, and with what. Throws NAME_INVALID, VALUE_NOT_SERIALIZABLE and PAYLOAD_TOO_LARGE. */
export function completeStepAction(step: unknown, value: unknown): MendAction {
  const problem = textProblem(step, MAX_PATH_LENGTH);
  if (problem !== undefined) {
    throw new WorkflowError(
      "NAME_INVALID",
      `A step is named by its path, text of 1 to ${MAX_PATH_LENGTH} characters without lone surrogates; this one ${problem}. Copy it from the run's description or history.`,
    );
  }
  const given = step as string;
  const path = OCCURRENCE.test(given) ? given : `${given}#0`;
  return { kind: "complete-step", path, value: Payload.of(value, `the value of step ${path}`) };
}
