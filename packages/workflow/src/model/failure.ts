/** Errors as they are recorded: shown alike on every node. On the wire a `raftoral.WorkflowFailure`. */

import type { WireReader } from "@raftoral/raft-core/wire";
import { WorkflowError } from "../errors.ts";
import { writerOf } from "../wire/command-wire.ts";
import type { MessageCodec } from "../wire/wire-types.ts";

/** An error as it is recorded. */
export interface RecordedError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  /** What led to it. */
  readonly cause?: RecordedError;
  /** The errors of an AggregateError. */
  readonly errors?: readonly RecordedError[];
  /** Base64 of the whole failure as a payload codec has encoded it: name and code are all that can be read without it. */
  readonly sealed?: string;
}

/** Deepest cause that is read. Recorded errors are less deep, so only bytes from elsewhere reach it. */
const MAX_ERROR_DEPTH = 32;

/** An absent code, stack or sealed part and an empty one are the same, and so are absent errors and none. */
export const failureCodec: MessageCodec<RecordedError> = {
  write: (to, error) => {
    to.string(1, error.name);
    to.string(2, error.message);
    to.string(3, error.code ?? "");
    to.string(4, error.stack ?? "");
    if (error.cause !== undefined) to.message(5, encodeFailure(error.cause));
    for (const one of error.errors ?? []) to.message(6, encodeFailure(one));
    to.string(7, error.sealed ?? "");
  },
  read: (from) => read(from, 0),
};

/** The bytes of {@link failureCodec}. */
export function encodeFailure(error: RecordedError): Uint8Array {
  const to = writerOf(256);
  failureCodec.write(to, error);
  return to.finish();
}

function read(from: WireReader, depth: number): RecordedError {
  if (depth > MAX_ERROR_DEPTH) {
    throw new WorkflowError("COMMAND_INVALID", `A recorded error has more than ${MAX_ERROR_DEPTH} causes. Send fewer.`);
  }
  let [name, message, code, stack, sealed] = ["", "", "", "", ""];
  let cause: RecordedError | undefined;
  const errors: RecordedError[] = [];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) name = from.string();
    else if (field === 2) message = from.string();
    else if (field === 3) code = from.string();
    else if (field === 4) stack = from.string();
    else if (field === 5) cause = read(from.message(), depth + 1);
    else if (field === 6) errors.push(read(from.message(), depth + 1));
    else if (field === 7) sealed = from.string();
    else from.skip();
  }
  return {
    name,
    message,
    ...(code === "" ? {} : { code }),
    ...(stack === "" ? {} : { stack }),
    ...(cause === undefined ? {} : { cause }),
    ...(errors.length === 0 ? {} : { errors }),
    ...(sealed === "" ? {} : { sealed }),
  };
}
