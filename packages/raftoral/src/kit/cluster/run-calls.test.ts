import { exclusive, object, shared, signal, update, workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

const account = object(
  "account",
  { version: 1, state: 0 },
  {
    deposit: exclusive((ctx, amount: number) => ctx.state.update((sum) => sum + amount)),
    slow: exclusive(async (ctx, amount: number) => {
      await ctx.sleep("10s");
      return await ctx.state.update((sum) => sum + amount);
    }),
    fail: exclusive((): void => {
      throw new RangeError("It is closed.");
    }),
    total: shared((ctx) => ctx.state.value),
  },
);

const ask = update<string, string>("ask");
const go = signal("go");

const answering = workflow("answering", { version: 1 }, async (ctx) => {
  ctx.onUpdate(ask, async (own, question) => await own.step("answer", () => `${question}!`));
  await ctx.waitFor(go);
});

test("a body calls objects and runs, and hears answers, failures and refusals", async () => {
  const asking = workflow("asking", { version: 1 }, async (ctx) => {
    const alice = ctx.object(account, "alice");
    const first: number = await alice.call("deposit", 10);
    const both = await Promise.all([alice.call("slow", 5), ctx.object<typeof account>("account", "bob").call("total")]);
    const failed = await alice.call("fail").catch((error: unknown) => error);
    const unknown = await ctx
      .object("account", "alice")
      .call("none")
      .catch((error: unknown) => error);
    const answer: string = await ctx.update("answering", ask, "why");
    const missing = await ctx.update("missing", ask, "why").catch((error: unknown) => error);
    return [first, ...both, codeOf(failed), codeOf(unknown), answer, codeOf(missing), await alice.call("total")];
  });
  await using cluster = await TestCluster.start({ nodes: 3, workflows: [account, answering, asking] });
  const other = await cluster.workflows.start(answering, undefined, { runId: "answering" });
  const run = await cluster.workflows.start(asking);
  const result = await run.result();
  expect(result).toEqual([10, 15, 0, "UPDATE_FAILED", "UPDATE_UNKNOWN", "why!", "WORKFLOW_NOT_FOUND", 15]);
  await other.signal(go);
  expect(await cluster.workflows.object(account, "alice").state()).toBe(15);
});

test("calls of one object by many bodies on few places do not hold each other up, and each is carried out once", async () => {
  const paying = workflow("paying", { version: 1 }, async (ctx, amount: number) => {
    return await ctx.object(account, "shop").call("slow", amount);
  });
  await using cluster = await TestCluster.start({
    nodes: 3,
    workflows: [account, paying],
    nodeOptions: { workflowLimits: { maxRunningBodies: 1 } },
  });
  const runs = [];
  for (let amount = 1; amount <= 4; amount++) runs.push(await cluster.workflows.start(paying, amount));
  await cluster.time.advance("15s");
  cluster.kill("owner", "account/shop");
  cluster.time.release();
  const answers = await Promise.all(runs.map((run) => run.result()));
  expect(new Set(answers).size).toBe(4);
  expect(Math.max(...answers)).toBe(10);
  expect(await cluster.workflows.object(account, "shop").state()).toBe(10);
});

test("a call whose body is gone is answered to the next owner, and one whose branch is cancelled goes on", async () => {
  const patient = workflow("patient", { version: 1 }, async (ctx) => {
    const late = await ctx
      .scope("late", (own) => own.object(account, "a").call("slow", 1), { timeout: "2s" })
      .catch((error: unknown) => error);
    return [codeOf(late), await ctx.object(account, "a").call("slow", 10)];
  });
  await using cluster = await TestCluster.start({ nodes: 3, workflows: [account, patient] });
  const run = await cluster.workflows.start(patient, undefined, { runId: "patient" });
  await cluster.time.advance("5s");
  cluster.kill("owner", "patient");
  cluster.time.release();
  expect(await run.result()).toEqual(["SCOPE_TIMEOUT", 11]);
});

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown }).code ?? error;
}
