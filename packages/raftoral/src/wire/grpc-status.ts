/**
 * The gRPC status of every error code, for generic clients, proxies and load balancers. Raftoral's own client reads the code itself
 * (error.proto) and does not decide by the status.
 *
 * The convention (google.rpc.Code): INVALID_ARGUMENT is wrong whatever the state, FAILED_PRECONDITION until somebody changes the
 * state, UNAVAILABLE may succeed when the same call is repeated, ABORTED when the work around it is.
 */
import { Code } from "@connectrpc/connect";
import type { RaftoralErrorCode } from "../api/error-classes.ts";

/** By code; docs/errors.md has the same table by status, and a test compares them. */
export const GRPC_STATUS: Readonly<Record<RaftoralErrorCode, Code>> = Object.freeze({
  // raftoral
  BACKUP_REFUSED: Code.FailedPrecondition,
  CALL_ABORTED: Code.Canceled,
  CALLER_REFUSED: Code.PermissionDenied,
  CLUSTER_MISMATCH: Code.FailedPrecondition,
  CLUSTER_MISSING: Code.FailedPrecondition,
  HISTORY_INVALID: Code.InvalidArgument,
  INTERNAL: Code.Internal,
  JOIN_UNREACHABLE: Code.Unavailable,
  JSON_INVALID: Code.InvalidArgument,
  LAST_MEMBER: Code.FailedPrecondition,
  METRICS_LISTEN_FAILED: Code.FailedPrecondition,
  NODE_STARTING: Code.Unavailable,
  NODE_UNREACHABLE: Code.Unavailable,
  OPTIONS_INVALID: Code.InvalidArgument,
  REQUEST_INVALID: Code.InvalidArgument,
  WORKFLOW_FILE_INVALID: Code.InvalidArgument,
  // workflow
  COMMAND_INVALID: Code.InvalidArgument,
  CONTEXT_ENDED: Code.Unknown,
  CONTEXT_FOREIGN: Code.Unknown,
  CONTEXT_IN_STEP: Code.Unknown,
  DURATION_INVALID: Code.InvalidArgument,
  INPUT_INVALID: Code.InvalidArgument,
  NAME_INVALID: Code.InvalidArgument,
  NODE_NOT_REGISTERED: Code.FailedPrecondition,
  NON_DETERMINISM: Code.FailedPrecondition,
  OUTPUT_INVALID: Code.FailedPrecondition,
  OWNER_INCAPABLE: Code.FailedPrecondition,
  PAYLOAD_TOO_LARGE: Code.ResourceExhausted,
  // Failures of users' code say nothing of the call that brings them.
  REJECTION_UNHANDLED: Code.Unknown,
  RETRYABLE: Code.Unknown,
  SIGNAL_BUFFER_FULL: Code.ResourceExhausted,
  SIGNAL_INVALID: Code.InvalidArgument,
  SIGNAL_MISSING: Code.NotFound,
  SNAPSHOT_INVALID: Code.DataLoss,
  STALE_OWNER: Code.Aborted,
  STATE_FORMAT_UNSUPPORTED: Code.FailedPrecondition,
  STEP_FAILED: Code.Unknown,
  BRANCH_CANCELLED: Code.Unknown,
  CHILD_CANCELLED: Code.Unknown,
  CHILD_FAILED: Code.Unknown,
  SCOPE_TIMEOUT: Code.Unknown,
  VARIABLE_FAILED: Code.Unknown,
  STEP_TIMEOUT: Code.Unknown,
  STREAM_BUFFER_FULL: Code.ResourceExhausted,
  STREAM_CALLER_UNKNOWN: Code.Unknown,
  STREAM_CHUNK_INVALID: Code.InvalidArgument,
  STREAM_CONFLICT: Code.Aborted,
  STREAM_ENDED: Code.FailedPrecondition,
  STREAM_LIMIT_REACHED: Code.ResourceExhausted,
  STREAM_TRIMMED: Code.OutOfRange,
  TERMINAL: Code.Unknown,
  VALUE_NOT_SERIALIZABLE: Code.InvalidArgument,
  VALUE_UNREADABLE: Code.FailedPrecondition,
  WORKFLOW_CANCELLED: Code.FailedPrecondition,
  WORKFLOW_FAILED: Code.Unknown,
  WORKFLOW_FINISHED: Code.FailedPrecondition,
  WORKFLOW_ID_CONFLICT: Code.AlreadyExists,
  WORKFLOW_ID_INVALID: Code.InvalidArgument,
  WORKFLOW_NOT_FOUND: Code.NotFound,
  WORKFLOW_TYPE_DUPLICATE: Code.InvalidArgument,
  WORKFLOW_TYPE_UNKNOWN: Code.NotFound,
  // storage-lmdb
  STORAGE_BACKUP_INVALID: Code.FailedPrecondition,
  STORAGE_CLOSED: Code.Unavailable,
  STORAGE_CORRUPT: Code.DataLoss,
  STORAGE_FORMAT_UNSUPPORTED: Code.FailedPrecondition,
  STORAGE_FULL: Code.ResourceExhausted,
  STORAGE_IDENTITY_MISMATCH: Code.FailedPrecondition,
  STORAGE_IS_BACKUP: Code.FailedPrecondition,
  STORAGE_LOCKED: Code.Unavailable,
  STORAGE_PATH_INVALID: Code.FailedPrecondition,
  STORAGE_TARGET_NOT_EMPTY: Code.AlreadyExists,
  STORAGE_WRITE_FAILED: Code.Unavailable,
  // raft-core and transports
  CODEC_INVALID: Code.InvalidArgument,
  CONF_CHANGE_INVALID: Code.FailedPrecondition,
  CONF_CHANGE_REFUSED: Code.Unavailable,
  CONFIG_INVALID: Code.InvalidArgument,
  DEADLINE_EXCEEDED: Code.DeadlineExceeded,
  NO_LEADER: Code.Unavailable,
  NODE_FAILED: Code.Unavailable,
  NODE_REMOVED: Code.FailedPrecondition,
  NODE_STOPPED: Code.Unavailable,
  NODE_UNKNOWN: Code.NotFound,
  OVERLOADED: Code.ResourceExhausted,
  PROPOSAL_OUTCOME_UNKNOWN: Code.Unknown,
  SNAPSHOT_UNAVAILABLE: Code.Unavailable,
  STATE_MISMATCH: Code.DataLoss,
  TRANSPORT_ADDRESS_INVALID: Code.InvalidArgument,
  TRANSPORT_ADDRESS_IN_USE: Code.FailedPrecondition,
  TRANSPORT_CLOSED: Code.Unavailable,
  TRANSPORT_FRAME_INVALID: Code.InvalidArgument,
  TRANSPORT_FRAME_TOO_LARGE: Code.ResourceExhausted,
  TRANSPORT_PEER_REFUSED: Code.FailedPrecondition,
  TRANSPORT_PEER_UNREACHABLE: Code.Unavailable,
  TRANSPORT_PLAINTEXT_REFUSED: Code.FailedPrecondition,
  TRANSPORT_REQUEST_FAILED: Code.Unknown,
  TRANSPORT_TLS_FAILED: Code.Unavailable,
  TRANSPORT_TLS_INVALID: Code.FailedPrecondition,
  TRANSPORT_SNAPSHOT_LIMIT: Code.ResourceExhausted,
  TRANSPORT_SNAPSHOT_REJECTED: Code.Unavailable,
} satisfies Record<RaftoralErrorCode, Code>);

/** The status of a code, also of one that only a later version has. */
export function grpcStatusOf(code: string, retryable: boolean): Code {
  const known = Object.hasOwn(GRPC_STATUS, code) ? GRPC_STATUS[code as RaftoralErrorCode] : undefined;
  return known ?? (retryable ? Code.Unavailable : Code.Unknown);
}
