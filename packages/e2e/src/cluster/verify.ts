/** Nothing acknowledged is lost, and nothing is there twice: checked on every node's own copy, against the work log. */
import assert from "node:assert/strict";
import { endedCopyOf, type LoggedExecution, type RunCopy } from "../harness/index.ts";
import type { StepRecord } from "../programs/workflows.ts";
import { TALLY, TALLY_SUM } from "./load.ts";
import type { TestCluster } from "./test-cluster.ts";

const COMPLETION_MS = 30_000;
/** Runs that are asked for at once. */
const BATCH = 16;

/**
 * Waits for all these runs of `tally` to end, then requires, on each of `nodeIds`: each run is there once and completed with the
 * right result; each step is recorded once, as the same execution on all nodes, and did not run again after that; no step began after
 * a result that a workflow was given and that is not in the record. Rejects with an AssertionError for the first that does not hold.
 */
export async function verifyRuns(
  cluster: TestCluster,
  ids: readonly string[],
  nodeIds: readonly number[] = cluster.nodeIds,
): Promise<void> {
  assert(ids.length > 0, "there are no runs to verify");
  const copies = await Promise.all(nodeIds.map((nodeId) => copyOf(cluster, nodeId, ids)));
  const executions = Map.groupBy(cluster.workLog.executions(), (execution) => execution.run);
  const [first, ...others] = copies;
  for (const id of ids) {
    const run = first?.get(id);
    assert(run !== undefined, `run ${id} is gone`);
    for (const copy of others) assert.deepEqual(copy.get(id), run, `run ${id} differs from node to node`);
    verifyRun(run, executions.get(id) ?? []);
  }
}

function verifyRun({ runId, status, result, history }: RunCopy, begun: readonly LoggedExecution[]): void {
  assert.deepEqual({ status, result }, { status: "completed", result: TALLY_SUM }, `run ${runId}`);
  const keys = history.map(({ path }) => path);
  assert.deepEqual(
    keys,
    Array.from({ length: TALLY.steps }, (_, i) => `step-${i + 1}#0`),
    `steps of run ${runId}`,
  );
  const recorded = history.map(({ value }) => (value as StepRecord).execution);
  const given = begun.filter((execution) => execution.acknowledged);
  const givenIds = new Set(given.map(({ id }) => id));
  assert.deepEqual(
    recorded.filter((id) => id === undefined || !givenIds.has(id)),
    [],
    `recorded executions of run ${runId} whose result its body was not given`,
  );
  // A body goes on before its answer is committed (ADR 36). Where the answer was never recorded, no later step of that body began.
  const place = (step: string): number => keys.indexOf(`${step}#0`);
  const builtOnNothing = given
    .filter(({ id }) => !recorded.includes(id))
    .flatMap((lost) => begun.filter(({ epoch, step }) => epoch === lost.epoch && place(step) > place(lost.step)));
  assert.deepEqual(builtOnNothing, [], `steps of run ${runId} that began after an answer that was never recorded`);
  // A body that began under a later ownership than the record's ran although its result was there.
  const epochs = new Map(history.map(({ path, epoch }) => [path, epoch]));
  const repeated = begun.filter(({ step, epoch }) => epoch > (epochs.get(`${step}#0`) ?? 0));
  assert.deepEqual(repeated, [], `steps of run ${runId} that ran after they were recorded`);
}

/** Runs by id as a node holds them. Rejects when one is listed twice, or missing. */
async function copyOf(
  cluster: TestCluster,
  nodeId: number,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RunCopy>> {
  const client = await cluster.client(nodeId);
  const listed = (await Array.fromAsync(client.workflows.list({ workflowType: "tally" }))).map((run) => run.runId);
  const known = new Set(listed);
  assert.equal(known.size, listed.length, `runs listed by node ${nodeId} more than once`);
  const missing = ids.filter((id) => !known.has(id));
  assert.deepEqual(missing, [], `acknowledged runs that node ${nodeId} does not have`);
  const copy = new Map<string, RunCopy>();
  for (let at = 0; at < ids.length; at += BATCH) {
    const batch = ids.slice(at, at + BATCH);
    const runs = await Promise.all(batch.map((id) => endedCopyOf(client.workflows, id, COMPLETION_MS)));
    for (const [i, run] of runs.entries()) copy.set(batch[i] ?? "", run);
  }
  return copy;
}
