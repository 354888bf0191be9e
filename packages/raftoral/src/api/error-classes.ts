/**
 * Every code that Raftoral throws, and the class of its errors: what makes a failure the same in this process and from another one.
 *
 * EC1. The table has every code; the type checker refuses a code of a package that is missing here.
 * EC2. A failure that crossed the network is of the class that the node threw. A code of a later version gives a plain RaftoralError.
 */
import {
  RaftError,
  type RaftErrorCode,
  RaftoralError,
  type RaftoralErrorOptions,
  TransportError,
  type TransportErrorCode,
} from "@raftoral/raft-core";
import { StorageError, type StorageErrorCode } from "@raftoral/storage-lmdb";
import { type AuthorErrorCode, WorkflowError, type WorkflowErrorCode } from "@raftoral/workflow";
import { NodeError, type NodeErrorCode } from "./errors.ts";

/** Every code of an error that Raftoral throws. Authors of workflows may add codes of their own to what their steps throw. */
export type RaftoralErrorCode =
  | AuthorErrorCode
  | NodeErrorCode
  | RaftErrorCode
  | StorageErrorCode
  | TransportErrorCode
  | WorkflowErrorCode;

type Family = "NodeError" | "RaftError" | "RaftoralError" | "StorageError" | "TransportError" | "WorkflowError";
type Build = (code: string, message: string, options: RaftoralErrorOptions) => RaftoralError;

/** How an error of each class is made. The casts only say that a class takes any code when the type checker is not asked. */
const BUILD: Readonly<Record<Family, Build>> = {
  NodeError: (code, message, options) => new NodeError(code as NodeErrorCode, message, options),
  RaftError: (code, message, options) => new RaftError(code as RaftErrorCode, message, options),
  RaftoralError: (code, message, options) => new RaftoralError(code, message, options),
  StorageError: (code, message, options) => new StorageError(code as StorageErrorCode, message, options),
  TransportError: (code, message, options) => new TransportError(code as TransportErrorCode, message, options),
  WorkflowError: (code, message, options) => new WorkflowError(code as WorkflowErrorCode, message, options),
};

