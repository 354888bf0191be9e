import { isStepCount, readUIMessageStream, streamText, tool, type UIMessage } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { TerminalError, workflow } from "raftoral";
import { TestCluster } from "raftoral/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { durable } from "../durable.ts";
import type { AnswerPart } from "../sdk/language-model.ts";
import { answer, call, modelOf, partsOf } from "../testing/mock-answers.ts";
import type { ApprovalRequest } from "../tools/approval.ts";
import { agentStream } from "./agent-chunk.ts";
import { type ReadChunk, uiMessageStream } from "./ui-message-chunks.ts";

const out = agentStream("out");

/** The parts of the message that a front end has at the end. */
async function partsRead(chunks: AsyncIterable<ReadChunk>): Promise<UIMessage["parts"]> {
  let parts: UIMessage["parts"] = [];
  for await (const message of readUIMessageStream({ stream: uiMessageStream(chunks) })) parts = message.parts;
  return parts;
}

test("a front end of the AI SDK shows a run: text, tool calls, outputs", async () => {
  const price = tool({ inputSchema: z.object({ id: z.string() }), execute: ({ id }) => ({ id, total: 40 }) });
  const { model } = modelOf([answer("Let me see.", call("price", { id: "A17" })), answer("It costs 40.")]);
  const agent = workflow("agent", { version: 1 }, async (ctx) => {
    const settings = durable(ctx, { model, tools: { price }, stream: out });
    return await streamText({ ...settings, prompt: "What about A17?", stopWhen: isStepCount(3) }).text;
  });
  await using cluster = await TestCluster.start({ workflows: [agent], nodes: 1 });
  const run = await cluster.workflows.start(agent);
  expect(await partsRead(run.stream(out))).toMatchObject([
    { type: "step-start" },
    { type: "text", text: "Let me see.", state: "done" },
    { type: "tool-price", state: "output-available", input: { id: "A17" }, output: { id: "A17", total: 40 } },
    { type: "step-start" },
    { type: "text", text: "It costs 40.", state: "done" },
  ]);
});

test("a front end shows calls that wait for approval, are approved, refused, or fail", async () => {
  const tokens = new Map<string, string>();
  const pay = tool({
    inputSchema: z.object({ id: z.string() }),
    execute: ({ id }): string => {
      if (id === "c") throw new TerminalError("there is no order c");
      return `paid ${id}`;
    },
  });
  const { model } = modelOf([answer(...["a", "b", "c"].map((id) => call("pay", { id }, id))), answer("Done.")]);
  const agent = workflow("agent", { version: 1 }, async (ctx) => {
    const ask = ({ toolCallId, token }: ApprovalRequest): void => void tokens.set(toolCallId, token);
    const settings = durable(ctx, { model, tools: { pay }, stream: out, approvals: { pay: { ask } } });
    return await streamText({ ...settings, prompt: "Pay.", stopWhen: isStepCount(3) }).text;
  });
  await using cluster = await TestCluster.start({ workflows: [agent], nodes: 1 });
  const run = await cluster.workflows.start(agent);
  await cluster.time.advance("1s");
  cluster.time.release();
  const states = async (follow: boolean): Promise<readonly unknown[]> =>
    (await partsRead(run.stream(out, { follow }))).flatMap((part) => (part.type === "tool-pay" ? [part.state] : []));
  expect(await states(false)).toEqual(["approval-requested", "approval-requested", "approval-requested"]);
  for (const [id, token] of tokens) await cluster.workflows.answer(token, { approved: id !== "b" });
  await run.result();
  expect(await states(true)).toEqual(["output-available", "output-denied", "output-error"]);
});

test("an answer that begins again on another node is shown once", async () => {
  const hanging = partsOf(answer("Half of an answer")).slice(0, 4);
  let asked = 0;
  const model = new MockLanguageModelV4({
    doStream: async () => {
      const parts = ++asked === 1 ? hanging : partsOf(answer("The whole answer"));
      return {
        stream: new ReadableStream<AnswerPart>({
          start(controller) {
            for (const part of parts) controller.enqueue(part);
            if (asked > 1) controller.close();
          },
        }),
      };
    },
  });
  const agent = workflow("agent", { version: 1 }, async (ctx) => {
    return await streamText({ ...durable(ctx, { model, stream: out }), prompt: "Go." }).text;
  });
  await using cluster = await TestCluster.start({ workflows: [agent] });
  const run = await cluster.workflows.start(agent, undefined, { runId: "agent-1" });
  await cluster.time.advance("1s");
  await cluster.kill((await run.describe()).owner);
  cluster.time.release();
  expect(await run.result()).toBe("The whole answer");
  const texts = await Array.fromAsync(run.stream(out), ({ value }) => (value.type === "text-delta" ? value.delta : ""));
  expect(texts.join("")).toContain("Half of");
  expect(await partsRead(run.stream(out))).toMatchObject([
    { type: "step-start" },
    { type: "text", text: "The whole answer", state: "done" },
  ]);
});

test("cancelling ends the reading", async () => {
  let isOver = false;
  async function* read(): AsyncGenerator<ReadChunk> {
    try {
      for (;;) yield { epoch: 1, value: { type: "start-step" } };
    } finally {
      isOver = true;
    }
  }
  const reader = uiMessageStream(read()).getReader();
  for (let at = 0; at < 3; at++) await reader.read();
  await reader.cancel();
  expect(isOver).toBe(true);
});

test("what an attempt wrote that another one has replaced is left out, and its parts are taken back", async () => {
  async function* read(): AsyncGenerator<ReadChunk> {
    const step = "model/stream#0";
    const text = (delta: string, epoch: number, attempt: number): ReadChunk => ({
      step,
      epoch,
      attempt,
      value: { type: "text-delta", id: "0", delta },
    });
    const begin = (epoch: number, attempt: number): ReadChunk => ({
      step,
      epoch,
      attempt,
      value: { type: "start-step" },
    });
    yield* [
      begin(3, 1),
      text("a", 3, 1),
      begin(3, 2),
      text("b", 3, 2),
      text("late", 3, 1),
      begin(4, 2),
      text("c", 4, 2),
    ];
    yield { epoch: 4, value: { type: "tool-output-available", toolCallId: "c1", output: 1 } };
  }
  const chunks = await Array.fromAsync(uiMessageStream(read()), (chunk) =>
    "delta" in chunk ? chunk.delta : chunk.type,
  );
  expect(chunks).toEqual([
    "start",
    "start-step",
    "a",
    "reset-step",
    "b",
    "reset-step",
    "c",
    "tool-output-available",
    "finish",
  ]);
});
