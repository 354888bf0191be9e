/**
 * The approval of a tool's call, by somebody outside of the run.
 *
 * AP1. Only an answer that says `approved: true` is an approval. Another answer, a failure, the end of the time and a request that could not be made are refusals, and the
 *      model is told why.
 * AP2. The token goes to the step that asks, and nowhere else: who has it can approve.
 */
import {
  type Duration,
  type StepContext,
  StepFailedError,
  type StepOptions,
  TokenExpiredError,
  TokenFailedError,
  type WorkflowContext,
} from "@raftoral/workflow";
import type { ChunkWriter } from "../chunks/chunk-writer.ts";
import { ToolCallRefusedError } from "../errors.ts";

/** What somebody is asked to approve. */
export interface ApprovalRequest<Input = unknown> {
  readonly runId: string;
  readonly toolCallId: string;
  readonly toolName: string;
  /** What the tool is called with. */
  readonly input: Input;
  /** Answers the request: `workflows.answer(token, { approved: true })`, or `raftoral answer`. Who has it can approve: hand it to those who may. */
  readonly token: string;
}

/** The answer to a request. Anything that is not `approved: true` refuses. */
export interface ApprovalAnswer {
  readonly approved: boolean;
  /** For the model, when the call is refused. */
  readonly reason?: string;
}

/** How the calls of one tool are approved. */
export interface ApprovalOptions<Input = unknown> {
  /** Asks for the approval, by mail or in a queue: a step, which may run more than once. Its errors are tried again as its `step` says. */
  readonly ask: (request: ApprovalRequest<Input>, step: StepContext) => unknown;
  /** Whether this call needs an approval (all do). Code of the body: the same for the same input. */
  readonly when?: (input: Input) => boolean;
  /** How long an answer may take; then the call is refused. As long as it takes by default. */
  readonly timeout?: Duration;
  /** Options of the step that asks. */
  readonly step?: StepOptions;
}

/** A call of a tool. */
export interface AskedCall {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly input: unknown;
}

/** Resolves once the call is approved, or needs no approval. Rejects with ToolCallRefusedError (AP1). `ctx` is of the call's own scope. */
export async function approved(
  ctx: WorkflowContext,
  call: AskedCall,
  options: ApprovalOptions<never>,
  chunks: ChunkWriter,
): Promise<void> {
  const { ask, when, timeout, step } = options as ApprovalOptions;
  const { toolCallId } = call;
  if (when?.(call.input) === false) return;
  const token = await ctx.token("approval", timeout === undefined ? {} : { timeout });
  const request = { ...call, runId: ctx.runId, token: token.id };
  try {
    await ctx.step("ask", async (own) => void (await ask(request, own)), step);
  } catch (error) {
    if (!(error instanceof StepFailedError)) throw error;
    throw notAsked(call, error);
  }
  chunks.tell({ type: "tool-approval-request", approvalId: toolCallId, toolCallId, isAutomatic: true });
  const refusal = await token.answer().then(
    (answer) => refusalOf(call, answer),
    (error) => failedAnswer(call, error),
  );
  chunks.tell({ type: "tool-approval-response", approvalId: toolCallId, approved: refusal === undefined });
  if (refusal === undefined) return;
  chunks.tell({ type: "tool-output-denied", toolCallId });
  throw refusal;
}

function refusalOf(call: AskedCall, answer: unknown): ToolCallRefusedError | undefined {
  const field = (name: string): unknown =>
    typeof answer === "object" && answer !== null ? Reflect.get(answer, name) : undefined;
  if (field("approved") === true) return undefined;
  const reason = field("reason");
  return refused(call, typeof reason === "string" && reason !== "" ? reason : undefined);
}

function failedAnswer(call: AskedCall, error: unknown): ToolCallRefusedError {
  if (error instanceof TokenFailedError) return refused(call, error.failure.message, error);
  if (!(error instanceof TokenExpiredError)) throw error;
  const message = `The call of ${call.toolName} was not carried out: it needs an approval, and no answer came in time.`;
  return new ToolCallRefusedError(call.toolName, message, { reason: "expired", cause: error });
}

function refused({ toolName }: AskedCall, reason: string | undefined, cause?: unknown): ToolCallRefusedError {
  const why = reason === undefined ? "." : `: ${reason.replace(/\.?$/, ".")}`;
  const message = `The call of ${toolName} was not carried out: it needs an approval, which was refused${why}`;
  return new ToolCallRefusedError(toolName, message, { reason: "refused", cause });
}

function notAsked({ toolName }: AskedCall, cause: StepFailedError): ToolCallRefusedError {
  const message = `The call of ${toolName} was not carried out: it needs an approval, and asking for it failed: ${cause.failure.message}`;
  return new ToolCallRefusedError(toolName, message, { reason: "not-asked", cause });
}
