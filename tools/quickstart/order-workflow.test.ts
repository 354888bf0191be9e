// The orders workflow tested as its author would: with `raftoral/testing` alone, on virtual time.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkFiles } from "@raftoral/check";
import { WorkLog } from "@raftoral/e2e/harness";
import type { DisturbanceKind, SimulatedOutcome, TestClusterOptions } from "raftoral/testing";
import { inTurn, replayFolder, simulate, TestCluster, throws } from "raftoral/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { processOrder, type Receipt, STEPS, type StepName, totalOf } from "./order-workflow.ts";
import type { Order } from "./orders.ts";

const ORDER: Order = { id: "A17", customer: "Ada", item: "tea", quantity: 3, price: 4.2 };

let folder: string;
let workLog: WorkLog;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "raftoral-orders-"));
  workLog = new WorkLog(join(folder, "work.jsonl"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Three services with the workflow. Its steps pause for real, so every test mocks them. */
async function services(more: Partial<TestClusterOptions> = {}): Promise<TestCluster> {
  const cluster = await TestCluster.start({ workflows: (nodeId) => [processOrder(workLog, nodeId)], ...more });
  mockSteps(cluster.steps);
  return cluster;
}

function mockSteps(steps: TestCluster["steps"]): void {
  const values: Readonly<Record<StepName, unknown>> = {
    reserve: "3 x tea",
    charge: totalOf(ORDER),
    pack: "packed",
    label: "labelled",
    notify: "sent to Ada",
  };
  for (const name of STEPS) steps.mock(name, { value: values[name], node: 0, execution: "mocked" });
  steps.forbidUnmocked();
}

const workflow = () => processOrder(workLog, 1);
const start = (cluster: TestCluster) => cluster.workflows.start(workflow(), ORDER, { runId: ORDER.id });

describe("an order", () => {
  test("is reserved, charged, packed and labelled, and the customer is told", async () => {
    await using cluster = await services();
    const receipt: Receipt = await (await start(cluster)).result();
    expect(receipt).toEqual({ total: 12.6, parcel: expect.stringMatching(/^P[0-9A-F]{8}$/) });
    expect([...cluster.steps.names].sort()).toEqual([...STEPS].sort());
    for (const name of STEPS) cluster.steps.assertRan(name, { times: 1 });
  });

  test("cools off for 300 ms between the charge and the parcel", async () => {
    await using cluster = await services();
    const run = await start(cluster);
    await cluster.time.untilIdle();
    const began = cluster.time.nowMs;
    cluster.steps.assertRan("charge");
    cluster.steps.assertNeverRan("pack");
    await cluster.time.advance(299);
    cluster.steps.assertNeverRan("pack");
    await cluster.time.advance(1);
    cluster.steps.assertRan("pack");
    cluster.time.release();
    await run.result();
    expect(cluster.time.nowMs - began).toBe(300);
  });

  test("that cannot be charged fails, and is not shipped", async () => {
    await using cluster = await services();
    cluster.steps.mock("charge", throws(new Error("card declined")));
    const run = await start(cluster);
    await expect(run.result()).rejects.toThrow("card declined");
    for (const name of ["pack", "label", "notify"]) cluster.steps.assertNeverRan(name);
  });

  test("that is started twice is processed once", async () => {
    await using cluster = await services();
    const [first, second] = [await start(cluster), await start(cluster)];
    expect([first.created, second.created]).toEqual([true, false]);
    expect(await second.result()).toEqual(await first.result());
    cluster.steps.assertRan("charge", { times: 1 });
  });

  test("that is cancelled while it cools off is charged, and not packed", async () => {
    await using cluster = await services();
    const run = await start(cluster);
    cluster.at({ step: "charge", when: "finishes" }, () =>
      cluster.workflows.cancel(ORDER.id, { reason: "changed mind" }),
    );
    expect(await run.wait()).toMatchObject({ status: "cancelled", reason: "changed mind" });
    cluster.steps.assertNeverRan("pack");
  });

  test("has another total for each answer of the bank", async () => {
    await using cluster = await services();
    const answer = (value: number) => ({ value, node: 0, execution: "mocked" });
    cluster.steps.mock("charge", inTurn(answer(1), answer(2)));
    const run = await cluster.workflows.start(workflow(), ORDER, { runId: "one" });
    const other = await cluster.workflows.start(workflow(), ORDER, { runId: "two" });
    expect((await run.result()).total + (await other.result()).total).toBe(3);
  });
});

describe("when the service that owns the order dies", () => {
  const moments = STEPS.flatMap((step) => [
    { step, when: "starts" as const },
    { step, when: "finishes" as const },
  ]);

  test.each(moments)("as $step $when, another one completes it", async (moment) => {
    await using cluster = await services();
    cluster.at(moment, ({ nodeId }) => void cluster.kill(nodeId));
    const run = await start(cluster);
    expect(await run.result()).toMatchObject({ total: 12.6 });
    cluster.assertBodyRanAtMost(ORDER.id, 2);
    await cluster.assertRecordedOnce(ORDER.id);
  });

  test("after the charge is committed, the customer is not charged again", async () => {
    await using cluster = await services();
    cluster.at({ commit: 2, when: "after" }, ({ nodeId }) => void cluster.kill(nodeId));
    await (await start(cluster)).result();
    cluster.steps.assertRan("charge", { times: 1 });
    expect(cluster.bodies(ORDER.id)).toBe(2);
  });
});

test("whatever happens to the services, an order ends with the same receipt", { tags: ["slow"] }, async () => {
  const disturbances: readonly DisturbanceKind[] = [
    ...(["kill-owner", "kill-leader", "stop-owner", "drain-owner", "cut-off-owner"] as const),
    ...(["cut-off-leader", "power-cut", "move", "transfer", "delay"] as const),
  ];
  const options = { input: ORDER, seeds: 15, disturbances, mocks: mockSteps };
  const report = await simulate(workflow(), options);
  expect(report.disturbances).toBeGreaterThan(15);
});

test("a cancelled order is shipped whole or not at all", { tags: ["slow"] }, async () => {
  const check = ({ steps, status }: SimulatedOutcome<Receipt>): void => {
    const ran = (name: string): boolean => steps.some((step) => step.name === name);
    if (status === "completed") for (const name of STEPS) expect(ran(name), name).toBe(true);
    if (ran("notify")) for (const name of ["pack", "label"]) expect(ran(name), name).toBe(true);
  };
  const disturbances = ["cancel", "kill-owner"] as const;
  await simulate(workflow(), { input: ORDER, seeds: 15, disturbances, mocks: mockSteps, check });
});

// Runs that version 1 of the code recorded, kept beside it: `raftoral show ID --export tools/quickstart/histories/ID.json`.
replayFolder(test, new URL("./histories/", import.meta.url), [
  processOrder(new WorkLog(join(tmpdir(), "unwritten.jsonl")), 1),
]);

test("the body keeps the rules", async () => {
  const { findings, workflows } = await checkFiles([fileURLToPath(new URL("./order-workflow.ts", import.meta.url))]);
  expect(findings).toEqual([]);
  expect(workflows).toHaveLength(1);
});
