/** What a body meets instead of the answer to a token. */
import { brand } from "@raftoral/raft-core";
import { WorkflowError } from "../../errors.ts";
import type { RecordedError } from "../../model/failure.ts";
import { rebuiltError } from "./rebuilt-error.ts";

/** A token was not answered in time. It is recorded: the body meets the same error at every replay, and later answers are refused. */
export class TokenExpiredError extends WorkflowError {
  static {
    brand(TokenExpiredError, "TokenExpiredError");
  }

  override readonly name = "TokenExpiredError";
  /** The token's path. */
  readonly token: string;

  constructor(token: string) {
    super(
      "TOKEN_EXPIRED",
      `Token ${token} was not answered in time. Give out another one, or go on without an answer.`,
      {
        details: { token },
      },
    );
    this.token = token;
  }
}

/** Somebody outside has answered a token with a failure. It is recorded: the body meets the same error at every replay. */
export class TokenFailedError extends WorkflowError {
  static {
    brand(TokenFailedError, "TokenFailedError");
  }

  override readonly name = "TokenFailedError";
  /** The token's path. */
  readonly token: string;
  /** The failure, as recorded. */
  readonly failure: RecordedError;

  constructor(token: string, failure: RecordedError) {
    super("TOKEN_FAILED", `Token ${token} was answered with a failure: ${failure.message}`, {
      details: { token, failure },
      cause: rebuiltError(failure),
    });
    this.token = token;
    this.failure = failure;
  }
}
