import { generateId, generateText, isStepCount, Output, streamText, ToolLoopAgent, tool } from "ai";
import { type WorkflowContext, workflow } from "raftoral";
import { TestCluster } from "raftoral/testing";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { durable } from "./durable.ts";
import { answer, call, modelOf } from "./testing/mock-answers.ts";
import type { ApprovalRequest } from "./tools/approval.ts";

const tools = {
  price: tool({ inputSchema: z.object({ id: z.string() }), execute: ({ id }) => `${id} costs 40` }),
  stock: tool({
    inputSchema: z.object({ id: z.string() }),
    execute: async ({ id }) => ({ id, left: 3, at: new Date(0) }),
  }),
};
const ANSWERS = [
  answer(call("price", { id: "A17" }), call("stock", { id: "A17" })),
  answer("It costs 40, three are left."),
];

/** What a body did, with everything that a log line of the node complained of. */
async function done<Result>(body: (ctx: WorkflowContext) => Promise<Result>) {
  const complaints: unknown[] = [];
  const complain = (fields: object, message: string): void => void complaints.push(message, fields);
  const logger = { debug: () => {}, info: () => {}, warn: complain, error: complain };
  const agent = workflow("agent", { version: 1 }, async (ctx) => ({ done: (await body(ctx)) as unknown }));
  await using cluster = await TestCluster.start({ workflows: [agent], nodes: 1, logger });
  const run = await cluster.workflows.start(agent, undefined, { runId: "agent-1" });
  const result = await run.result();
  const history: string[] = [];
  for await (const { path } of run.history()) history.push(path);
  // Nothing but the context's calls has woken the body, and it has used no platform.
  expect([complaints, cluster.platformUses]).toEqual([[], []]);
  return { result: result.done, history };
}

describe("with durable settings, the AI SDK works in a body:", () => {
  test("generateText, with tools that are called in parallel", async () => {
    const { model, calls } = modelOf(ANSWERS);
    const { result, history } = await done(async (ctx) => {
      const { text, steps, totalUsage } = await generateText({
        ...durable(ctx, { model, tools }),
        prompt: "What about A17?",
        stopWhen: isStepCount(5),
      });
      return { text, outputs: steps[0]?.toolResults.map(({ output }) => output), tokens: totalUsage.totalTokens };
    });
    expect(result).toEqual({
      text: "It costs 40, three are left.",
      outputs: ["A17 costs 40", { id: "A17", left: 3, at: "1970-01-01T00:00:00.000Z" }],
      tokens: 30,
    });
    expect(history.toSorted()).toEqual(["model#1/generate#0", "model/generate#0", "tool#1/stock#0", "tool/price#0"]);
    expect(calls.length).toBe(2);
    expect(JSON.stringify(calls[1]?.prompt)).toContain("A17 costs 40");
  });

  test("streamText", async () => {
    const { model } = modelOf(ANSWERS);
    const { result, history } = await done(async (ctx) => {
      const streamed = streamText({
        ...durable(ctx, { model, tools }),
        prompt: "What about A17?",
        stopWhen: isStepCount(5),
      });
      let said = "";
      for await (const text of streamed.textStream) said += text;
      const [text, { totalTokens }, steps] = await Promise.all([streamed.text, streamed.totalUsage, streamed.steps]);
      return { said, text, totalTokens, ids: steps.map(({ response }) => response.id.length) };
    });
    expect(result).toEqual({
      said: "It costs 40, three are left.",
      text: "It costs 40, three are left.",
      totalTokens: 30,
      ids: [19, 19],
    });
    expect(history.toSorted()).toEqual(["model#1/stream#0", "model/stream#0", "tool#1/stock#0", "tool/price#0"]);
  });

  test("an agent of the SDK", async () => {
    const { model, calls } = modelOf(ANSWERS);
    const { result } = await done(async (ctx) => {
      const agent = new ToolLoopAgent({ ...durable(ctx, { model, tools }), instructions: "Sell." });
      return (await agent.generate({ prompt: "What about A17?" })).text;
    });
    expect(result).toBe("It costs 40, three are left.");
    expect(calls[0]?.prompt[0]).toMatchObject({ role: "system", content: "Sell." });
  });

  test("a structured answer, and a call without tools", async () => {
    const { model, calls } = modelOf([answer('{"total":40}')]);
    const { result } = await done(async (ctx) => {
      const output = Output.object({ schema: z.object({ total: z.number() }) });
      return (await generateText({ ...durable(ctx, { model }), output, prompt: "What about A17?" })).output.total;
    });
    expect(result).toBe(40);
    expect(calls[0]?.tools ?? []).toEqual([]);
  });

  test("two agents at once, with a scope each", async () => {
    const { result, history } = await done((ctx) =>
      ctx.map(["A17", "A18"], async (own, id) => {
        const { model } = modelOf([answer(call("price", { id })), answer(`So ${id}.`)]);
        return (await generateText({ ...durable(own, { model, tools }), prompt: id, stopWhen: isStepCount(3) })).text;
      }),
    );
    expect(result).toEqual(["So A17.", "So A18."]);
    expect(history.filter((path) => path.startsWith("map/1/"))).toEqual([
      "map/1/model/generate#0",
      "map/1/tool/price#0",
      "map/1/model#1/generate#0",
    ]);
  });

  test("a tool that uses the context itself, beside the recorded ones", async () => {
    const { model } = modelOf([answer(call("later", {})), answer("Done.")]);
    const { result, history } = await done(async (ctx) => {
      const settings = durable(ctx, { model, tools });
      const later = tool({ inputSchema: z.object({}), execute: () => ctx.sleep("1d").then(() => "a day has passed") });
      return (
        await generateText({
          ...settings,
          tools: { ...settings.tools, later },
          prompt: "Wait.",
          stopWhen: isStepCount(3),
        })
      ).text;
    });
    expect(result).toBe("Done.");
    expect(history).toContain("sleep#0");
  });

  test("with figures of the record, and ids of the run", async () => {
    const { model } = modelOf(ANSWERS);
    const ids: string[] = [];
    const { result } = await done(async (ctx) => {
      const { steps } = await generateText({
        ...durable(ctx, { model, tools }),
        prompt: "What about A17?",
        onStart: ({ callId }) => void ids.push(callId),
      });
      return [steps[0]?.performance.responseTimeMs, steps[0]?.performance.stepTimeMs];
    });
    const [responseMs, stepMs] = result as readonly number[];
    expect(responseMs).toBeGreaterThan(0);
    // The tools took time of their own, which the recorded clock does not see.
    expect(stepMs).toBe(responseMs);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}-0$/);
  });
});

