import { generateText, isStepCount, type ToolSet, tool } from "ai";
import { type StepOptions, TerminalError, workflow } from "raftoral";
import { TestCluster } from "raftoral/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { durable } from "../durable.ts";
import { answer, call, modelOf } from "../testing/mock-answers.ts";
import { stepOf } from "./tool-step.ts";

const Id = z.object({ id: z.string() });

/** What the model is told of the calls that it has made, as text, and the history of the run. */
async function told(
  tools: ToolSet,
  calls: readonly Parameters<typeof call>[],
  toolSteps: Record<string, StepOptions> = {},
) {
  const asked = modelOf([answer(...calls.map((one) => call(...one))), answer("Done.")]);
  const agent = workflow("agent", { version: 1 }, async (ctx) => {
    const settings = durable(ctx, { model: asked.model, tools, toolSteps });
    return (await generateText({ ...settings, prompt: "Go.", stopWhen: isStepCount(3) })).text;
  });
  await using cluster = await TestCluster.start({ workflows: [agent], nodes: 1 });
  const run = await cluster.workflows.start(agent, undefined, { runId: "agent-1" });
  expect(await run.result()).toBe("Done.");
  const history: string[] = [];
  for await (const { path } of run.history()) history.push(path);
  const last = asked.calls.at(-1)?.prompt.at(-1)?.content;
  const outputs = (Array.isArray(last) ? last : []).map((part) => (part.type === "tool-result" ? part.output : part));
  return { outputs, history };
}

describe("a tool", () => {
  test("that fails for good is told to the model by its own message, after its attempts", async () => {
    let attempts = 0;
    const tools = {
      busy: tool({
        inputSchema: Id,
        execute: (): string => {
          attempts += 1;
          throw new Error("the bank is closed");
        },
      }),
      none: tool({
        inputSchema: Id,
        execute: ({ id }): string => {
          throw new TerminalError(`there is no order ${id}`);
        },
      }),
    };
    const { outputs } = await told(
      tools,
      [
        ["busy", { id: "A17" }],
        ["none", { id: "A18" }],
      ],
      { busy: { retry: { attempts: 3 } } },
    );
    expect(outputs).toEqual([
      { type: "error-text", value: "ToolFailedError: the bank is closed" },
      { type: "error-text", value: "ToolFailedError: there is no order A18" },
    ]);
    expect(attempts).toBe(3);
  });

  test("gets the step that it runs in, and its signal", async () => {
    const seen: unknown[] = [];
    const tools = {
      pay: tool({
        inputSchema: Id,
        execute: ({ id }, options) => {
          const step = stepOf(options);
          seen.push(
            step?.idempotencyKey.slice(0, 3),
            step?.attempt,
            options.abortSignal === step?.signal,
            options.toolCallId,
          );
          return id;
        },
      }),
    };
    await told(tools, [["pay", { id: "A17" }]]);
    expect(seen).toEqual(["rk_", 1, true, "pay-1"]);
    expect(stepOf({})).toBeUndefined();
  });

  test("that the model calls several times at once has a record for each call", async () => {
    const tools = { look: tool({ inputSchema: Id, execute: async ({ id }) => `${id}!` }) };
    const { outputs, history } = await told(tools, [
      ["look", { id: "a" }, "1"],
      ["look", { id: "b" }, "2"],
      ["look", { id: "c" }, "3"],
    ]);
    expect(outputs).toEqual(["a!", "b!", "c!"].map((value) => ({ type: "text", value })));
    expect(history.filter((path) => path.startsWith("tool")).toSorted()).toEqual([
      "tool#1/look#0",
      "tool#2/look#0",
      "tool/look#0",
    ]);
  });

  test("that gives several outputs is recorded with the last", async () => {
    const tools = {
      count: tool({
        inputSchema: Id,
        async *execute() {
          yield { at: 1 };
          yield { at: 2 };
        },
      }),
    };
    const { outputs } = await told(tools, [["count", { id: "a" }]]);
    expect(outputs).toEqual([{ type: "json", value: { at: 2 } }]);
  });

  test("without an output is told as that", async () => {
    const tools = { mail: tool({ inputSchema: Id, execute: async () => undefined }) };
    const { outputs } = await told(tools, [["mail", { id: "a" }]]);
    expect(outputs).toEqual([{ type: "json", value: null }]);
  });

  test("with an output for the model of its own makes it of what it gave", async () => {
    const tools = {
      due: tool({
        inputSchema: Id,
        execute: () => ({ at: new Date(0) }),
        toModelOutput: ({ output }) => ({ type: "text", value: String(output.at.getUTCFullYear()) }),
      }),
    };
    const { outputs } = await told(tools, [["due", { id: "a" }]]);
    expect(outputs).toEqual([{ type: "text", value: "1970" }]);
  });
});

test("a run that is cancelled during a call of a tool is cancelled, and the call aborted", async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const tools = {
    wait: tool({
      inputSchema: Id,
      execute: (_, { abortSignal }) => {
        signals.push(abortSignal);
        return new Promise<string>(() => {});
      },
    }),
  };
  const { model } = modelOf([answer(call("wait", { id: "a" })), answer("Done.")]);
  const agent = workflow("agent", { version: 1 }, async (ctx) => {
    return (await generateText({ ...durable(ctx, { model, tools }), prompt: "Go.", stopWhen: isStepCount(3) })).text;
  });
  await using cluster = await TestCluster.start({ workflows: [agent], nodes: 1 });
  const run = await cluster.workflows.start(agent);
  await cluster.time.untilIdle();
  await run.cancel();
  expect(await run.wait()).toMatchObject({ status: "cancelled" });
  expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
});

test("the kit mocks a tool by its name", async () => {
  const tools = { pay: tool({ inputSchema: Id, execute: (): string => expect.fail("it is not called") }) };
  const { model, calls } = modelOf([answer(call("pay", { id: "a" })), answer("Done.")]);
  const agent = workflow("agent", { version: 1 }, async (ctx) => {
    return (await generateText({ ...durable(ctx, { model, tools }), prompt: "Go.", stopWhen: isStepCount(3) })).text;
  });
  await using cluster = await TestCluster.start({ workflows: [agent], nodes: 1 });
  cluster.steps.mock("pay", "paid by the mock");
  const run = await cluster.workflows.start(agent);
  expect(await run.result()).toBe("Done.");
  expect(JSON.stringify(calls.at(-1)?.prompt)).toContain("paid by the mock");
});
