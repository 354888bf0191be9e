/** What is said of blobs that cannot be kept or read. */
import type { BlobName, NodeId } from "@raftoral/raft-core";
import { WorkflowError } from "../errors.ts";

/** A value that is too large for anything. */
export function tooLarge(what: string, bytes: number, limit: number): WorkflowError {
  return new WorkflowError(
    "PAYLOAD_TOO_LARGE",
    `The value of ${what} has ${bytes} bytes, above the limit of ${limit}. Keep it elsewhere and pass a reference, or raise blobLimits.maxBytes up to 64 MiB on every node.`,
    { details: { of: what, bytes, limit } },
  );
}

/** No majority has a blob within the time. */
export function notKept(
  what: string,
  { hash, length }: BlobName,
  has: Iterable<NodeId>,
  cause: unknown,
): WorkflowError {
  const nodes = [...has].sort((a, b) => a - b);
  return new WorkflowError(
    "BLOB_NOT_KEPT",
    `The value of ${what} (${length} bytes) was not kept by a majority of the voters in time: nodes ${nodes.join(", ") || "none"} have it. Nothing was recorded. Try again; look for nodes that are down, slow or full.`,
    { retryable: true, cause, details: { of: what, blob: hash, bytes: length, nodes } },
  );
}

/** A blob that no member can give. */
export function unavailable(what: string, { hash, length }: BlobName, cause: unknown): WorkflowError {
  return new WorkflowError(
    "BLOB_UNAVAILABLE",
    `The value of ${what} is kept as a blob of ${length} bytes (${hash}) that is not on this node, and no member gave it in time. Try again; look for members that are down.`,
    { retryable: true, cause, details: { of: what, blob: hash, bytes: length } },
  );
}
