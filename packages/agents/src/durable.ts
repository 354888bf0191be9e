/**
 * The settings that make a call of the AI SDK durable, in the body of a workflow: `generateText({ ...durable(ctx, { model, tools }), prompt })`.
 *
 * DU1. The SDK runs in the body, and again at each replay. It does nothing by itself there: the model, the tools and the downloads it calls are steps.
 * DU2. What the SDK makes up (ids) follows from the run's seed, and what it measures from the record. Two durations are left to its own clock: those of tool calls, in
 *      `performance`, and those of its telemetry. Let them decide nothing.
 * DU3. The SDK tries nothing again: steps do.
 * DU4. An error that ends a streamed answer is a line of the node's log, and not of the console, once and not on replay.
 */
import {
  BranchCancelledError,
  CancelledError,
  ScopeTimeoutError,
  type StepOptions,
  type StreamDefinition,
  type WorkflowContext,
} from "@raftoral/workflow";
import type { Experimental_DownloadFunction as Download, ToolSet } from "ai";
import type { AgentChunk } from "./chunks/agent-chunk.ts";
import { ChunkWriter } from "./chunks/chunk-writer.ts";
import { AgentError } from "./errors.ts";
import { MODEL_STEP, RecordedModel } from "./model/recorded-model.ts";
import type { AgentModel } from "./sdk/language-model.ts";
import { RecordedClock } from "./sdk/recorded-clock.ts";
import { recordedDownload } from "./sdk/recorded-download.ts";
import { type Approvals, recordedTools, type ToolSteps } from "./tools/recorded-tools.ts";

/** What {@link durable} is given. Defaults in parentheses. */
export interface DurableOptions<Tools extends ToolSet = ToolSet> {
  /** The language model, as its provider gives it. */
  readonly model: AgentModel;
  /** Tools whose calls are steps. A tool that uses `ctx` itself (a child workflow, a sleep) is no step: give it to the SDK beside these. */
  readonly tools?: Tools;
  /** Tools whose calls somebody has to approve, by name. */
  readonly approvals?: Approvals<Tools>;
  /** The stream that readers follow the agent on: `agentStream("answer")`. None by default. */
  readonly stream?: StreamDefinition<AgentChunk, unknown>;
  /**
   * Options of the steps that ask the model (eight attempts within about two minutes; half an hour for an attempt; five minutes without a part of a streamed answer). Each
   * one given replaces its default.
   */
  readonly modelStep?: StepOptions;
  /** Options of the steps of tools, by name (a step's: five attempts within three seconds). */
  readonly toolSteps?: ToolSteps<Tools>;
  /** Downloads files of prompts whose URLs the model does not read itself; runs as a step. Without it such a prompt is refused. */
  readonly download?: Download;
}

/** Settings for `generateText`, `streamText` and agents of the SDK. Spread them. */
export interface DurableParts<Tools extends ToolSet> {
  readonly model: AgentModel;
  readonly tools: Tools;
  /** None: the steps try again (DU3). */
  readonly maxRetries: 0;
  readonly experimental_download: Download;
  /** Where `streamText` reports errors (DU4). */
  readonly onError: (event: { readonly error: unknown }) => void;
  /** The SDK's own entry for clocks and ids (DU2). */
  readonly _internal: {
    readonly now: () => number;
    readonly generateId: () => string;
    readonly generateCallId: () => string;
  };
}

/**
 * Makes the settings that a call of the SDK is durable with, of a model and its tools. Call it in the body, once for each call of the SDK or once for all; branches that run at
 * once need a `ctx.scope` each. Throws MODEL_UNSUPPORTED, and APPROVAL_UNKNOWN for an approval of a tool that there is not.
 */
export function durable<Tools extends ToolSet = Record<never, never>>(
  ctx: WorkflowContext,
  options: DurableOptions<Tools>,
): DurableParts<Tools> {
  const { model, approvals = {}, stream, modelStep, toolSteps = {}, download } = options;
  const chunks = new ChunkWriter(ctx, stream);
  const clock = new RecordedClock();
  const ids = ctx.uuid();
  let count = 0;
  const generateId = (): string => `${ids}-${count++}`;
  // Without tools, there are none to name.
  const tools = options.tools ?? ({} as Tools);
  assertApprovals(tools, approvals);
  return {
    model: new RecordedModel({ ctx, model, options: { ...MODEL_STEP, ...modelStep }, chunks, clock }),
    tools: recordedTools({ ctx, tools, approvals, steps: toolSteps, chunks }),
    maxRetries: 0,
    experimental_download: recordedDownload(ctx, download),
    onError: ({ error }) => {
      if (!isCancellation(error)) ctx.log.warn({ error: String(error) }, "An agent's call of its model has failed");
    },
    _internal: { now: clock.now, generateId, generateCallId: generateId },
  };
}

/** Whether a call was ended from outside, which is no failure of the model. */
function isCancellation(error: unknown): boolean {
  return [CancelledError, BranchCancelledError, ScopeTimeoutError].some((kind) => error instanceof kind);
}

/** A misspelt name would let the tool run without approval. */
function assertApprovals(tools: ToolSet, approvals: object): void {
  const stray = Object.keys(approvals).find((name) => !Object.hasOwn(tools, name));
  if (stray === undefined) return;
  const known = Object.keys(tools).sort().join(", ") || "none";
  throw new AgentError(
    "APPROVAL_UNKNOWN",
    `There is no tool ${stray} that could need approval. The tools are: ${known}. Correct the name.`,
    {
      details: { tool: stray },
    },
  );
}
