// @module-tag slow
import { exclusive, object, query, workflow } from "@raftoral/workflow";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { raftoral } from "../../testing/run-cli.ts";
import { TestCluster, until } from "../../testing/test-cluster.ts";

const tells = workflow("tells", { version: 1 }, async (ctx) => {
  await ctx.variable("told", "hello");
  await ctx.stream("words").write("hello");
  ctx.onQuery(query<string>("told"), () => "hello");
  await ctx.step("note", () => "noted");
  await ctx.waitFor("go");
});
const counter = object(
  "counter",
  { version: 1, state: 0 },
  { add: exclusive((ctx, more: number) => ctx.state.update((state) => state + more)) },
);

/** A cluster of three of which one is left. */
describe("a node whose peers are gone", () => {
  let cluster: TestCluster;
  let address: string;

  beforeAll(async () => {
    cluster = await TestCluster.create("grpc", [tells, counter]);
    const { nodes } = await cluster.form(3);
    const [left, ...others] = nodes;
    if (left === undefined) throw new Error("there is no node");
    const { workflows } = left;
    address = left.address;
    await workflows.queues.define("calm", { concurrency: 1 });
    await workflows.schedules.create("nightly", { workflow: tells, everyMs: 86_400_000 });
    await workflows.pauseType("other", { reason: "broken" });
    await workflows.object(counter, "a").call("add", 5);
    const run = await workflows.start(tells, undefined, { runId: "A17", queue: "calm" });
    await until(left, async () => (await run.pending()).some(({ kind }) => kind === "signal"), "the run waits");
    for (const node of others) await node.stop({ timeoutMs: 1 });
  }, 60_000);
  afterAll(() => cluster.dispose());

  test.each<[command: string, shows: string | RegExp]>([
    ["list", "A17"],
    ["count", "tells"],
    ["show A17", "note#0"],
    ["show A17 --export", '"runId": "A17"'],
    ["variables A17", "hello"],
    ["query A17 told", "hello"],
    ["stream A17 words", "hello"],
    ["events", "A17"],
    ["queues list", "calm"],
    ["queues list calm", "calm"],
    ["schedules list", "nightly"],
    ["schedules show nightly", "tells"],
    ["paused-types", "broken"],
    ["audit", "pause-type"],
    ["object state counter a", "5"],
    ["object list counter", "a"],
  ])("answers %s --stale", async (command, shows) => {
    const ask = (...more: readonly string[]) =>
      raftoral([...command.split(" "), "--timeout", "2s", ...more], { RAFTORAL_NODE: address });
    const { code, out, err } = await ask("--stale");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(shows);
  });

  test("answers no other read", async () => {
    const { code, err } = await raftoral(["variables", "A17", "--timeout", "300ms"], { RAFTORAL_NODE: address });
    expect(code).not.toBe(0);
    expect(err).not.toBe("");
  });

  test.each<[path: string, has: string]>([
    ["runs", "A17"],
    ["counts", "tells"],
    ["runs/A17", "tells"],
    ["runs/A17/history", "note#0"],
    ["runs/A17/variables", "hello"],
    ["runs/A17/pending", "signal"],
    ["runs/A17/input", "{}"],
    ["runs/A17/streams/words?follow=false", "hello"],
    ["events?from=oldest&follow=false", "A17"],
    ["queues", "calm"],
    ["schedules", "nightly"],
    ["paused-types", "broken"],
    ["audit", "pause-type"],
    ["objects/counter/a", "5"],
  ])("answers GET /v1/%s with consistency=stale", async (path, has) => {
    const read = async (more: string) => {
      const url = `http://${address}/v1/${path}${path.includes("?") ? "&" : "?"}${more}`;
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      return [response.status, await response.text()] as const;
    };
    const [status, body] = await read("consistency=stale");
    expect(status).toBe(200);
    expect(body).toContain(has);
  });
});
