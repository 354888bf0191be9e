// @module-tag slow

// Steps on real processes: attempts, heartbeats and a bounded map go on where the owner was killed.
import { expect, test } from "vitest";
import { useCluster } from "./cluster/use-cluster.ts";
import { eventually } from "./harness/index.ts";
import { DEPTH, LOADS, type labor } from "./programs/labor.ts";

const WAIT_MS = 30_000;
const TEST_MS = 90_000;

const cluster = useCluster(3);

test(
  "a run whose owner is killed counts on, waits for the rest of a delay, and digs from the last heartbeat",
  async () => {
    const { workflows: first } = await cluster().client(1);
    const run = await first.start<typeof labor>("labor", undefined, { runId: "labor-1" });
    const stepOf = async (path: string) =>
      (await first.describe("labor-1")).stepsInProgress.find((step) => step.path === path);
    await eventually(WAIT_MS, "a failed attempt", async () => (await stepOf("haul#0"))?.failedAttempts === 1);
    const heard = await eventually(
      WAIT_MS,
      "a heartbeat",
      async () => Number((await stepOf("dig#0"))?.heartbeat.value() ?? 0) || undefined,
    );
    const { owner } = await run.describe();
    const loadedBefore = (await Array.fromAsync(run.history())).length;
    const other = [1, 2, 3].find((nodeId) => nodeId !== owner) ?? 0;
    await cluster().kill(owner);

    const { workflows } = await cluster().client(other);
    const failed = await eventually(WAIT_MS, "the next owner's attempt to fail", async () => {
      const { stepsInProgress } = await workflows.describe("labor-1");
      return stepsInProgress.find(({ path, failedAttempts }) => path === "haul#0" && failedAttempts === 2);
    });
    expect(failed.error?.message).toMatch(/^attempt 2 on node \d$/);
    expect(failed.error?.message).not.toContain(`node ${owner}`);
    const { hauled, dug, loaded } = await workflows.run<typeof labor>("labor-1").result({ timeoutMs: WAIT_MS });
    expect(hauled).toMatchObject({ attempt: 3 });
    expect(dug).toMatchObject({ attempt: 1 });
    expect(dug.node).not.toBe(owner);
    expect(dug.from).toBeGreaterThanOrEqual(heard);
    expect(dug.from).toBeLessThan(DEPTH);
    expect(loaded.map(({ load }) => load)).toEqual(Array.from({ length: LOADS }, (_, at) => at));
    // What was recorded before the kill was not carried out again.
    expect(loaded.filter(({ node }) => node === owner).length).toBeGreaterThanOrEqual(loadedBefore);
  },
  TEST_MS,
);
