import { APICallError, generateText, streamText } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { type StepOptions, type WorkflowContext, workflow } from "raftoral";
import { TestCluster } from "raftoral/testing";
import { describe, expect, test } from "vitest";
import { durable } from "../durable.ts";
import type { AgentModel, AnswerPart, GeneratedAnswer, ModelCall } from "../sdk/language-model.ts";
import { answer, partsOf } from "../testing/mock-answers.ts";

const ANSWER = answer("Tea costs 40.");

/** A cluster with a workflow that asks the model once, and gives what `seen` makes of it. */
async function asking(model: AgentModel, ask: (ctx: WorkflowContext, model: AgentModel) => Promise<unknown>) {
  const agent = workflow("agent", { version: 1 }, async (ctx) => ({ seen: await ask(ctx, model) }));
  const cluster = await TestCluster.start({ workflows: [agent], nodes: 1 });
  const run = await cluster.workflows.start(agent, undefined, { runId: "agent-1" });
  return { cluster, run, [Symbol.asyncDispose]: () => cluster.stop() };
}

const generated = async (ctx: WorkflowContext, model: AgentModel): Promise<string> =>
  (await generateText({ ...durable(ctx, { model }), prompt: "tea" })).text;

const streamed = async (ctx: WorkflowContext, model: AgentModel): Promise<string> =>
  await streamText({ ...durable(ctx, { model }), prompt: "tea", onError: () => {} }).text;

function refusal(statusCode: number, responseHeaders: Record<string, string> = {}): APICallError {
  return new APICallError({
    message: "not now",
    url: "https://model.example",
    requestBodyValues: {},
    statusCode,
    responseHeaders,
  });
}

/** A model that goes through `answers`, one for each attempt: an error is thrown. */
function failing(...answers: readonly (Error | GeneratedAnswer | readonly AnswerPart[])[]) {
  let asked = 0;
  const next = (): GeneratedAnswer | readonly AnswerPart[] => {
    const given = answers[asked++];
    if (given === undefined || given instanceof Error) throw given;
    return given;
  };
  const model = new MockLanguageModelV4({
    doGenerate: async () => next() as GeneratedAnswer,
    doStream: async () => ({ stream: ReadableStream.from(next() as readonly AnswerPart[]) }),
  });
  return { model, asked: () => asked };
}

describe("an answer", () => {
  test("has what the provider said: times, bytes, headers, usage, metadata, and not the bodies", async () => {
    const full: GeneratedAnswer = {
      ...ANSWER,
      content: [
        { type: "file", mediaType: "image/png", data: { type: "data", data: new Uint8Array([1, 2, 255]) } },
        { type: "text", text: "Tea.", providerMetadata: { mock: { cached: true } } },
      ],
      providerMetadata: { mock: { region: "north" } },
      warnings: [],
      request: { url: "https://model.example/v1", body: { secret: "a long prompt" } },
      response: {
        id: "theirs",
        timestamp: new Date(5),
        modelId: "mock-2",
        headers: { "x-limit": "9" },
        body: { at: () => 1 },
      },
    };
    let shown: unknown;
    await using world = await asking(new MockLanguageModelV4({ doGenerate: full }), async (ctx, model) => {
      const result = await generateText({ ...durable(ctx, { model }), prompt: "tea", include: { responseBody: true } });
      const { id, timestamp, modelId, headers, body } = result.response;
      shown = { id, timestamp, modelId, headers, body };
      const { bytes, metadata, usage } = {
        bytes: [...(result.files[0]?.uint8Array ?? [])],
        metadata: result.providerMetadata,
        usage: result.usage.inputTokens,
      };
      return { bytes, metadata, usage };
    });
    expect(await world.run.result()).toEqual({
      seen: { bytes: [1, 2, 255], metadata: { mock: { region: "north" } }, usage: 10 },
    });
    expect(shown).toEqual({
      id: "theirs",
      timestamp: new Date(5),
      modelId: "mock-2",
      headers: { "x-limit": "9" },
      body: undefined,
    });
    for await (const { value } of world.run.history())
      expect(new TextDecoder().decode(value.bytes)).not.toContain("a long prompt");
  });

  test("that JSON does not carry fails the step at once, with the place", async () => {
    const odd = { ...ANSWER, providerMetadata: { mock: { run: () => 1 } } } as unknown as GeneratedAnswer;
    const { model, asked } = failing(odd, ANSWER);
    await using world = await asking(model, generated);
    await expect(world.run.result()).rejects.toThrow("at providerMetadata.mock.run there is a function");
    expect(asked()).toBe(1);
  });

  test("in parts is recorded in few of them", async () => {
    const parts = partsOf(answer("word ".repeat(1000)));
    const { model } = failing(parts);
    await using world = await asking(model, streamed);
    expect(await world.run.result()).toEqual({ seen: "word ".repeat(1000) });
    const sizes: number[] = [];
    for await (const { value } of world.run.history()) sizes.push(value.bytes.length);
    expect(Math.max(...sizes)).toBeLessThan(6_000);
  });
});