test("the types are those of the tools", () => {
  const { model } = modelOf(ANSWERS);
  const body = async (ctx: WorkflowContext) => {
    const ask = ({ input }: ApprovalRequest<{ readonly id: string }>): string => input.id;
    const settings = durable(ctx, { model, tools, approvals: { price: { ask, when: ({ id }) => id !== "" } } });
    const { toolResults } = await generateText({ ...settings, prompt: "What about A17?" });
    for (const result of toolResults) {
      if (result.dynamic !== true && result.toolName === "stock") expectTypeOf(result.output.at).toEqualTypeOf<Date>();
    }
    // @ts-expect-error: there is no such tool.
    durable(ctx, { model, tools, approvals: { refund: { ask } } });
    // @ts-expect-error: the tool has another input.
    durable(ctx, { model, tools, approvals: { price: { ask, when: ({ amount }) => amount > 1 } } });
  };
  expectTypeOf(body).returns.resolves.toBeVoid();
});

test("what a body's own code asks the SDK for is told by the kit", async () => {
  const agent = workflow("agent", { version: 1 }, async () => generateId());
  await using cluster = await TestCluster.start({ workflows: [agent], nodes: 1 });
  const run = await cluster.workflows.start(agent);
  await expect(run.result()).rejects.toThrow("uses Math.random");
});

test("a model of another version of the specification is refused", async () => {
  const { model } = modelOf(ANSWERS);
  const old = Object.assign(Object.create(model), { specificationVersion: "v3" });
  const agent = workflow("agent", { version: 1 }, async (ctx) => void durable(ctx, { model: old }));
  await using cluster = await TestCluster.start({ workflows: [agent], nodes: 1 });
  const run = await cluster.workflows.start(agent);
  await expect(run.result()).rejects.toThrow("has version v3");
});

test("an approval of a tool that there is not is refused: the tool that was meant would run without one", async () => {
  const { model, calls } = modelOf(ANSWERS);
  const misspelt = { prise: { ask: () => {} } };
  const { result } = await done(async (ctx) => {
    try {
      durable(ctx, { model, tools, approvals: misspelt as object });
      return "taken";
    } catch (error) {
      return (error as { readonly code: string; readonly message: string }).message;
    }
  });
  expect(result).toBe(
    "There is no tool prise that could need approval. The tools are: price, stock. Correct the name.",
  );
  expect(calls).toHaveLength(0);
});
