/**
 * RaftoralError on the wire: out of a node as a gRPC status with an ErrorDetail, back into a RaftoralError at the client.
 *
 * Invariants:
 * E1. Code, message, `retryable` and details of a RaftoralError are the same on both sides.
 * E2. What is not a RaftoralError leaves the node as INTERNAL, without its stack.
 * E3. Whatever a call throws at the client is a RaftoralError, also when no Raftoral node answered.
 */

import { Code, ConnectError } from "@connectrpc/connect";
import { RaftoralError } from "@raftoral/raft-core";
import { securityFailure } from "@raftoral/transport-grpc";
import { NodeError, RemoteError } from "../errors.ts";
import { ErrorDetailSchema } from "../gen/raftoral/v1/error_pb.ts";
import { grpcStatusOf } from "./grpc-status.ts";

const CUT: ReadonlySet<Code> = new Set([Code.Unavailable, Code.Canceled, Code.Aborted]);

/** What a service throws for `error`. */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  const failure = error instanceof RaftoralError ? error : internal(error);
  const status = grpcStatusOf(failure.code, failure.retryable);
  const detail = {
    code: failure.code,
    message: failure.message,
    retryable: failure.retryable,
    detailsJson: detailsJson(failure.details),
  };
  return new ConnectError(failure.message, status, undefined, [{ desc: ErrorDetailSchema, value: detail }], error);
}

/** What a client throws for a failed call to the node at `address`. */
export function fromConnectError(error: unknown, address: string): RaftoralError {
  if (error instanceof RaftoralError) return error;
  const failure = ConnectError.from(error);
  const detail = failure.findDetails(ErrorDetailSchema)[0];
  if (detail !== undefined) {
    return new RemoteError(detail.code, detail.message, {
      retryable: detail.retryable,
      details: parsedDetails(detail.detailsJson),
      cause: error,
    });
  }
  return securityFailure(failure, address) ?? withoutDetail(failure, address);
}

function withoutDetail(failure: ConnectError, address: string): RaftoralError {
  const options = { cause: failure, details: { address } };
  if (isCut(failure)) {
    return new NodeError(
      "NODE_UNREACHABLE",
      `No node answers at ${address} (${failure.rawMessage}). Check the address, and that the node is running.`,
      { ...options, retryable: true },
    );
  }
  switch (failure.code) {
    case Code.DeadlineExceeded:
      return new RemoteError(
        "DEADLINE_EXCEEDED",
        `${address} did not answer in time. It may be busy, or its cluster may have lost its quorum; ask for its status.`,
        { ...options, retryable: true },
      );
    case Code.ResourceExhausted:
      return new RemoteError(
        "PAYLOAD_TOO_LARGE",
        `${address} refused a message for its size (${failure.rawMessage}). Send less; keep large data elsewhere and pass a reference.`,
        options,
      );
    case Code.Unimplemented:
    case Code.Unknown:
    case Code.Internal:
    case Code.NotFound:
      return new NodeError(
        "NODE_UNREACHABLE",
        `What answers at ${address} is not a Raftoral node of a version this client understands (${failure.rawMessage}).`,
        options,
      );
    default:
      return new NodeError("INTERNAL", `${address} failed to answer: ${failure.rawMessage}`, options);
  }
}

/** Whether there was no connection, or it ended during the call: by a cut, or because the node stopped. */
function isCut(failure: ConnectError): boolean {
  if (CUT.has(failure.code)) return true;
  for (let cause: unknown = failure.cause; cause instanceof Error; cause = cause.cause) {
    if ("syscall" in cause) return true;
  }
  return false;
}

function internal(error: unknown): NodeError {
  const message = error instanceof Error ? error.message : String(error);
  return new NodeError("INTERNAL", `The node failed to answer because of an unexpected error: ${message}`, {
    cause: error,
  });
}

function detailsJson(details: Readonly<Record<string, unknown>>): string {
  if (Object.keys(details).length === 0) return "";
  try {
    return JSON.stringify(details);
  } catch {
    // Details are a courtesy to programs; a value that JSON cannot hold must not replace the failure itself.
    return "";
  }
}

function parsedDetails(json: string): Record<string, unknown> {
  if (json === "") return {};
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