describe("a failed call", () => {
  test.each([
    ["generateText", generated, ANSWER],
    ["streamText", streamed, partsOf(ANSWER)],
  ])("is tried again by the step, when the provider says: %s", async (_, ask, last) => {
    const { model, asked } = failing(refusal(429, { "retry-after": "600" }), refusal(503), last);
    await using world = await asking(model, ask);
    const beganMs = world.cluster.time.now.getTime();
    expect(await world.run.result()).toEqual({ seen: "Tea costs 40." });
    expect(asked()).toBe(3);
    const tookMs = world.cluster.time.now.getTime() - beganMs;
    expect(tookMs).toBeGreaterThanOrEqual(601_000);
    expect(tookMs).toBeLessThan(610_000);
  });

  test("that the provider calls final is not", async () => {
    const { model, asked } = failing(refusal(400), ANSWER);
    await using world = await asking(model, generated);
    await expect(world.run.result()).rejects.toThrow("Model mock-provider/mock-model-id refused the call");
    expect(asked()).toBe(1);
  });

  test("of a stream that breaks is tried again: cut, or with an error in it", async () => {
    const broken = [
      { type: "text-start", id: "0" },
      { type: "error", error: { message: "overloaded" } },
    ] as const;
    const { model, asked } = failing(partsOf(ANSWER).slice(0, 3), broken, partsOf(ANSWER));
    await using world = await asking(model, streamed);
    expect(await world.run.result()).toEqual({ seen: "Tea costs 40." });
    expect(asked()).toBe(3);
  });

  test("of a provider that falls silent ends after the heartbeat timeout, and its request is aborted", async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const model = new MockLanguageModelV4({
      doStream: async ({ abortSignal }: ModelCall) => {
        signals.push(abortSignal);
        const parts = signals.length === 1 ? partsOf(ANSWER).slice(0, 3) : partsOf(ANSWER);
        return {
          stream: new ReadableStream<AnswerPart>({
            start(controller) {
              for (const part of parts) controller.enqueue(part);
              if (signals.length > 1) controller.close();
            },
          }),
        };
      },
    });
    await using world = await asking(model, streamed);
    expect(await world.run.result()).toEqual({ seen: "Tea costs 40." });
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, false]);
  });

  test("is not a call whose answer comes slowly, part by part", async () => {
    let pause: (ms: number) => Promise<void> = async () => {};
    let asked = 0;
    async function* slowly(): AsyncGenerator<AnswerPart> {
      asked += 1;
      for (const part of partsOf(answer("one two three four five"))) {
        await pause(3 * 60_000);
        yield part;
      }
    }
    const model = new MockLanguageModelV4({ doStream: async () => ({ stream: ReadableStream.from(slowly()) }) });
    await using world = await asking(model, streamed);
    pause = (ms) => world.cluster.after(ms);
    expect(await world.run.result()).toEqual({ seen: "one two three four five" });
    expect(asked).toBe(1);
  });

  test("has as many attempts as its options say", async () => {
    const modelStep: StepOptions = { retry: { attempts: 2 } };
    const { model, asked } = failing(refusal(503), refusal(503), ANSWER);
    await using world = await asking(
      model,
      async (ctx) => await generateText({ ...durable(ctx, { model, modelStep }), prompt: "tea" }),
    );
    await expect(world.run.result()).rejects.toThrow("not now");
    expect(asked()).toBe(2);
  });
});

describe("a call under way", () => {
  /** A model that never answers, and ends with its signal, as `fetch` does. */
  function silent() {
    const signals: AbortSignal[] = [];
    const model = new MockLanguageModelV4({
      doGenerate: ({ abortSignal }: ModelCall) =>
        new Promise((_, reject) => {
          if (abortSignal === undefined) throw new Error("no signal");
          signals.push(abortSignal);
          abortSignal.addEventListener("abort", () => reject(abortSignal.reason));
        }),
    });
    return { model, signals };
  }

  test("is aborted when the run is cancelled, with the signal of the run or without", async () => {
    for (const withSignal of [true, false]) {
      const { model, signals } = silent();
      await using world = await asking(model, (ctx) =>
        generateText({ ...durable(ctx, { model }), prompt: "tea", ...(withSignal ? { abortSignal: ctx.signal } : {}) }),
      );
      await world.cluster.time.untilIdle();
      expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
      await world.run.cancel();
      await world.run.wait();
      expect((await world.run.describe()).status).toBe("cancelled");
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    }
  });

  test("is aborted with the signal that the body gave, and not tried again", async () => {
    const { model, signals } = silent();
    await using world = await asking(model, async (ctx) => {
      const enough = new AbortController();
      const asked = generateText({ ...durable(ctx, { model }), prompt: "tea", abortSignal: enough.signal });
      const failed = asked.catch((error: unknown) => (error as Error).name);
      await ctx.sleep("5s");
      enough.abort();
      return [await failed, await ctx.step("after", () => "goes on")];
    });
    expect(await world.run.result()).toEqual({ seen: ["AbortError", "goes on"] });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test("ends with the time limit of its scope", async () => {
    const { model, signals } = silent();
    await using world = await asking(model, async (ctx) => {
      const late = ctx.scope("quick", (own) => generateText({ ...durable(own, { model }), prompt: "tea" }), {
        timeout: "5s",
      });
      return await late.catch((error: unknown) => (error as Error).name);
    });
    expect(await world.run.result()).toEqual({ seen: "ScopeTimeoutError" });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });
});
