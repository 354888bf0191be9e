import { generateText, isStepCount, streamText, tool } from "ai";
import fc from "fast-check";
import { workflow } from "raftoral";
import { TestCluster } from "raftoral/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { durable } from "../durable.ts";
import { answer, call, modelOf } from "../testing/mock-answers.ts";
import { type AgentChunk, agentStream, chunksOfContent, chunksOfPart } from "./agent-chunk.ts";

describe("the chunks of a part", () => {
  test.each<[string, Parameters<typeof chunksOfPart>[0], readonly AgentChunk[]]>([
    [
      "a delta",
      { type: "text-delta", id: "0", delta: "tea", providerMetadata: { mock: { secret: 1 } } },
      [{ type: "text-delta", id: "0", delta: "tea" }],
    ],
    ["the begin of reasoning", { type: "reasoning-start", id: "0" }, [{ type: "reasoning-start", id: "0" }]],
    [
      "the begin of an input",
      { type: "tool-input-start", id: "c1", toolName: "pay" },
      [{ type: "tool-input-start", toolCallId: "c1", toolName: "pay" }],
    ],
    [
      "a piece of an input",
      { type: "tool-input-delta", id: "c1", delta: '{"a"' },
      [{ type: "tool-input-delta", toolCallId: "c1", inputTextDelta: '{"a"' }],
    ],
    [
      "a call",
      { type: "tool-call", toolCallId: "c1", toolName: "pay", input: '{"a":1}', providerExecuted: true },
      [{ type: "tool-input-available", toolCallId: "c1", toolName: "pay", input: { a: 1 }, providerExecuted: true }],
    ],
    [
      "a call without input",
      { type: "tool-call", toolCallId: "c1", toolName: "pay", input: "" },
      [{ type: "tool-input-available", toolCallId: "c1", toolName: "pay", input: {} }],
    ],
    [
      "a call whose input is no JSON",
      { type: "tool-call", toolCallId: "c1", toolName: "pay", input: "{" },
      [
        {
          type: "tool-input-error",
          toolCallId: "c1",
          toolName: "pay",
          input: "{",
          errorText: "The input is not JSON.",
        },
      ],
    ],
    [
      "a result of the provider's own tool",
      { type: "tool-result", toolCallId: "c1", toolName: "search", result: [1] },
      [{ type: "tool-output-available", toolCallId: "c1", output: [1], providerExecuted: true }],
    ],
    [
      "a failure of it",
      { type: "tool-result", toolCallId: "c1", toolName: "search", result: "down", isError: true },
      [{ type: "tool-output-error", toolCallId: "c1", errorText: '"down"', providerExecuted: true }],
    ],
    [
      "a source",
      { type: "source", sourceType: "url", id: "s", url: "https://a.example" },
      [{ type: "source-url", sourceId: "s", url: "https://a.example" }],
    ],
    ["a file", { type: "file", mediaType: "image/png", data: { type: "data", data: "AA==" } }, []],
    ["a raw part", { type: "raw", rawValue: {} }, []],
  ])("tell of %s", (_, part, chunks) => {
    expect(chunksOfPart(part)).toEqual(chunks);
  });
});

test("the input of a call is any text that a model writes", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (input) => {
      const chunks = chunksOfPart({ type: "tool-call", toolCallId: "c1", toolName: "pay", input });
      expect(chunks).toEqual([expect.objectContaining({ toolCallId: "c1", toolName: "pay" })]);
      expect(JSON.parse(JSON.stringify(chunks))).toEqual(chunks);
    }),
  );
});

test("a text that came at once is a block, in pieces that a stream takes, with no half of a character", () => {
  const text = `${"a".repeat(8 * 1024 - 1)}😀${"b".repeat(9_000)}`;
  const chunks = chunksOfContent({ type: "text", text }, "3");
  const deltas = chunks.flatMap((chunk) => (chunk.type === "text-delta" ? [chunk.delta] : []));
  expect(deltas.join("")).toBe(text);
  expect(deltas.length).toBe(3);
  expect(deltas.every((delta) => delta.isWellFormed() && delta.length <= 8 * 1024)).toBe(true);
  expect([chunks[0], chunks.at(-1)]).toEqual([
    { type: "text-start", id: "3" },
    { type: "text-end", id: "3" },
  ]);
});

test("a value that is too large for a stream is left out, with a line in the log, and the agent goes on", async () => {
  const lines: string[] = [];
  const logger = {
    debug: () => {},
    info: () => {},
    warn: (_: object, text: string) => void lines.push(text),
    error: () => {},
  };
  const { model } = modelOf([
    answer(
      { type: "tool-call", toolCallId: "c1", toolName: "none", input: JSON.stringify("x".repeat(70_000)) },
      "Well.",
    ),
  ]);
  const out = agentStream("out");
  const agent = workflow("agent", { version: 1 }, async (ctx) => {
    return await streamText({ ...durable(ctx, { model, stream: out }), prompt: "Go." }).text;
  });
  await using cluster = await TestCluster.start({ workflows: [agent], nodes: 1, logger });
  const run = await cluster.workflows.start(agent);
  expect(await run.result()).toBe("Well.");
  const types = await Array.fromAsync(run.stream(out), ({ value }) => value.type);
  expect(types).toEqual(["start-step", "text-start", "text-delta", "text-end"]);
  expect(lines).toEqual(["A chunk is too large for the agent's stream, and was left out"]);
});

test("a buffer that is full delays no call of a body: nothing but its answers wakes it", async () => {
  const lines: string[] = [];
  const logger = {
    debug: () => {},
    info: () => {},
    warn: (_: object, text: string) => void lines.push(text),
    error: () => {},
  };
  const long = "x".repeat(20_000);
  const tools = { read: tool({ inputSchema: z.object({}), execute: () => long }) };
  const ids = Array.from({ length: 12 }, (_, at) => `c${at}`);
  const { model } = modelOf([answer(...ids.map((id) => call("read", {}, id))), answer("Done.")]);
  const out = agentStream("out");
  const agent = workflow("agent", { version: 1 }, async (ctx) => {
    const settings = durable(ctx, { model, tools, stream: out });
    const asked = generateText({ ...settings, prompt: "Go.", stopWhen: isStepCount(3) });
    const beside = ctx.scope("beside", (own) => own.sleep("1h"));
    const { text } = await asked;
    await beside;
    return text;
  });
  await using cluster = await TestCluster.start({
    workflows: [agent],
    nodes: 1,
    logger,
    nodeOptions: { workflowLimits: { maxStreamBufferBytes: 1024 } },
  });
  const run = await cluster.workflows.start(agent);
  expect(await run.result()).toBe("Done.");
  expect(lines).toEqual([]);
});
