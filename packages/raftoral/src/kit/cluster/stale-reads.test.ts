import { exclusive, object, query, workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import type { ReadOptions } from "../../api/call-options.ts";
import { TestCluster } from "./test-cluster.ts";

const waits = workflow("waits", { version: 1 }, async (ctx) => {
  await ctx.step("note", () => "noted");
  await ctx.waitFor("go");
});

const tells = workflow("tells", { version: 1 }, async (ctx) => {
  await ctx.variable("told", "hello");
  await ctx.stream("words").write("hello");
  ctx.onQuery(query<string>("told"), () => "hello");
  await ctx.waitFor("go");
});
const counter = object(
  "counter",
  { version: 1, state: 0 },
  { add: exclusive((ctx, more: number) => ctx.state.update((state) => state + more)) },
);

test("a node without a majority answers stale reads, and no others", async () => {
  await using cluster = await TestCluster.start({ workflows: [waits], nodes: 3 });
  const run = await cluster.workflows.start(waits, undefined, { runId: "a", attributes: { customer: "ada" } });
  await cluster.time.advance("1s");
  cluster.kill(2);
  cluster.kill(3);
  const { workflows } = cluster;
  cluster.time.release();
  const late = { timeoutMs: 500 };
  await expect(workflows.listPage({}, late)).rejects.toThrow("Nothing is left that could settle this call");
  await expect(workflows.counts(late)).rejects.toThrow("Nothing is left that could settle this call");
  const stale = { ...late, consistency: "stale" } as const;
  expect(await workflows.counts(stale)).toEqual([{ workflowType: "waits", status: "running", runs: 1 }]);
  const found = await Array.fromAsync(workflows.list({ attributes: { customer: "ada" } }, stale));
  expect(found.map(({ runId }) => runId)).toEqual(["a"]);
  expect(await run.describe(stale)).toMatchObject({ status: "running", attributes: { customer: "ada" } });
  expect((await Array.fromAsync(run.history(stale))).map(({ path }) => path)).toEqual(["note#0"]);
  expect((await run.input(stale)).value()).toBeUndefined();
});

test("whatever is read of runs, queues, schedules and operators is read without a majority on request", async () => {
  await using cluster = await TestCluster.start({ workflows: [tells, counter], nodes: 3 });
  const { workflows } = cluster;
  await workflows.queues.define("calm", { concurrency: 1 });
  await workflows.schedules.create("nightly", { workflow: tells, everyMs: 86_400_000 });
  await workflows.pauseType("other", { reason: "broken" });
  await workflows.object(counter, "a").call("add", 5);
  const run = await workflows.start(tells, undefined, { runId: "a", queue: "calm" });
  await cluster.time.advance("1s");
  cluster.kill(2);
  cluster.kill(3);
  cluster.time.release();
  const late = { timeoutMs: 500 };
  const reads: Readonly<Record<string, (options: ReadOptions) => Promise<unknown>>> = {
    queue: async (options) => (await workflows.queues.get("calm", options))?.running,
    queues: async (options) => (await workflows.queues.list(options)).map(({ name }) => name),
    schedule: async (options) => (await workflows.schedules.get("nightly", options)).workflowType,
    schedules: async (options) => (await Array.fromAsync(workflows.schedules.list(options))).length,
    pausedTypes: async (options) => (await workflows.pausedTypes(options)).map(({ reason }) => reason),
    audit: async (options) => (await Array.fromAsync(workflows.audit(options))).map(({ action }) => action),
    variable: (options) => run.variable("told", options),
    query: (options) => run.query("told", undefined, options),
    pending: async (options) => (await run.pending(options)).map(({ kind }) => kind),
    stream: async (options) =>
      (await Array.fromAsync(run.stream("words", { ...options, follow: false }))).map(({ value }) => value),
    events: async (options) =>
      (await Array.fromAsync(workflows.events({ ...options, from: "oldest", follow: false, runId: "a" })))
        .map(({ type }) => type)
        .filter((type) => type === "run-started"),
    state: (options) => workflows.object(counter, "a").state(options),
    objects: async (options) => (await Array.fromAsync(workflows.objects(counter, options))).map(({ key }) => key),
    export: async (options) => (await run.exportHistory(options)).runId,
  };
  const answers: Record<string, unknown> = {};
  for (const [name, read] of Object.entries(reads)) {
    await expect(read(late), name).rejects.toThrow("Nothing is left that could settle this call");
    answers[name] = await read({ ...late, consistency: "stale" });
  }
  expect(answers).toEqual({
    queue: 1,
    queues: ["calm"],
    schedule: "tells",
    schedules: 1,
    pausedTypes: ["broken"],
    audit: ["pause-type", "create-schedule", "define-queue"],
    variable: "hello",
    query: "hello",
    pending: ["signal"],
    stream: ["hello"],
    events: ["run-started"],
    state: 5,
    objects: ["a"],
    export: "a",
  });
});
