/**
 * Every public failure of this package, by code. docs/errors.md has an entry for each.
 *
 * The errors that a workflow's author meets inside a body carry retry meaning in their type; they are in `author/errors/errors.ts`.
 */
import { brand, RaftoralError } from "@raftoral/raft-core";

/** Codes of workflow errors. docs/errors.md has an entry for each. */
export type WorkflowErrorCode =
  | "ATTRIBUTES_INVALID"
  | "BODY_EVICTED"
  | "BRANCH_CANCELLED"
  | "CALL_CIRCULAR"
  | "CALL_TOO_DEEP"
  | "CHILD_CANCELLED"
  | "CHILD_FAILED"
  | "COMMAND_INVALID"
  | "COMPENSATION_FAILED"
  | "CONTEXT_ENDED"
  | "CONTEXT_FOREIGN"
  | "CONTEXT_IN_HANDLER"
  | "CONTEXT_IN_STEP"
  | "DURATION_INVALID"
  | "FORK_TOO_LARGE"
  | "INPUT_INVALID"
  | "LOCK_CONFLICT"
  | "LOCK_LIMIT_REACHED"
  | "LOCK_LOST"
  | "LOCK_NESTED"
  | "LOCK_NOT_FOUND"
  | "LOCK_NOT_HELD"
  | "LOCK_OPTIONS_INVALID"
  | "LOCK_TIMEOUT"
  | "NAME_INVALID"
  | "NODE_NOT_REGISTERED"
  | "NON_DETERMINISM"
  | "OUTPUT_INVALID"
  | "OWNER_INCAPABLE"
  | "BLOB_NOT_KEPT"
  | "BLOB_UNAVAILABLE"
  | "PAYLOAD_CODEC_FAILED"
  | "PAYLOAD_TOO_LARGE"
  | "PAYLOAD_UNREADABLE"
  | "QUERY_FAILED"
  | "QUERY_UNAVAILABLE"
  | "QUERY_UNKNOWN"
  | "QUEUE_LIMIT_REACHED"
  | "QUEUE_NOT_EMPTY"
  | "QUEUE_NOT_FOUND"
  | "QUEUE_OPTIONS_INVALID"
  | "REJECTION_UNHANDLED"
  | "RETRY_COMPENSATED"
  | "RETRY_LIMIT_REACHED"
  | "RUN_TERMINATED"
  | "RUN_TIMED_OUT"
  | "SCHEDULE_CHANGED"
  | "SCHEDULE_EXISTS"
  | "SCHEDULE_INVALID"
  | "SCHEDULE_NOT_FOUND"
  | "SCOPE_TIMEOUT"
  | "SIGNAL_BUFFER_FULL"
  | "SIGNAL_INVALID"
  | "SIGNAL_MISSING"
  | "SNAPSHOT_INVALID"
  | "STALE_OWNER"
  | "STATE_FORMAT_UNSUPPORTED"
  | "STEP_FAILED"
  | "STEP_NOT_RECORDED"
  | "STEP_RECORDED"
  | "STEP_TIMEOUT"
  | "STREAM_BUFFER_FULL"
  | "STREAM_CALLER_UNKNOWN"
  | "STREAM_CHUNK_INVALID"
  | "STREAM_CONFLICT"
  | "STREAM_ENDED"
  | "STREAM_LIMIT_REACHED"
  | "STREAM_TRIMMED"
  | "TOKEN_ANSWER_INVALID"
  | "TOKEN_CONFLICT"
  | "TOKEN_EXPIRED"
  | "TOKEN_FAILED"
  | "TOKEN_UNKNOWN"
  | "UPDATE_BUFFER_FULL"
  | "UPDATE_CONFLICT"
  | "UPDATE_FAILED"
  | "UPDATE_REJECTED"
  | "UPDATE_UNKNOWN"
  | "VALUE_NOT_SERIALIZABLE"
  | "VALUE_UNREADABLE"
  | "VARIABLE_FAILED"
  | "VARIABLE_UNKNOWN"
  | "WORKFLOW_CANCELLED"
  | "WORKFLOW_FAILED"
  | "WORKFLOW_FINISHED"
  | "WORKFLOW_ID_CONFLICT"
  | "WORKFLOW_ID_INVALID"
  | "WORKFLOW_RUNNING"
  | "WORKFLOW_NOT_FOUND"
  | "WORKFLOW_PRUNED"
  | "WORKFLOW_TYPE_DUPLICATE"
  | "WORKFLOW_TYPE_UNKNOWN";

/** Reasons for which the state machine refuses a command. They travel as values, for applying never throws. */
export type RefusalCode = Extract<
  WorkflowErrorCode,
  | "ATTRIBUTES_INVALID"
  | "COMMAND_INVALID"
  | "FORK_TOO_LARGE"
  | "INPUT_INVALID"
  | "LOCK_CONFLICT"
  | "LOCK_LIMIT_REACHED"
  | "LOCK_LOST"
  | "LOCK_NOT_FOUND"
  | "LOCK_NOT_HELD"
  | "NAME_INVALID"
  | "NODE_NOT_REGISTERED"
  | "NON_DETERMINISM"
  | "OWNER_INCAPABLE"
  | "QUEUE_LIMIT_REACHED"
  | "QUEUE_NOT_EMPTY"
  | "QUEUE_NOT_FOUND"
  | "RETRY_LIMIT_REACHED"
  | "SCHEDULE_CHANGED"
  | "SCHEDULE_EXISTS"
  | "SCHEDULE_INVALID"
  | "SCHEDULE_NOT_FOUND"
  | "SIGNAL_BUFFER_FULL"
  | "SIGNAL_MISSING"
  | "STALE_OWNER"
  | "STEP_NOT_RECORDED"
  | "STEP_RECORDED"
  | "STREAM_CONFLICT"
  | "STREAM_ENDED"
  | "STREAM_LIMIT_REACHED"
  | "TOKEN_CONFLICT"
  | "TOKEN_EXPIRED"
  | "TOKEN_UNKNOWN"
  | "UPDATE_BUFFER_FULL"
  | "UPDATE_CONFLICT"
  | "WORKFLOW_FINISHED"
  | "WORKFLOW_ID_CONFLICT"
  | "WORKFLOW_ID_INVALID"
  | "WORKFLOW_RUNNING"
  | "WORKFLOW_NOT_FOUND"
  | "WORKFLOW_TYPE_UNKNOWN"
>;

/** What is said of a run that is not there, wherever somebody asks for it. */
export function runNotFoundText(runId: string): string {
  return `There is no run ${runId}: it was never started, or it ended and was pruned. Check the id; finished runs are kept for a limited time.`;
}

/** What is said of a token that no run has. */
export const TOKEN_UNKNOWN_TEXT =
  "No run has given out this token, or its run ended and was pruned. Check the token; finished runs are kept for a limited time.";

/** A failure of this package. The message says what happened, to what, and what to do. */
export class WorkflowError extends RaftoralError<WorkflowErrorCode> {
  static {
    brand(WorkflowError, "WorkflowError");
  }

  override readonly name: string = "WorkflowError";
}
