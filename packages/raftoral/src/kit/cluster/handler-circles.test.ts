/** Handlers that wait for handlers: of their own run, of each other's, in circles, while runs and generations end, and over takeovers and evictions. */
import { exclusive, object, shared, signal, update, workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

type Way = readonly string[];

const LARGE = "x".repeat(500_000);

/** Objects that call each other: each hop takes a moment, and the last one answers. */
const place = object(
  "place",
  { version: 1, state: "" },
  {
    /** Lets the history become far too large, so that the generation ends with calls under way. */
    grow: exclusive(async (ctx) => {
      for (let at = 0; at < 70; at++) await ctx.state.set(`${at % 10}${LARGE}`);
      await ctx.state.set("");
    }),
    visit: shared(async (ctx, way: Way): Promise<string> => {
      await ctx.sleep("1s");
      const [next, ...rest] = way;
      if (next === undefined) return ctx.key;
      return `${ctx.key} ${await ctx.object<typeof place>("place", next).call("visit", rest)}`;
    }),
    /** As visit, one call after the other. */
    enter: exclusive(async (ctx, way: Way): Promise<string> => {
      await ctx.sleep("1s");
      const [next, ...rest] = way;
      if (next === undefined) return ctx.key;
      return `${ctx.key} ${await ctx.object<typeof place>("place", next).call("visit", rest)}`;
    }),
    /** A shared one that calls an exclusive one. */
    knock: shared(async (ctx, next: string): Promise<string> => {
      await ctx.sleep("2s");
      return `${ctx.key} ${await ctx.object<typeof place>("place", next).call("enter", [])}`;
    }),
  },
);

const pass = update<string, Way>("pass");
const leave = signal("leave");

/** Runs whose bodies return, or begin another generation, while their handlers call each other. */
const hall = workflow("hall", { version: 1 }, async (ctx, left: number): Promise<string> => {
  ctx.onUpdate(pass, async (own, way): Promise<string> => {
    await own.sleep("1s");
    const [next, ...rest] = way;
    if (next === undefined) return ctx.runId;
    return `${ctx.runId} ${await own.update(next, pass, rest)}`;
  });
  await ctx.waitFor(leave);
  if (left > 0) await ctx.continueAsNew(left - 1);
  return "left";
});

const WAYS: Readonly<Record<string, readonly [from: string, way: Way][]>> = {
  "their own run": [["a", ["a", "a"]]],
  "each other": [
    ["a", ["b"]],
    ["b", ["a"]],
  ],
  "each other there and back": [
    ["a", ["b", "a", "b"]],
    ["b", ["a", "b", "a"]],
  ],
  "in a circle": [
    ["a", ["b", "c", "a"]],
    ["b", ["c", "a", "b"]],
    ["c", ["a", "b", "c"]],
  ],
};

const CASES = Object.entries(WAYS);

/** Lets objects grow while calls of them are under way, so that their generations are about to end. */
async function grown(cluster: TestCluster, keys: readonly string[]): Promise<void> {
  const { workflows } = cluster;
  const growing = keys.map((key) => workflows.object(place, key).call("grow"));
  await cluster.time.advance("500ms");
  await Promise.all(growing);
  for (const key of keys) expect((await workflows.describe(`place/${key}`)).generation).toBe(1);
}

function shown(ways: readonly [string, Way][]): readonly string[] {
  return ways.map(([from, way]) => [from, ...way].join(" "));
}

for (const end of ["return", "continue as new"] as const) {
  test.for(CASES)(`handlers that call %s are answered after their bodies ${end}`, async ([, ways]) => {
    await using cluster = await TestCluster.start({ nodes: 3, workflows: [hall] });
    const { workflows } = cluster;
    const ids = [...new Set(ways.map(([from]) => from))];
    const runs = await Promise.all(ids.map((runId) => workflows.start(hall, end === "return" ? 0 : 1, { runId })));
    const calls = await Promise.all(ways.map(([from, way]) => workflows.run(from).startUpdate(pass, way)));
    for (const run of runs) await run.signal(leave);
    await cluster.time.advance("30s");
    expect(await Promise.all(calls.map((call) => call.result()))).toEqual(shown(ways));
    await cluster.time.untilIdle();
    for (const run of runs) {
      const { status, generation } = await run.describe();
      expect([status, generation]).toEqual(end === "return" ? ["completed", 1] : ["running", 2]);
    }
  });
}

test.for(CASES)(
  "handlers that call %s are answered after takeovers of all runs, and from bodies that were evicted",
  async ([, ways]) => {
    await using cluster = await TestCluster.start({
      nodes: 3,
      workflows: [hall],
      nodeOptions: { workflowLimits: { maxResidentRuns: 1 } },
    });
    const { workflows } = cluster;
    const ids = [...new Set(ways.map(([from]) => from))];
    for (const runId of ids) await workflows.start(hall, 0, { runId });
    const calls = await Promise.all(ways.map(([from, way]) => workflows.run(from).startUpdate(pass, way)));
    for (const runId of ids) await workflows.run(runId).signal(leave);
    await cluster.time.advance("1500ms");
    cluster.kill("owner", ids[0] ?? "");
    cluster.time.release();
    expect(await Promise.all(calls.map((call) => call.result()))).toEqual(shown(ways));
    for (const runId of ids) expect(await workflows.run(runId).result()).toBe("left");
  },
);

test.for(CASES)(
  "shared handlers of objects that call %s are answered while the generations of all of them end",
  async ([, ways]) => {
    await using cluster = await TestCluster.start({ nodes: 1, workflows: [place] });
    const { workflows } = cluster;
    const keys = [...new Set(ways.map(([from]) => from))];
    await cluster.time.advance("1ms");
    const calls = await Promise.all(ways.map(([from, way]) => workflows.object(place, from).send("visit", way)));
    await grown(cluster, keys);
    // From outside of bodies: the next generation has it.
    const late = workflows.object(place, "a").call("visit", []);
    await cluster.time.advance("30s");
    expect(await Promise.all(calls.map((call) => call.result()))).toEqual(shown(ways));
    expect(await late).toBe("a");
    await cluster.time.untilIdle();
    for (const key of keys) expect((await workflows.describe(`place/${key}`)).generation).toBe(2);
  },
);

test("an exclusive and a shared handler of two objects that call each other crosswise are answered while a generation ends", async () => {
  await using cluster = await TestCluster.start({ nodes: 1, workflows: [place] });
  const a = cluster.workflows.object(place, "a");
  const b = cluster.workflows.object(place, "b");
  await cluster.time.advance("1ms");
  const knocked = await a.send("knock", "b");
  await grown(cluster, ["a"]);
  const entered = await b.send("enter", ["a"]);
  await cluster.time.advance("30s");
  expect(await entered.result()).toBe("b a");
  expect(await knocked.result()).toBe("a b");
});
