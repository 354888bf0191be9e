/**
 * RaftoralError on the wire: out of a node as a gRPC status with an ErrorDetail, back into a RaftoralError at the client.
 *
 * Invariants:
 * E1. Class, code, message, `retryable`, details and the chain of causes of a RaftoralError are the same on both sides. A cause arrives as an Error
 *     with its name, message and code.
 * E2. What is not a RaftoralError leaves the node as INTERNAL. No stack leaves the node.
 * E3. Whatever a call throws at the client is a RaftoralError, also when no Raftoral node answered.
 */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { RaftError, RaftoralError } from "@raftoral/raft-core";
import { securityFailure } from "@raftoral/transport-grpc";
import { WorkflowError } from "@raftoral/workflow";
import { rebuiltError } from "../api/error-classes.ts";
import { NodeError } from "../api/errors.ts";
import { type ErrorCause, type ErrorCauseSchema, ErrorDetailSchema } from "../gen/raftoral/v1/error_pb.ts";
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
    name: failure.name,
    // What is behind an unexpected error is the node's own affair.
    ...(failure === error ? causeOf(failure, 0) : {}),
  };
  return new ConnectError(failure.message, status, undefined, [{ desc: ErrorDetailSchema, value: detail }], error);
}

/** What a client throws for a failed call to the node at `address`. */
export function fromConnectError(error: unknown, address: string): RaftoralError {
  if (error instanceof RaftoralError) return error;
  const failure = ConnectError.from(error);
  const detail = failure.findDetails(ErrorDetailSchema)[0];
  if (detail !== undefined) {
    return rebuiltError(detail.name, detail.code, detail.message, {
      retryable: detail.retryable,
      details: parsedDetails(detail.detailsJson),
      ...(detail.cause === undefined ? {} : { cause: rebuiltCause(detail.cause) }),
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
      return new RaftError(
        "DEADLINE_EXCEEDED",
        `${address} did not answer in time. It may be busy, or its cluster may have lost its quorum; ask for its status.`,
        { ...options, retryable: true },
      );
    case Code.ResourceExhausted:
      return new WorkflowError(
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
        `What answers at ${address} is not a Raftoral node of a version this client understands (${failure.rawMessage}). Check the address and the versions.`,
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

/** Causes beyond it are left out: they may go round in a circle. */
const MAX_CAUSES = 8;
const MAX_CAUSE_LENGTH = 8 * 1024;

function causeOf(error: Error, depth: number): { readonly cause?: MessageInitShape<typeof ErrorCauseSchema> } {
  const { cause } = error;
  if (!(cause instanceof Error) || depth === MAX_CAUSES) return {};
  const code: unknown = "code" in cause ? cause.code : undefined;
  return {
    cause: {
      name: cause.name,
      message: cause.message.slice(0, MAX_CAUSE_LENGTH),
      code: typeof code === "string" || typeof code === "number" ? String(code) : "",
      ...causeOf(cause, depth + 1),
    },
  };
}

function rebuiltCause({ name, message, code, cause }: ErrorCause): Error {
  const rebuilt = new Error(message, cause === undefined ? undefined : { cause: rebuiltCause(cause) });
  // No stack: the one of this line would lead astray.
  rebuilt.stack = `${name}: ${message}`;
  return Object.assign(rebuilt, { name }, code === "" ? {} : { code });
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
