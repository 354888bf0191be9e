/** What an agent's body, and its model, are told of calls that fail. */
import { brand, RaftoralError } from "@raftoral/raft-core";
import type { RecordedError, StepFailedError } from "@raftoral/workflow";

/** Codes of this package. */
export type AgentErrorCode =
  | "APPROVAL_UNKNOWN"
  | "DOWNLOAD_NOT_GIVEN"
  | "MODEL_CALL_REFUSED"
  | "MODEL_UNSUPPORTED"
  | "TOOL_CALL_REFUSED"
  | "TOOL_FAILED";

/** A failure of an agent that is not the engine's: its code says which. */
export class AgentError extends RaftoralError<AgentErrorCode> {
  static {
    brand(AgentError, "AgentError");
  }

  override readonly name: string = "AgentError";
}

/** The step of a tool has failed for good. The message is that of the tool's own error: the SDK hands it to the model. */
export class ToolFailedError extends AgentError {
  static {
    brand(ToolFailedError, "ToolFailedError");
  }

  override readonly name = "ToolFailedError";
  readonly toolName: string;
  /** The tool's error, as recorded. */
  readonly failure: RecordedError;

  constructor(toolName: string, cause: StepFailedError) {
    super("TOOL_FAILED", cause.failure.message, { cause, details: { toolName, attempts: cause.attempts } });
    this.toolName = toolName;
    this.failure = cause.failure;
  }
}

/** Why a call that needs approval is not carried out. */
export type RefusalReason = "refused" | "expired" | "not-asked";

/** A call of a tool that needs approval is not carried out. The SDK hands the message to the model. */
export class ToolCallRefusedError extends AgentError {
  static {
    brand(ToolCallRefusedError, "ToolCallRefusedError");
  }

  override readonly name = "ToolCallRefusedError";
  readonly toolName: string;
  /** `refused`: by an answer. `expired`: no answer came in time. `not-asked`: the step that asks for it failed. */
  readonly reason: RefusalReason;

  constructor(
    toolName: string,
    message: string,
    options: { readonly reason: RefusalReason; readonly cause?: unknown },
  ) {
    const { reason, cause } = options;
    super("TOOL_CALL_REFUSED", message, { cause, details: { toolName, reason } });
    this.toolName = toolName;
    this.reason = reason;
  }
}
