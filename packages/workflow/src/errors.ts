/**
 * Every public failure of this package, by code. docs/errors.md has an entry for each.
 *
 * The errors that a workflow's author meets inside a body carry retry meaning in their type; they are in `author/errors.ts`.
 */
import { RaftoralError } from "@raftoral/raft-core";

/** Reasons for which the state machine refuses a command. They travel as values, for applying never throws. */
export type RefusalCode =
  | "WORKFLOW_TYPE_UNKNOWN"
  | "WORKFLOW_ID_CONFLICT"
  | "WORKFLOW_ID_INVALID"
  | "WORKFLOW_NOT_FOUND"
  | "WORKFLOW_FINISHED"
  | "STALE_OWNER"
  | "OWNER_INCAPABLE"
  | "NODE_NOT_REGISTERED"
  | "NON_DETERMINISM"
  | "SIGNAL_MISSING"
  | "SIGNAL_BUFFER_FULL";

export type WorkflowErrorCode =
  | RefusalCode
  | "WORKFLOW_TYPE_DUPLICATE"
  | "WORKFLOW_FAILED"
  | "WORKFLOW_CANCELLED"
  | "COMMAND_INVALID"
  | "DURATION_INVALID"
  | "INPUT_INVALID"
  | "NAME_INVALID"
  | "PAYLOAD_TOO_LARGE"
  | "RUNTIME_STOPPED"
  | "SNAPSHOT_INVALID"
  | "STEP_FAILED"
  | "STEP_TIMEOUT"
  | "VALUE_NOT_SERIALIZABLE"
  | "VALUE_UNREADABLE";

/** A failure of this package. The message says what happened, to what, and what to do. */
export class WorkflowError extends RaftoralError<WorkflowErrorCode> {
  override readonly name: string = "WorkflowError";
}