/** The class of each code (EC1). Of a code that two packages share, the one that callers of the API meet. */
const FAMILIES: Readonly<Record<RaftoralErrorCode, Family>> = {
  ATTRIBUTES_INVALID: "WorkflowError",
  BACKUP_REFUSED: "NodeError",
  BLOB_NOT_KEPT: "WorkflowError",
  BLOB_UNAVAILABLE: "WorkflowError",
  BRANCH_CANCELLED: "WorkflowError",
  CALL_CIRCULAR: "WorkflowError",
  CALL_TOO_DEEP: "WorkflowError",
  CHILD_CANCELLED: "WorkflowError",
  CHILD_FAILED: "WorkflowError",
  CALLER_REFUSED: "NodeError",
  CALL_ABORTED: "NodeError",
  CLUSTER_MISMATCH: "NodeError",
  CLUSTER_MISSING: "NodeError",
  CODEC_INVALID: "RaftError",
  COMMAND_INVALID: "WorkflowError",
  COMPENSATION_FAILED: "WorkflowError",
  CONFIG_INVALID: "RaftError",
  CONF_CHANGE_INVALID: "RaftError",
  CONF_CHANGE_REFUSED: "RaftError",
  BODY_EVICTED: "WorkflowError",
  CONTEXT_ENDED: "WorkflowError",
  CONTEXT_FOREIGN: "WorkflowError",
  CONTEXT_IN_HANDLER: "WorkflowError",
  CONTEXT_IN_STEP: "WorkflowError",
  DEADLINE_EXCEEDED: "RaftError",
  DURATION_INVALID: "WorkflowError",
  HISTORY_INVALID: "NodeError",
  FORK_TOO_LARGE: "WorkflowError",
  INPUT_INVALID: "WorkflowError",
  INTERNAL: "NodeError",
  JOIN_UNREACHABLE: "NodeError",
  JSON_INVALID: "NodeError",
  LAST_MEMBER: "NodeError",
  METRICS_LISTEN_FAILED: "NodeError",
  NAME_INVALID: "WorkflowError",
  NODE_FAILED: "RaftError",
  NODE_NOT_REGISTERED: "WorkflowError",
  NODE_REMOVED: "RaftError",
  NODE_STOPPED: "RaftError",
  NODE_UNKNOWN: "RaftError",
  NODE_STARTING: "NodeError",
  NODE_UNREACHABLE: "NodeError",
  NON_DETERMINISM: "WorkflowError",
  NO_LEADER: "RaftError",
  OPTIONS_INVALID: "NodeError",
  OVERLOADED: "RaftError",
  OUTPUT_INVALID: "WorkflowError",
  OWNER_INCAPABLE: "WorkflowError",
  PAYLOAD_CODEC_FAILED: "WorkflowError",
  PAYLOAD_UNREADABLE: "WorkflowError",
  PAYLOAD_TOO_LARGE: "WorkflowError",
  PROPOSAL_OUTCOME_UNKNOWN: "RaftError",
  QUERY_FAILED: "WorkflowError",
  QUERY_UNAVAILABLE: "WorkflowError",
  QUERY_UNKNOWN: "WorkflowError",
  LOCK_CONFLICT: "WorkflowError",
  LOCK_LIMIT_REACHED: "WorkflowError",
  LOCK_LOST: "WorkflowError",
  LOCK_NESTED: "WorkflowError",
  LOCK_NOT_FOUND: "WorkflowError",
  LOCK_NOT_HELD: "WorkflowError",
  LOCK_OPTIONS_INVALID: "WorkflowError",
  LOCK_TIMEOUT: "WorkflowError",
  QUEUE_LIMIT_REACHED: "WorkflowError",
  QUEUE_NOT_EMPTY: "WorkflowError",
  QUEUE_NOT_FOUND: "WorkflowError",
  QUEUE_OPTIONS_INVALID: "WorkflowError",
  REJECTION_UNHANDLED: "WorkflowError",
  REQUEST_INVALID: "NodeError",
  RETRYABLE: "RaftoralError",
  RETRY_COMPENSATED: "WorkflowError",
  RETRY_LIMIT_REACHED: "WorkflowError",
  RUN_TERMINATED: "WorkflowError",
  RUN_TIMED_OUT: "WorkflowError",
  SCHEDULE_CHANGED: "WorkflowError",
  SCHEDULE_EXISTS: "WorkflowError",
  SCHEDULE_INVALID: "WorkflowError",
  SCHEDULE_NOT_FOUND: "WorkflowError",
  SCOPE_TIMEOUT: "WorkflowError",
  SIGNAL_BUFFER_FULL: "WorkflowError",
  SIGNAL_INVALID: "WorkflowError",
  SIGNAL_MISSING: "WorkflowError",
  SNAPSHOT_INVALID: "WorkflowError",
  SNAPSHOT_UNAVAILABLE: "RaftError",
  STALE_OWNER: "WorkflowError",
  STATE_FORMAT_UNSUPPORTED: "WorkflowError",
  STATE_MISMATCH: "RaftError",
  STEP_FAILED: "WorkflowError",
  STEP_NOT_RECORDED: "WorkflowError",
  STEP_RECORDED: "WorkflowError",
  STEP_TIMEOUT: "WorkflowError",
  STORAGE_BACKUP_INVALID: "StorageError",
  STORAGE_CLOSED: "StorageError",
  STORAGE_CORRUPT: "StorageError",
  STORAGE_FORMAT_UNSUPPORTED: "StorageError",
  STORAGE_FULL: "StorageError",
  STORAGE_IDENTITY_MISMATCH: "StorageError",
  STORAGE_IS_BACKUP: "StorageError",
  STORAGE_LOCKED: "StorageError",
  STORAGE_PATH_INVALID: "StorageError",
  STORAGE_TARGET_NOT_EMPTY: "StorageError",
  STORAGE_WRITE_FAILED: "StorageError",
  STREAM_BUFFER_FULL: "WorkflowError",
  STREAM_CALLER_UNKNOWN: "WorkflowError",
  STREAM_CHUNK_INVALID: "WorkflowError",
  STREAM_CONFLICT: "WorkflowError",
  STREAM_ENDED: "WorkflowError",
  STREAM_LIMIT_REACHED: "WorkflowError",
  STREAM_TRIMMED: "WorkflowError",
  TERMINAL: "RaftoralError",
  TOKEN_ANSWER_INVALID: "WorkflowError",
  TOKEN_CONFLICT: "WorkflowError",
  TOKEN_EXPIRED: "WorkflowError",
  TOKEN_FAILED: "WorkflowError",
  TOKEN_UNKNOWN: "WorkflowError",
  TRANSPORT_ADDRESS_INVALID: "TransportError",
  TRANSPORT_ADDRESS_IN_USE: "TransportError",
  TRANSPORT_CLOSED: "TransportError",
  TRANSPORT_FRAME_INVALID: "TransportError",
  TRANSPORT_FRAME_TOO_LARGE: "TransportError",
  TRANSPORT_PEER_REFUSED: "TransportError",
  TRANSPORT_PEER_UNREACHABLE: "TransportError",
  TRANSPORT_PLAINTEXT_REFUSED: "TransportError",
  TRANSPORT_REQUEST_FAILED: "TransportError",
  TRANSPORT_SNAPSHOT_LIMIT: "TransportError",
  TRANSPORT_REQUEST_REFUSED: "TransportError",
  TRANSPORT_SNAPSHOT_REJECTED: "TransportError",
  TRANSPORT_TLS_FAILED: "TransportError",
  TRANSPORT_TLS_INVALID: "TransportError",
  UPDATE_BUFFER_FULL: "WorkflowError",
  UPDATE_CONFLICT: "WorkflowError",
  UPDATE_FAILED: "WorkflowError",
  UPDATE_REJECTED: "WorkflowError",
  UPDATE_UNKNOWN: "WorkflowError",
  VALUE_NOT_SERIALIZABLE: "WorkflowError",
  VALUE_UNREADABLE: "WorkflowError",
  VARIABLE_FAILED: "WorkflowError",
  VARIABLE_UNKNOWN: "WorkflowError",
  WORKFLOW_CANCELLED: "WorkflowError",
  WORKFLOW_FAILED: "WorkflowError",
  WORKFLOW_FILE_INVALID: "NodeError",
  WORKFLOW_FINISHED: "WorkflowError",
  WORKFLOW_ID_CONFLICT: "WorkflowError",
  WORKFLOW_ID_INVALID: "WorkflowError",
  WORKFLOW_RUNNING: "WorkflowError",
  WORKFLOW_NOT_FOUND: "WorkflowError",
  WORKFLOW_PRUNED: "WorkflowError",
  WORKFLOW_TYPE_DUPLICATE: "WorkflowError",
  WORKFLOW_TYPE_UNKNOWN: "WorkflowError",
};

/** All codes, sorted. */
export const ERROR_CODES: readonly RaftoralErrorCode[] = Object.freeze(
  (Object.keys(FAMILIES) as RaftoralErrorCode[]).sort(),
);

/** An error as it was on another node: the class by its name there, or by its code where the name is not known. */
export function rebuiltError(
  name: string,
  code: string,
  message: string,
  options: RaftoralErrorOptions,
): RaftoralError {
  const family = isFamily(name) ? name : isCode(code) ? FAMILIES[code] : "RaftoralError";
  return BUILD[family](code, message, options);
}

function isFamily(name: string): name is Family {
  return Object.hasOwn(BUILD, name);
}

function isCode(code: string): code is RaftoralErrorCode {
  return Object.hasOwn(FAMILIES, code);
}
