/** Nothing acknowledged is lost, and nothing is there twice: checked on every node's own copy, against the work log. */
import type { RunDetails } from "raftoral";
import { expect } from "vitest";
import type { StepRecord } from "../programs/workflows.ts";
import { TALLY, TALLY_SUM } from "./load.ts";
import type { TestCluster } from "./test-cluster.ts";

const COMPLETION_MS = 30_000;

/**
 * Waits for all these runs of `tally` to end, then requires, on each of `nodeIds`: each run is there once and completed with the
 * right result; each step is recorded once, as the same execution on all nodes, and did not run again after that; every step
 * result that a workflow was given is the one in the record.
 */
export async function verifyRuns(
  cluster: TestCluster,
  ids: readonly string[],
  nodeIds: readonly number[] = cluster.nodeIds,
): Promise<void> {
  expect(ids.length).toBeGreaterThan(0);
  const copies = await Promise.all(nodeIds.map((nodeId) => copyOf(cluster, nodeId, ids)));
  const executions = Map.groupBy(cluster.workLog.executions(), (execution) => execution.run);
  const [first, ...others] = copies;
  for (const copy of others) expect(copy).toEqual(first);

  for (const id of ids) {
    const run = first?.get(id);
    expect(run, `run ${id}`).toMatchObject({ state: "Completed", result: TALLY_SUM });
    const steps = run?.checkpoints ?? [];
    expect(steps.map(({ key }) => key)).toEqual(Array.from({ length: TALLY.steps }, (_, i) => `step-${i + 1}#0`));
    const recorded = steps.map(({ value }) => (value as StepRecord).execution);
    const begun = executions.get(id) ?? [];
    expect(recorded).toEqual(begun.filter((execution) => execution.acknowledged).map((execution) => execution.id));
    // A body that began under a later ownership than the record's ran although its result was there.
    const repeated = begun.filter(
      ({ step, epoch }) => epoch > (steps.find(({ key }) => key === `${step}#0`)?.epoch ?? 0),
    );
    expect(repeated, `steps of run ${id} that ran after they were recorded`).toEqual([]);
  }
}

/** Runs by id as a node holds them; a run that is listed twice fails the test. */
async function copyOf(
  cluster: TestCluster,
  nodeId: number,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RunDetails>> {
  const client = await cluster.client(nodeId);
  const listed = (await client.listRuns({ type: "tally" })).map((run) => run.id);
  expect(new Set(listed).size, `runs listed by node ${nodeId}`).toBe(listed.length);
  expect(listed).toEqual(expect.arrayContaining([...ids]));
  const copy = new Map<string, RunDetails>();
  for (const id of ids) copy.set(id, await client.waitForRun(id, { timeoutMs: COMPLETION_MS }));
  return copy;
}
