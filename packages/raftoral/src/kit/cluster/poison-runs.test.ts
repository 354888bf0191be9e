// @module-tag slow

// Runs that end the process of their owner, on whole clusters under virtual time.
import { workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

const INNOCENT = 50;
/** Losses with which a run is stuck. */
const LOSSES = 5;
/** Losses that make a run a suspect. */
const SUSPECT = 3;

/** A workflow that ends its process as `process.abort()` would, and innocent ones that wait; how often it did so. */
function programs() {
  const setting: { cluster: TestCluster | undefined; ended: number } = { cluster: undefined, ended: 0 };
  const innocent = workflow("innocent", { version: 1 }, async (ctx) => ctx.waitFor("go"));
  const poison = workflow("poison", { version: 1 }, async (ctx) => {
    await ctx.step("harmless", () => "done");
    await ctx.step("end the process", () => {
      if (setting.cluster === undefined) return "cured";
      setting.ended += 1;
      const { nodeId } = ctx;
      setting.cluster.kill(nodeId);
      void setting.cluster.startNode(nodeId);
      return new Promise<string>(() => {});
    });
  });
  return { setting, innocent, poison };
}

test("of fifty runs that wait and one that ends its owners, that one alone is stuck, after five processes", async () => {
  const { setting, innocent, poison } = programs();
  await using cluster = await TestCluster.start({ workflows: [innocent, poison], seed: 11 });
  const runs = await Promise.all(
    Array.from({ length: INNOCENT }, (_, i) =>
      cluster.workflows.start(innocent, undefined, { runId: `innocent-${i}` }),
    ),
  );
  setting.cluster = cluster;
  const run = await cluster.workflows.start(poison, undefined, { runId: "poison" });
  await expect
    .poll(
      async () => {
        await cluster.time.advance("10s");
        return (await run.describe()).status;
      },
      { timeout: 60_000 },
    )
    .toBe("stuck");
  expect(setting.ended).toBe(LOSSES);
  expect(await run.describe()).toMatchObject({ owner: 0, stuckReason: "owner-losses", recordCount: 1 });
  const stuck = await Array.fromAsync(cluster.workflows.list({ status: "stuck" }));
  expect(stuck.map(({ runId }) => runId)).toEqual(["poison"]);
  // It holds up no other run, and no node begins it.
  await Promise.all(runs.map((each) => each.signal("go", each.runId)));
  expect(await Promise.all(runs.map((each) => each.result()))).toEqual(runs.map(({ runId }) => runId));
  await cluster.time.advance("1h");
  expect(setting.ended).toBe(LOSSES);
  setting.cluster = undefined;
  await run.resume();
  expect((await run.wait()).status).toBe("completed");
}, 120_000);

test("a stuck run is cancelled without its body, and a run that is not stuck is resumed in vain", async () => {
  const { setting, innocent, poison } = programs();
  await using cluster = await TestCluster.start({ workflows: [innocent, poison], nodes: 1, seed: 12 });
  setting.cluster = cluster;
  const run = await cluster.workflows.start(poison, undefined, { runId: "poison" });
  await expect
    .poll(
      async () => {
        await cluster.time.advance("10s");
        return (await run.describe()).status;
      },
      { timeout: 60_000 },
    )
    .toBe("stuck");
  const bodies = cluster.bodies("poison");
  await run.cancel({ reason: "enough" });
  expect(await run.wait()).toMatchObject({ status: "cancelled", reason: "enough" });
  expect(cluster.bodies("poison")).toBe(bodies);
  const other = await cluster.workflows.start(innocent, undefined, { runId: "other" });
  await other.resume();
  expect((await other.describe()).status).toBe("running");
  await expect(run.resume()).rejects.toMatchObject({ code: "WORKFLOW_FINISHED" });
});

test("an ordinary stop is held against no run: a node without others ends the trial first", async () => {
  const setting: { cluster: TestCluster | undefined; ended: number } = { cluster: undefined, ended: 0 };
  const long = workflow("long", { version: 1 }, async (ctx) => {
    await ctx.step("takes its time", () => {
      if (setting.cluster !== undefined && setting.ended < SUSPECT) {
        setting.ended += 1;
        setting.cluster.kill(ctx.nodeId);
        void setting.cluster.startNode(ctx.nodeId);
      }
      return new Promise<string>(() => {});
    });
  });
  await using cluster = await TestCluster.start({ workflows: [long], nodes: 1, seed: 13 });
  setting.cluster = cluster;
  const run = await cluster.workflows.start(long, undefined, { runId: "long" });
  await cluster.time.advance("30s");
  expect(setting.ended).toBe(SUSPECT);
  for (let stop = 0; stop < 6; stop++) {
    await cluster.stopNode(1);
    await cluster.startNode(1);
    await cluster.time.advance("5s");
    expect((await run.describe()).status).toBe("running");
  }
});
