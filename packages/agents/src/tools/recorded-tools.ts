/**
 * Tools whose calls are steps.
 *
 * RT1. Each call has a scope of its own: calls that the model makes in parallel have records of their own, whatever their order.
 * RT2. A call is approved before its step begins, where the tool needs it.
 * RT3. The SDK gets what is recorded, on the first run too: an output comes back as it was given (packed-value.ts).
 * RT4. A call that fails is told to the model by its own message, and the agent goes on. A cancellation is no failure of the tool: it ends the body at its next call.
 */
import { type StepContext, StepFailedError, type StepOptions, type WorkflowContext } from "@raftoral/workflow";
import type { ToolExecutionOptions, ToolSet } from "ai";
import type { ChunkWriter } from "../chunks/chunk-writer.ts";
import { ToolFailedError } from "../errors.ts";
import { packed, shown, unpacked } from "../packed-value.ts";
import { type ApprovalOptions, type AskedCall, approved } from "./approval.ts";
import { inStep } from "./tool-step.ts";

/** What a tool is called with. */
type InputOf<Of> = Of extends { readonly execute?: infer Run }
  ? Run extends (input: infer Input, options: never) => unknown
    ? Input
    : never
  : never;

/** Approvals by the name of the tool. */
export type Approvals<Tools extends ToolSet> = {
  readonly [Name in keyof Tools]?: ApprovalOptions<InputOf<Tools[Name]>>;
};

/** Options of the steps of tools, by the name of the tool. */
export type ToolSteps<Tools extends ToolSet> = { readonly [Name in keyof Tools]?: StepOptions };

/** What {@link recordedTools} is given. */
export interface RecordedToolsParts<Tools extends ToolSet> {
  readonly ctx: WorkflowContext;
  readonly tools: Tools;
  readonly approvals: Approvals<Tools>;
  readonly steps: ToolSteps<Tools>;
  readonly chunks: ChunkWriter;
}

/** The execution of a tool, without the types of its input and output. */
type Execute = (input: unknown, options: ToolExecutionOptions<unknown>) => unknown;

/** A tool, as far as it is recorded. */
interface ToolParts {
  readonly execute?: Execute;
}

/** The same tools, with recorded calls (RT1 to RT4). Tools without `execute` stay as they are. */
export function recordedTools<Tools extends ToolSet>(parts: RecordedToolsParts<Tools>): Tools {
  // The SDK checks each input by the tool's schema before it calls the tool.
  const tools = Object.entries(parts.tools as Readonly<Record<string, ToolParts>>);
  const recorded = tools.map(([name, tool]): [string, ToolParts] => {
    const { execute } = tool;
    return [
      name,
      execute === undefined ? tool : { ...tool, execute: recordedExecute(parts, name, execute.bind(tool)) },
    ];
  });
  // Names and types are those of the tools.
  return Object.fromEntries(recorded) as unknown as Tools;
}

function recordedExecute<Tools extends ToolSet>(
  parts: RecordedToolsParts<Tools>,
  toolName: string,
  execute: Execute,
): Execute {
  const { ctx, chunks } = parts;
  const approval: ApprovalOptions<never> | undefined = parts.approvals[toolName];
  const stepOptions = parts.steps[toolName];
  return (input, options) => {
    const { toolCallId, abortSignal } = options;
    const call: AskedCall = { toolCallId, toolName, input };
    const run = async (own: WorkflowContext): Promise<unknown> => {
      if (approval !== undefined) await approved(own, call, approval, chunks);
      try {
        const output = await own.step(toolName, (step) => executed(step, execute, call, options, chunks), stepOptions);
        chunks.tell({ type: "tool-output-available", toolCallId, output: shown(output) });
        return unpacked(output);
      } catch (error) {
        if (!(error instanceof StepFailedError)) throw error;
        chunks.tell({ type: "tool-output-error", toolCallId, errorText: error.failure.message });
        throw new ToolFailedError(toolName, error);
      }
    };
    return ctx.scope("tool", run, abortSignal === undefined ? {} : { signal: abortSignal });
  };
}

/** The function of a call's step: gives the output, packed. Of several outputs the last one counts. */
async function executed(
  step: StepContext,
  execute: Execute,
  { toolCallId, toolName, input }: AskedCall,
  options: ToolExecutionOptions<unknown>,
  chunks: ChunkWriter,
): Promise<unknown> {
  const what = `the output of tool ${toolName}`;
  const result = execute(input, inStep({ ...options, abortSignal: step.signal }, step));
  if (!isAsyncIterable(result)) return packed(await result, what);
  let last = packed(undefined, what);
  for await (const output of result) {
    step.signal.throwIfAborted();
    step.heartbeat();
    last = packed(output, what);
    await chunks.write([{ type: "tool-output-available", toolCallId, output: shown(last), preliminary: true }]);
  }
  return last;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
