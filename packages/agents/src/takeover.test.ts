// @module-tag slow
import { generateText, isStepCount, streamText, tool } from "ai";
import { query, type Run, type WorkflowContext, workflow } from "raftoral";
import { type CallMoment, type CommitMoment, type StepMoment, simulate, TestCluster } from "raftoral/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agentStream } from "./chunks/agent-chunk.ts";
import { type DurableParts, durable } from "./durable.ts";
import type { GeneratedAnswer } from "./sdk/language-model.ts";
import { answer, call, modelOf } from "./testing/mock-answers.ts";

const Order = z.object({ id: z.string() });
const out = agentStream("out");

const ANSWERS: readonly GeneratedAnswer[] = [
  answer(call("price", { id: "A17" }, "1"), call("refund", { id: "A17" }, "2"), call("price", { id: "A18" }, "3")),
  answer("One moment.", call("price", { id: "A19" }, "4")),
  answer("All is done."),
];

const tools = {
  price: tool({ inputSchema: Order, execute: ({ id }) => ({ id, total: 40 }) }),
  refund: tool({ inputSchema: Order, execute: ({ id }) => `refunded ${id}` }),
};

const WAYS = {
  generateText: async (settings: DurableParts<typeof tools>) => {
    const { text, steps } = await generateText({ ...settings, prompt: "Go.", stopWhen: isStepCount(5) });
    return { text, steps };
  },
  streamText: async (settings: DurableParts<typeof tools>) => {
    const streamed = streamText({ ...settings, prompt: "Go.", stopWhen: isStepCount(5), onError: () => {} });
    for await (const _ of streamed.stream);
    return { text: await streamed.text, steps: await streamed.steps };
  },
};

/** An agent that asks three times, with parallel tools and an approval, in a body that tells a changed course by its steps. */
function agentOf(way: keyof typeof WAYS) {
  const asked = modelOf(ANSWERS);
  const tokens: string[] = [];
  const progress = query<readonly (readonly string[])[]>("progress");
  const body = async (ctx: WorkflowContext) => {
    let done: readonly (readonly string[])[] = [];
    ctx.onQuery(progress, () => done);
    const settings = durable(ctx, {
      model: asked.model,
      tools,
      approvals: { refund: { ask: ({ token }) => void tokens.push(token) } },
      stream: out,
    });
    const { text, steps } = await WAYS[way](settings);
    const outputs = steps.map(({ toolResults }) => toolResults.map(({ output }) => JSON.stringify(output)));
    // A replay that takes another course asks for another step, and differs from its history.
    const ids = steps.map(({ response }) => response.id.slice(-4));
    await ctx.step(`course ${[...ids, ...outputs.flat()].map((one) => one.slice(0, 16)).join(" ")}`, () => undefined);
    // streamText has the outputs in the order in which they came.
    done = outputs.map((one) => one.toSorted());
    return { text, outputs: done };
  };
  const agent = workflow("agent", { version: 1 }, body);
  return { agent, asked, tokens, progress };
}

const RESULT = {
  text: "All is done.",
  outputs: [['"refunded A17"', '{"id":"A17","total":40}', '{"id":"A18","total":40}'], ['{"id":"A19","total":40}'], []],
};

/** What the body itself tells its readers, each once. */
const TOLD = [
  "tool-approval-request",
  "tool-approval-response",
  "tool-output-available",
  "tool-output-available",
  "tool-output-available",
  "tool-output-available",
];

/** Answers the approval once it has been asked for, whatever happens to the owners meanwhile. */
async function approve(run: Run<unknown>, cluster: TestCluster, tokens: readonly string[]): Promise<void> {
  for (;;) {
    const token = tokens.at(-1);
    try {
      if (token !== undefined) return await cluster.workflows.answer(token, { approved: true });
    } catch (error) {
      const code = (error as { readonly code?: unknown }).code;
      if (code === "WORKFLOW_FINISHED") return;
      // Of an earlier run: this one has not asked yet.
      if (code !== "TOKEN_UNKNOWN") throw error;
    }
    if ((await run.describe()).status !== "running") return;
    await Promise.race([cluster.after(10), run.wait()]);
  }
}

describe.each(Object.keys(WAYS) as (keyof typeof WAYS)[])("an agent with %s", (way) => {
  const ask = way === "streamText" ? "stream" : "generate";
  const moments: readonly (CallMoment | CommitMoment | StepMoment)[] = [
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((nth) => ({ call: nth, when: "begins" }) as const),
    ...[1, 2, 3, 4, 5, 6].flatMap((nth) =>
      (["before", "proposed", "after"] as const).map((when) => ({ commit: nth, when })),
    ),
    ...[ask, "refund", "ask"].map((step) => ({ step, when: "finishes" }) as const),
  ];

  test("ends the same wherever its owner dies, and asks the model once for each recorded answer", async () => {
    const survived = new Set(moments);
    for (const moment of moments) {
      const { agent, asked, tokens } = agentOf(way);
      await using cluster = await TestCluster.start({ workflows: [agent] });
      cluster.at({ ...moment, runId: "agent-1" }, ({ nodeId }) => {
        survived.delete(moment);
        void cluster.kill(nodeId);
      });
      const run = await cluster.workflows.start(agent, undefined, { runId: "agent-1" });
      await approve(run, cluster, tokens);
      expect(await run.result(), JSON.stringify(moment)).toEqual(RESULT);
      // At most the answer that was under way when the owner died was asked for again.
      expect(asked.calls.length, JSON.stringify(moment)).toBeLessThanOrEqual(4);
      await cluster.assertRecordedOnce("agent-1");
      const told = await Array.fromAsync(run.stream(out), ({ step, value }) =>
        step === undefined ? [value.type] : [],
      );
      expect(told.flat().toSorted(), JSON.stringify(moment)).toEqual(TOLD);
      expect(cluster.platformUses).toEqual([]);
    }
    expect([...survived]).toEqual([]);
  });

  test("does not ask again for an answer that is recorded when its owner dies", async () => {
    const { agent, asked, tokens } = agentOf(way);
    await using cluster = await TestCluster.start({ workflows: [agent] });
    const run = await cluster.workflows.start(agent, undefined, { runId: "agent-1" });
    await cluster.time.untilIdle();
    // It waits for the approval, with its first answer recorded.
    for (const expected of [1, 1]) {
      expect(asked.calls.length).toBe(expected);
      const { owner } = await run.describe();
      await cluster.kill(owner);
      await cluster.time.untilIdle();
      await cluster.startNode(owner);
      await cluster.time.untilIdle();
    }
    await approve(run, cluster, tokens);
    expect(await run.result()).toEqual(RESULT);
    expect(asked.calls.length).toBe(3);
  });

  test("answers queries on every node, also after its end, without asking the model", async () => {
    const { agent, asked, tokens, progress } = agentOf(way);
    await using cluster = await TestCluster.start({ workflows: [agent] });
    const run = await cluster.workflows.start(agent, undefined, { runId: "agent-1" });
    await approve(run, cluster, tokens);
    await run.result();
    await cluster.kill(1);
    expect(await run.query(progress)).toEqual(RESULT.outputs);
    expect(asked.calls.length).toBe(3);
  });

  test("ends the same in a simulation of everything that can happen to its cluster", async () => {
    const { agent, tokens } = agentOf(way);
    await simulate(agent, {
      input: undefined,
      seeds: 15,
      during: (run, cluster) => approve(run, cluster, tokens),
      check: ({ status, result, wasCancelled }) => {
        if (!wasCancelled) expect([status, result]).toEqual(["completed", RESULT]);
      },
    });
  });
});
