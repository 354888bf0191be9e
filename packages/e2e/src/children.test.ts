// @module-tag slow

// Children on real processes: a parent whose owner is killed hears of each of them once, and goes on over its generations.
import { expect, test } from "vitest";
import { useCluster } from "./cluster/use-cluster.ts";
import { eventually } from "./harness/index.ts";
import { type fleet, SHIPS, TRIPS } from "./programs/fleet.ts";

const WAIT_MS = 30_000;
const TEST_MS = 120_000;

const cluster = useCluster(3);

test(
  "a parent whose owner is killed in the middle gets the end of every child, and each child is one run",
  async () => {
    const { workflows: first } = await cluster().client(1);
    const run = await first.start<typeof fleet>("fleet", { trip: 0, arrived: [] }, { runId: "fleet-1" });
    const inTheMiddle = await eventually(WAIT_MS, "some ships to arrive in the second trip", async () => {
      const { generation, recordCount, children, owner } = await run.describe();
      return generation === 2 && recordCount > SHIPS && children.length > 0 ? { owner } : undefined;
    });
    const other = [1, 2, 3].find((nodeId) => nodeId !== inTheMiddle.owner) ?? 0;
    await cluster().kill(inTheMiddle.owner);

    const { workflows } = await cluster().client(other);
    const result = await workflows.run<typeof fleet>("fleet-1").result({ timeoutMs: WAIT_MS });
    expect(result).toEqual({ trip: TRIPS, arrived: Array.from({ length: TRIPS }, () => SHIPS) });
    const described = await workflows.describe("fleet-1");
    expect(described).toMatchObject({ generation: TRIPS, children: [], status: "completed" });
    expect(described.takeovers).toBe(0);
    const voyages = await Array.fromAsync(workflows.list({ workflowType: "voyage" }));
    expect(voyages).toHaveLength(SHIPS * TRIPS);
    await cluster().startNode(inTheMiddle.owner);
    expect(voyages.every(({ status, parent }) => status === "completed" && parent?.runId === "fleet-1")).toBe(true);
  },
  TEST_MS,
);

test(
  "a run whose time is over while its owner is dead is ended by the next one",
  async () => {
    const asked = await cluster().client(2);
    const run = await asked.workflows.start("patient", undefined, { runId: "late-1", runTimeoutMs: 3_000 });
    const { owner } = await run.describe();
    const other = [1, 2, 3].find((nodeId) => nodeId !== owner) ?? 0;
    await cluster().kill(owner);
    const { workflows } = await cluster().client(other);
    const ended = await workflows.wait("late-1", { timeoutMs: WAIT_MS });
    expect(ended).toMatchObject({ status: "failed", error: { code: "RUN_TIMED_OUT" } });
  },
  TEST_MS,
);
