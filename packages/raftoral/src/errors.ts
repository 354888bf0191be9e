/**
 * Public failures of this package. Every code has an entry in docs/errors.md, section `raftoral`.
 */
import { RaftoralError } from "@raftoral/raft-core";

/** Codes of this package: of starting and leaving a cluster, of the services and the client, of the command line. */
export const NODE_ERROR_CODES = [
  "ADDRESS_IN_USE",
  "CLUSTER_MISMATCH",
  "CLUSTER_MISSING",
  "INTERNAL",
  "JOIN_UNREACHABLE",
  "JSON_INVALID",
  "LAST_MEMBER",
  "NODE_UNREACHABLE",
  "OPTIONS_INVALID",
  "REQUEST_INVALID",
  "WORKFLOW_FILE_INVALID",
] as const;

export type NodeErrorCode = (typeof NODE_ERROR_CODES)[number];

export class NodeError extends RaftoralError<NodeErrorCode> {
  override readonly name = "NodeError";
}

/**
 * A failure that another node reported, with the code, the message and the `retryable` that node gave it. Its class on the
 * other side is not known here; decide by `code`.
 */
export class RemoteError extends RaftoralError {
  override readonly name = "RemoteError";
}
