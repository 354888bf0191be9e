/** Recorded errors on the wire. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RecordedFailure } from "../api/runs.ts";
import type { Failure, FailureSchema } from "../gen/raftoral/v1/run_pb.ts";

/** A recorded error as a message. */
export function failureToWire(failure: RecordedFailure): MessageInitShape<typeof FailureSchema> {
  const { name, message, code = "", stack = "", cause, errors = [], sealed = "" } = failure;
  return {
    name,
    message,
    code,
    stack,
    ...(cause === undefined ? {} : { cause: failureToWire(cause) }),
    errors: errors.map(failureToWire),
    sealed,
  };
}

/** The recorded error of a message. */
export function failureFromWire({ name, message, code, stack, cause, errors, sealed }: Failure): RecordedFailure {
  return {
    name,
    message,
    ...(code === "" ? {} : { code }),
    ...(stack === "" ? {} : { stack }),
    ...(cause === undefined ? {} : { cause: failureFromWire(cause) }),
    ...(errors.length === 0 ? {} : { errors: errors.map(failureFromWire) }),
    ...(sealed === "" ? {} : { sealed }),
  };
}
