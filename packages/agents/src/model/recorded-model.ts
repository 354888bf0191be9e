/**
 * A language model whose answers are recorded: what the AI SDK calls in the body of a workflow.
 *
 * RM1. Each call is a step, in a scope of its own: the provider is asked in the step, and a replay gets the recorded answer. So a call whose answer is recorded is never paid
 *      for again.
 * RM2. The SDK gets what is recorded, on the first run too: a streamed answer reaches the body when it is complete. Readers of the agent's stream see it as it comes.
 * RM3. A call ends with its run, its branch, its time limits and the caller's signal: the provider's request is aborted.
 * RM4. What repeats the call or the answer in the provider's format (the bodies of request and response) is not recorded.
 */
import { type StepContext, type StepOptions, TerminalError, type WorkflowContext } from "@raftoral/workflow";
import { chunksOfContent, chunksOfPart } from "../chunks/agent-chunk.ts";
import type { ChunkWriter } from "../chunks/chunk-writer.ts";
import { AgentError } from "../errors.ts";
import { packed, unpacked } from "../packed-value.ts";
import type { AgentModel, AnswerPart, GeneratedAnswer, ModelCall, StreamedAnswer } from "../sdk/language-model.ts";
import type { RecordedClock } from "../sdk/recorded-clock.ts";
import { CollectedParts, type KnownResponse } from "./collected-parts.ts";
import { modelFailure } from "./model-failure.ts";

/**
 * Attempts for about two minutes, so that a provider's bad moment passes. An attempt ends after half an hour, and after five minutes without a part of the answer: a model that
 * thinks before it speaks is not asked, and paid, again.
 */
export const MODEL_STEP: StepOptions = {
  retry: { attempts: 8, initialDelay: "1s", maxDelay: "1m" },
  timeout: "30m",
  heartbeatTimeout: "5m",
};

/** What a {@link RecordedModel} is made of. */
export interface RecordedModelParts {
  readonly ctx: WorkflowContext;
  readonly model: AgentModel;
  readonly options: StepOptions;
  readonly chunks: ChunkWriter;
  readonly clock: RecordedClock;
}

/** What is recorded of one call: the answer is packed (packed-value.ts). */
interface ModelRecord {
  readonly durationMs: number;
  readonly answer: unknown;
}

/** A model whose calls are steps of a body (RM1 to RM4). Throws MODEL_UNSUPPORTED for a model of another version of the specification. */
export class RecordedModel implements AgentModel {
  readonly specificationVersion = "v4";
  readonly #parts: RecordedModelParts;

  constructor(parts: RecordedModelParts) {
    const { specificationVersion } = parts.model;
    if (specificationVersion !== "v4") {
      throw new AgentError(
        "MODEL_UNSUPPORTED",
        `The model has version ${String(specificationVersion)} of the AI SDK's specification, and only v4 is recorded. Give an object of a current provider, or wrap it: wrapLanguageModel({ model, middleware: [] }).`,
      );
    }
    this.#parts = parts;
  }

  get provider(): string {
    return this.#parts.model.provider;
  }

  get modelId(): string {
    return this.#parts.model.modelId;
  }

  get supportedUrls(): AgentModel["supportedUrls"] {
    return this.#parts.model.supportedUrls;
  }

  async doGenerate(call: ModelCall): Promise<GeneratedAnswer> {
    const { model, chunks, options } = this.#parts;
    // An answer that comes at once has no heartbeats.
    const { heartbeatTimeout: _, ...limits } = options;
    const answer = await this.#recorded("generate", call, limits, async (step, own) => {
      const { request, response, ...given } = await model.doGenerate(own);
      await chunks.write([
        { type: "start-step" },
        ...given.content.flatMap((content, at) => chunksOfContent(content, String(at))),
      ]);
      const { body: _body, ...known } = { ...this.#response(step), ...response };
      return { ...given, ...withUrl(request), response: known };
    });
    // What was packed is what the model gave.
    return answer as GeneratedAnswer;
  }

  async doStream(call: ModelCall): Promise<StreamedAnswer> {
    const answer = await this.#recorded("stream", call, this.#parts.options, async (step, own) => {
      const { stream, request, response } = await this.#parts.model.doStream(own);
      return {
        parts: await this.#read(step, stream),
        ...withUrl(request),
        ...(response === undefined ? {} : { response }),
      };
    });
    // What was packed is what the model gave, with its parts in a list.
    const { parts, ...rest } = answer as Omit<StreamedAnswer, "stream"> & { readonly parts: readonly AnswerPart[] };
    return { ...rest, stream: streamOf(parts) };
  }

  async #read(step: StepContext, stream: ReadableStream<AnswerPart>): Promise<readonly AnswerPart[]> {
    const { chunks } = this.#parts;
    const collected = new CollectedParts();
    await chunks.write([{ type: "start-step" }]);
    for await (const part of stream) {
      step.signal.throwIfAborted();
      step.heartbeat();
      if (part.type === "error") throw part.error;
      collected.add(part);
      await chunks.write(chunksOfPart(part));
    }
    if (!collected.isFinished) {
      throw new Error(
        `The answer of model ${this.#shown} ended before it was complete. The connection may have been cut.`,
      );
    }
    return collected.all(this.#response(step));
  }

  async #recorded(
    name: string,
    call: ModelCall,
    options: StepOptions,
    ask: (step: StepContext, call: ModelCall) => Promise<unknown>,
  ): Promise<unknown> {
    const { ctx, clock } = this.#parts;
    const { abortSignal } = call;
    const record = await ctx.scope(
      "model",
      (own) => own.step(name, (step) => this.#asked(step, call, ask), options),
      abortSignal === undefined ? {} : { signal: abortSignal },
    );
    clock.passed(record.durationMs);
    return unpacked(record.answer);
  }

  async #asked(
    step: StepContext,
    call: ModelCall,
    ask: (step: StepContext, call: ModelCall) => Promise<unknown>,
  ): Promise<ModelRecord> {
    const beganMs = performance.now();
    try {
      const answer = await ask(step, { ...call, abortSignal: step.signal });
      return { durationMs: performance.now() - beganMs, answer: packed(answer, `the answer of model ${this.#shown}`) };
    } catch (thrown) {
      if (step.signal.aborted || thrown instanceof TerminalError) throw thrown;
      throw modelFailure(thrown, this.#shown, Date.now());
    }
  }

  #response(step: StepContext): KnownResponse {
    return { id: `answer-${step.idempotencyKey.slice(-12)}`, timestamp: new Date(), modelId: this.modelId };
  }

  get #shown(): string {
    return `${this.provider}/${this.modelId}`;
  }
}

function withUrl(request: { readonly url?: string } | undefined): { request?: { url: string } } {
  return request?.url === undefined ? {} : { request: { url: request.url } };
}

function streamOf(parts: readonly AnswerPart[]): ReadableStream<AnswerPart> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}
