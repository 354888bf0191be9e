/** What callers of updates meet. */
import { brand } from "@raftoral/raft-core";
import { WorkflowError } from "../../errors.ts";
import type { RecordedError } from "../../model/failure.ts";
import { shownUpdateName } from "../../model/update.ts";
import { sentence } from "../sentence.ts";
import { rebuiltError } from "./rebuilt-error.ts";

/** The handler of an update threw. The run goes on. */
export class UpdateFailedError extends WorkflowError {
  static {
    brand(UpdateFailedError, "UpdateFailedError");
  }

  override readonly name = "UpdateFailedError";
  readonly runId: string;
  /** The name of the update. */
  readonly update: string;
  /** As it is recorded. */
  readonly failure: RecordedError;

  constructor(runId: string, update: string, failure: RecordedError) {
    super(
      "UPDATE_FAILED",
      `Update ${shownUpdateName(update)} of run ${runId} failed: ${failure.name}: ${sentence(failure.message)}`,
      {
        cause: rebuiltError(failure),
        details: { runId, update, failure },
      },
    );
    this.runId = runId;
    this.update = update;
    this.failure = failure;
  }
}
