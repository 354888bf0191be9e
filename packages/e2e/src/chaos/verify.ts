/** What must hold of a {@link ChaosCluster} once it is healed and at rest. */
import { decodeValue, idempotencyKey, type RunView } from "@raftoral/workflow";
import { expect } from "vitest";
import type { ChaosCluster, ChaosNode } from "./chaos-cluster.ts";
import type { Asked } from "./clients.ts";
import { expectedResult, type Record } from "./expected.ts";
import type { Execution } from "./journal.ts";

type Executions = ReadonlyMap<string, readonly Execution[]>;

/** Resolves when every node has applied the same, with the state at that moment as bytes, by node. */
export async function sameIndex(cluster: ChaosCluster, deadlineMs: number): Promise<readonly Buffer[]> {
  for (;;) {
    const nodes = cluster.running();
    await Promise.all(nodes.map((node) => node.cluster.readIndex({ timeoutMs: 5_000 })));
    const applied = nodes.map((node) => node.cluster.status().applied);
    if (new Set(applied).size === 1)
      return nodes.map(({ executor }) => Buffer.concat([...executor.state.capture(4096)]));
    if (performance.now() > deadlineMs) throw new Error(`nodes do not come to the same index: ${applied}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Throws with the whole record of a run of which something does not hold. */
export function verifyRun(asked: Asked, views: readonly (RunView | undefined)[], journal: Executions): void {
  const { runId } = asked;
  const [run] = views;
  if (run === undefined) throw new Error(`${runId} was acknowledged and is gone`);
  try {
    expect(asked.created, "starts that created it").toBeLessThanOrEqual(1);
    for (const view of views) expect(view, `${runId} differs from node to node`).toEqual(run);
    verifyOutcome(asked, run);
    verifySteps(run, new Map(run.history), journal);
    verifyOrder(run);
    verifySignals(asked, run);
  } catch (error) {
    const lines = run.history.map(([key, { position, epoch, kind }]) => `${position} ${epoch} ${kind} ${key}`);
    const executions = [...journal.values()].flat().filter((each) => each.runId === runId);
    for (const { token, fencingToken, attempt } of executions) lines.push(`${fencingToken} ${attempt} ran ${token}`);
    throw new Error(`run ${runId}: ${JSON.stringify(asked)}\n${lines.join("\n")}`, { cause: error });
  }
}

function verifyOutcome({ plan }: Asked, run: RunView): void {
  const record: Record = new Map(run.history);
  expect(record.size, "paths that are recorded once").toBe(run.history.length);
  if (!("outcome" in run)) throw new Error("it has not ended");
  if (run.outcome.status === "completed") {
    const given = decodeValue(run.outcome.result, run.runId);
    expect(given).toEqual(expectedResult(plan, record, given));
  } else {
    expect(run.outcome).toEqual({ status: "cancelled", reason: "by its client" });
  }
}

/** A step's result is one execution's, and no later owner ran the step once it was recorded. */
function verifySteps(run: RunView, record: Record, journal: Executions): void {
  const { runId } = run;
  for (const [key, { kind, value, epoch }] of record) {
    const executions = journal.get(idempotencyKey(run, key)) ?? [];
    for (const { fencingToken } of executions) {
      expect(fencingToken, `${runId}/${key} ran again after it was recorded`).toBeLessThanOrEqual(epoch);
    }
    const attempts = executions.map(({ fencingToken, attempt }) => `${fencingToken}.${attempt}`);
    expect(new Set(attempts).size, `${runId}/${key}: one owner ran an attempt twice`).toBe(attempts.length);
    if ((kind !== "step" && kind !== "step-failed") || key.includes("draw")) continue;
    const recorded = decodeValue(value, key);
    const token = kind === "step" ? recorded : (recorded as { message: string }).message;
    const sources = executions.filter((execution) => execution.token === token);
    expect(sources.length, `${runId}/${key}: ${String(token)} comes from one execution`).toBe(1);
    expect(sources[0]?.fencingToken, `${runId}/${key} was recorded by another owner than ran it`).toBe(epoch);
  }
}

/** Records lie in the log as they are listed, under epochs that only rise; a variable's values in the order of its changes. */
function verifyOrder({ runId, history }: RunView): void {
  let [lastPosition, lastEpoch, lastAt] = [0, 0, 0];
  const sets = new Map<string, number>();
  for (const [key, { position, epoch, recordedAtMs }] of history) {
    expect(position, `${runId}/${key}`).toBeGreaterThan(lastPosition);
    expect(epoch, `${runId}/${key}`).toBeGreaterThanOrEqual(lastEpoch);
    expect(recordedAtMs, `${runId}/${key}`).toBeGreaterThanOrEqual(lastAt);
    [lastPosition, lastEpoch, lastAt] = [position, epoch, recordedAtMs];
    const [, variable, set] = /^(.*)\/set(\d+)$/.exec(key) ?? [];
    if (variable === undefined) continue;
    expect(Number(set), `${runId}/${variable} goes back`).toBe((sets.get(variable) ?? -1) + 1);
    sets.set(variable, Number(set));
  }
}

/** Signals were taken once each and in the order of sending, and none that was acknowledged was passed over. */
function verifySignals({ runId, sendings }: Asked, { history }: RunView): void {
  const taken = history.filter(([, { kind }]) => kind === "signal").map(([key, { value }]) => decodeValue(value, key));
  const places = taken.map((payload) => sendings.findIndex((sending) => sending.payload === payload));
  expect(places, `${runId}: signals in order`).toEqual([...new Set(places)].toSorted((a, b) => a - b));
  expect(places, `${runId}: a signal that was never sent`).not.toContain(-1);
  const last = places.at(-1) ?? -1;
  const passedOver = sendings
    .slice(0, last + 1)
    .filter(({ payload, acknowledged }) => acknowledged && !taken.includes(payload));
  expect(passedOver, `${runId}: acknowledged signals that were lost`).toEqual([]);
}

/** No node, in any of its lives, saw a record twice, or saw another than the others. */
export function verifyEvents(lives: readonly ChaosNode[]): void {
  const places = new Map<string, number>();
  for (const { nodeId, events } of lives) {
    const seen = new Set<string>();
    let last = 0;
    for (const event of events) {
      if (event.type === "records-unused") expect(event, `on node ${nodeId}`).toMatchObject({ keys: [] });
      if (event.type !== "record-committed") continue;
      const path = `${event.runId}/${event.path}`;
      expect(seen.has(path), `${path} was recorded twice on node ${nodeId}`).toBe(false);
      seen.add(path);
      expect(event.position, `${path} on node ${nodeId}`).toBeGreaterThan(last);
      last = event.position;
      expect(places.get(path) ?? event.position, `${path} on node ${nodeId}`).toBe(event.position);
      places.set(path, event.position);
    }
  }
}
