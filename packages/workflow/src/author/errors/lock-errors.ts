/** What a body meets instead of a lock. */
import { brand } from "@raftoral/raft-core";
import { WorkflowError } from "../../errors.ts";

/** A lock or a permit was not granted in time. In a body it is recorded: the body meets the same error at every replay. Nothing is held, and nothing waits any more. */
export class LockTimeoutError extends WorkflowError {
  static {
    brand(LockTimeoutError, "LockTimeoutError");
  }

  override readonly name = "LockTimeoutError";
  /** The lock's name. */
  readonly lock: string;

  constructor(lock: string) {
    super(
      "LOCK_TIMEOUT",
      `Lock ${lock} was not granted in time. Look who holds it, and try again or go on without it.`,
      {
        details: { lock },
      },
    );
    this.lock = lock;
  }
}

/** What is said of a body that asks for a lock that it holds around the call. */
export function lockNested(lock: string): WorkflowError {
  return new WorkflowError(
    "LOCK_NESTED",
    `Lock ${lock} was asked for where the body holds it already, and would wait for itself for ever. Nothing was done. Ask for it once, around all that needs it.`,
    { details: { lock } },
  );
}
