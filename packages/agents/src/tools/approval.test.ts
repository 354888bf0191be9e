import { generateText, isStepCount, tool } from "ai";
import { workflow } from "raftoral";
import { TestCluster } from "raftoral/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agentStream } from "../chunks/agent-chunk.ts";
import { durable } from "../durable.ts";
import { answer, call, modelOf } from "../testing/mock-answers.ts";
import type { ApprovalOptions, ApprovalRequest } from "./approval.ts";

type Refund = { readonly id: string; readonly amount: number };
const out = agentStream("out");

/** An agent that wants to refund A17 and A18, with somebody who is asked for it. */
async function refunding(approval: Partial<ApprovalOptions<Refund>> = {}) {
  const requests: ApprovalRequest<Refund>[] = [];
  const refunded: string[] = [];
  const asked = modelOf([
    answer(call("refund", { id: "A17", amount: 40 }, "c1"), call("refund", { id: "A18", amount: 500 }, "c2")),
    answer("Done."),
  ]);
  const refund = tool({
    inputSchema: z.object({ id: z.string(), amount: z.number() }),
    execute: ({ id }) => {
      refunded.push(id);
      return `refunded ${id}`;
    },
  });
  const agent = workflow("agent", { version: 1 }, async (ctx) => {
    const ask = (request: ApprovalRequest<Refund>): void => void requests.push(request);
    const settings = durable(ctx, {
      model: asked.model,
      tools: { refund },
      approvals: { refund: { ask, ...approval } },
      stream: out,
    });
    return (await generateText({ ...settings, prompt: "Refund.", stopWhen: isStepCount(3) })).text;
  });
  const cluster = await TestCluster.start({ workflows: [agent], nodes: 1 });
  const run = await cluster.workflows.start(agent, undefined, { runId: "agent-1" });
  await cluster.time.advance(1_000);
  cluster.time.release();
  /** What the model was told of its two calls, once the run has ended. */
  const told = async (): Promise<readonly unknown[]> => {
    expect(await run.result()).toBe("Done.");
    const last = asked.calls.at(-1)?.prompt.at(-1)?.content;
    return (Array.isArray(last) ? last : []).map((part) =>
      "output" in part && "value" in part.output ? part.output.value : part,
    );
  };
  const give = (at: number, value: unknown): Promise<void> =>
    cluster.workflows.answer(requests[at]?.token ?? "", value);
  return { cluster, run, requests, refunded, told, give, [Symbol.asyncDispose]: () => cluster.stop() };
}

async function chunksOf({ run }: Awaited<ReturnType<typeof refunding>>): Promise<readonly string[]> {
  const types: string[] = [];
  for await (const { value } of run.stream(out)) types.push(value.type);
  return types;
}

const REFUSED = "ToolCallRefusedError: The call of refund was not carried out: it needs an approval";

describe("a call that needs approval", () => {
  test("waits for it, while other calls are asked for at the same time; a refusal is told to the model", async () => {
    await using world = await refunding();
    const { requests, refunded } = world;
    expect(requests.map(({ input, toolName, toolCallId, runId }) => [input.id, toolName, toolCallId, runId])).toEqual([
      ["A17", "refund", "c1", "agent-1"],
      ["A18", "refund", "c2", "agent-1"],
    ]);
    expect(refunded).toEqual([]);
    await world.give(1, { approved: false, reason: "Too much." });
    await world.give(0, { approved: true });
    expect(await world.told()).toEqual(["refunded A17", `${REFUSED}, which was refused: Too much.`]);
    expect(refunded).toEqual(["A17"]);
    const types = await chunksOf(world);
    expect(types.filter((type) => type.startsWith("tool-") && type !== "tool-input-available")).toEqual([
      "tool-approval-request",
      "tool-approval-request",
      "tool-approval-response",
      "tool-output-denied",
      "tool-approval-response",
      "tool-output-available",
    ]);
  });

  test.each<[string, unknown]>([
    ["no approval", { approved: false }],
    ["a text", "yes"],
    ["an approval that is no boolean", { approved: "true" }],
    ["nothing", null],
  ])("is refused by an answer that is %s", async (_, value) => {
    await using world = await refunding();
    await world.give(0, value);
    await world.give(1, value);
    expect(await world.told()).toEqual([`${REFUSED}, which was refused.`, `${REFUSED}, which was refused.`]);
    expect(world.refunded).toEqual([]);
  });

  test("is refused by a failure, and when no answer comes in time", async () => {
    await using world = await refunding({ timeout: "2d" });
    await world.cluster.workflows.fail(world.requests[0]?.token ?? "", { message: "the desk is closed" });
    expect(await world.told()).toEqual([
      `${REFUSED}, which was refused: the desk is closed.`,
      `${REFUSED}, and no answer came in time.`,
    ]);
    expect(world.refunded).toEqual([]);
  });

  test("is refused when it cannot be asked for", async () => {
    const ask = (): never => {
      throw new Error("no mail today");
    };
    await using world = await refunding({ ask, step: { retry: false } });
    expect(await world.told()).toEqual([
      `${REFUSED}, and asking for it failed: no mail today`,
      `${REFUSED}, and asking for it failed: no mail today`,
    ]);
    expect(world.refunded).toEqual([]);
  });

  test("may be one of some: the others begin at once", async () => {
    await using world = await refunding({ when: ({ amount }) => amount > 100 });
    expect(world.requests.map(({ input }) => input.id)).toEqual(["A18"]);
    expect(world.refunded).toEqual(["A17"]);
    await world.give(0, { approved: true });
    expect(await world.told()).toEqual(["refunded A17", "refunded A18"]);
  });

  test("ends with its run", async () => {
    await using world = await refunding();
    await world.run.cancel();
    expect(await world.run.wait()).toMatchObject({ status: "cancelled" });
    await expect(world.give(0, { approved: true })).rejects.toMatchObject({ code: "WORKFLOW_FINISHED" });
    expect(world.refunded).toEqual([]);
  });

  test("hands its token to the step that asks, and to no reader", async () => {
    await using world = await refunding();
    const [token = ""] = world.requests.map((request) => request.token);
    for await (const { value } of world.run.stream(out, { follow: false })) {
      expect(JSON.stringify(value)).not.toContain(token.slice(-10));
    }
    for await (const { value } of world.run.history()) {
      expect(new TextDecoder().decode(value.bytes)).not.toContain(token.slice(-10));
    }
  });
});
