import { APICallError, streamText } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { workflow } from "raftoral";
import { TestCluster } from "raftoral/testing";
import { expect, test } from "vitest";
import { durable } from "../durable.ts";
import { answer, modelOf } from "../testing/mock-answers.ts";
import { completed } from "./completed.ts";
import type { AgentModel } from "./language-model.ts";

/** A run that reads a streamed answer of `model` to its end, and what the node logs of the SDK. */
async function reading(model: AgentModel) {
  const lines: string[] = [];
  const warn = (fields: object, text: string): void =>
    void (text.startsWith("An agent's call") && lines.push(JSON.stringify(fields)));
  const agent = workflow("agent", { version: 1 }, async (ctx) => {
    const result = await completed(streamText({ ...durable(ctx, { model }), prompt: "tea" }));
    return await result.text;
  });
  const logger = { debug: () => {}, info: () => {}, warn, error: () => {} };
  const cluster = await TestCluster.start({ workflows: [agent], nodes: 1, logger });
  const run = await cluster.workflows.start(agent);
  return { cluster, run, lines, [Symbol.asyncDispose]: () => cluster.stop() };
}

test("a streamed result is given once it is there", async () => {
  await using world = await reading(modelOf([answer("Tea costs 40.")]).model);
  expect(await world.run.result()).toBe("Tea costs 40.");
  expect(world.lines).toEqual([]);
});

test("what ended it is thrown, and is a line of the node's log", async () => {
  const refusal = new APICallError({
    message: "no such key",
    url: "https://model.example",
    requestBodyValues: {},
    statusCode: 401,
  });
  const model = new MockLanguageModelV4({
    doStream: async () => {
      throw refusal;
    },
  });
  await using world = await reading(model);
  await expect(world.run.result()).rejects.toMatchObject({
    failure: { name: "StepFailedError", code: "MODEL_CALL_REFUSED" },
  });
  expect(world.lines).toEqual([expect.stringContaining("no such key")]);
});

test("a cancellation is thrown as what it is, and is no failure of the model", async () => {
  const model = new MockLanguageModelV4({ doStream: () => new Promise(() => {}) });
  await using world = await reading(model);
  await world.cluster.time.untilIdle();
  await world.run.cancel({ reason: "enough" });
  expect(await world.run.wait()).toMatchObject({ status: "cancelled", reason: "enough" });
  expect(world.lines).toEqual([]);
});
