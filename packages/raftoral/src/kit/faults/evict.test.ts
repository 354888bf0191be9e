/** Bodies that leave memory on purpose: `cluster.evict`, and the disturbance of the same name. */
import { query, signal, workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { TestCluster } from "../cluster/test-cluster.ts";
import { simulate } from "../simulate/simulate.ts";

const approval = signal<boolean>("approval");
const stage = query<string>("stage");

const order = workflow("order", { version: 1 }, async (ctx, item: string) => {
  let at = "reserving";
  ctx.onQuery(stage, () => at);
  const stock = await ctx.step("reserve", () => `reserved ${item}`);
  at = "sleeping";
  await ctx.sleep("1d");
  at = "waiting";
  const [approved, label] = await Promise.all([
    ctx.waitFor(approval, { timeout: "7d" }),
    ctx.scope("parcel", (parcel) => parcel.step("label", () => "labelled")),
  ]);
  await ctx.step("charge", () => "charged");
  return { stock, approved: approved.payload ?? null, label, attempt: ctx.attempt };
});

const RESULT = { stock: "reserved tea", approved: true, label: "labelled", attempt: 1 };

test("a body leaves memory at each rest, and the run goes on as if nothing had been", async () => {
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 3 });
  const run = await cluster.workflows.start(order, "tea", { runId: "r" });
  await cluster.time.untilIdle();
  const asleep = cluster.evict("r");
  await cluster.time.untilIdle();
  expect(await asleep).toBe(true);
  expect(await run.query(stage)).toBe("sleeping");
  await cluster.time.advance("1d");
  const waiting = cluster.evict("r");
  await cluster.time.untilIdle();
  expect(await waiting).toBe(true);
  expect(await run.query(stage)).toBe("waiting");
  await run.signal(approval, true);
  expect(await run.result()).toEqual(RESULT);
  expect(cluster.bodies("r")).toBe(1);
  for (const step of ["reserve", "label", "charge"]) cluster.steps.assertRan(step, { times: 1 });
  await cluster.assertRecordedOnce("r");
  expect(cluster.story.filter((line) => line.includes("is back in memory"))).toHaveLength(2);
});

test("a body that is asked to leave at a moment does so when it rests, and a run without a body has none to give", async () => {
  await using cluster = await TestCluster.start({ workflows: [order], nodes: 1 });
  const left: boolean[] = [];
  cluster.at({ step: "reserve" }, async () => {
    left.push(await cluster.evict("r"));
  });
  expect(await cluster.evict("r")).toBe(false);
  const run = await cluster.workflows.start(order, "tea", { runId: "r" });
  await cluster.time.untilIdle();
  expect(left).toEqual([true]);
  await run.signal(approval, true);
  expect(await run.result()).toEqual(RESULT);
  expect(await cluster.evict("r")).toBe(false);
});

test("simulations take bodies out of memory, and find a body that a replay does not bring back to where it was", async () => {
  const options = {
    input: "tea",
    seeds: 3,
    disturbances: ["evict"] as const,
    signals: [{ signal: approval, payload: true }],
  };
  const { seeds, disturbances } = await simulate(order, { ...options, check: ({ bodies }) => expect(bodies).toBe(1) });
  expect(seeds).toBe(3);
  expect(disturbances).toBeGreaterThan(2);
  let times = 0;
  const forgetful = workflow("forgetful", { version: 1 }, async (ctx) => {
    times += 1;
    await ctx.sleep("1h", { name: `nap ${times}` });
    await ctx.waitFor(approval);
  });
  const plan = "evict@call:1:begins";
  const found = simulate(forgetful, { ...options, input: undefined, seeds: [1], plan });
  await expect(found).rejects.toThrow(/stuck|mismatch|Nothing is left/);
});
