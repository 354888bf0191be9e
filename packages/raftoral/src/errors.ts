/**
 * Public failures of this package. Every code has an entry in docs/errors.md, section `raftoral`.
 */
import { brand, RaftoralError } from "@raftoral/raft-core";

/** Codes of starting and leaving a cluster, of the services and the client, and of the command line. */
export type NodeErrorCode =
  | "BACKUP_REFUSED"
  | "CALLER_REFUSED"
  | "CLUSTER_MISMATCH"
  | "CLUSTER_MISSING"
  | "INTERNAL"
  | "JOIN_UNREACHABLE"
  | "JSON_INVALID"
  | "LAST_MEMBER"
  | "METRICS_LISTEN_FAILED"
  | "NODE_UNREACHABLE"
  | "OPTIONS_INVALID"
  | "REQUEST_INVALID"
  | "WORKFLOW_FILE_INVALID";

export class NodeError extends RaftoralError<NodeErrorCode> {
  static {
    brand(NodeError, "NodeError");
  }

  override readonly name = "NodeError";
}

/**
 * A failure that another node reported, with the code, the message and the `retryable` that node gave it. Its class on the
 * other side is not known here; decide by `code`.
 */
export class RemoteError extends RaftoralError {
  static {
    brand(RemoteError, "RemoteError");
  }

  override readonly name = "RemoteError";
}
