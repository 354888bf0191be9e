/**
 * Public failures of this package. Every code has an entry in docs/errors.md, section `raftoral`.
 */
import { brand, RaftoralError } from "@raftoral/raft-core";

/** Codes of calls, of starting and leaving a cluster, of the services and the client, and of the command line. */
export type NodeErrorCode =
  | "BACKUP_REFUSED"
  | "CALL_ABORTED"
  | "CALLER_REFUSED"
  | "CLUSTER_MISMATCH"
  | "CLUSTER_MISSING"
  | "HISTORY_INVALID"
  | "INTERNAL"
  | "JOIN_UNREACHABLE"
  | "JSON_INVALID"
  | "LAST_MEMBER"
  | "METRICS_LISTEN_FAILED"
  | "NODE_STARTING"
  | "NODE_UNREACHABLE"
  | "OPTIONS_INVALID"
  | "REQUEST_INVALID"
  | "WORKFLOW_FILE_INVALID";

/** A failure of a node, its services, a client or the command line. */
export class NodeError extends RaftoralError<NodeErrorCode> {
  static {
    brand(NodeError, "NodeError");
  }

  override readonly name = "NodeError";
}

/** NODE_STARTING, for a call that came before the node was ready for it. */
export function nodeStarting(nodeId: number | undefined): NodeError {
  return new NodeError(
    "NODE_STARTING",
    `${nodeId === undefined ? "The node" : `Node ${nodeId}`} is starting and takes no calls yet. Try again, or ask another node.`,
    {
      retryable: true,
    },
  );
}
