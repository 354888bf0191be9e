// Compares what the cluster recorded, on every service, with what the outside world saw, and with what was shown meanwhile.

import type { LoggedExecution, RunCopy } from "@raftoral/e2e/harness";
import { type Receipt, STEPS, type StepResult, totalOf } from "./order-workflow.ts";
import type { Order } from "./orders.ts";

/** The runs as one service holds them. */
export interface ServiceRecord {
  readonly nodeId: number;
  readonly runs: ReadonlyMap<string, RunCopy>;
}

/** A step that was seen to be recorded while it happened. */
export interface SeenStep {
  readonly run: string;
  readonly key: string;
  readonly position: string;
}

export interface Evidence {
  readonly orders: readonly Order[];
  readonly records: readonly ServiceRecord[];
  readonly executions: readonly LoggedExecution[];
  readonly seen: readonly SeenStep[];
  /** The service that was killed. */
  readonly killed: number;
}

export interface Finding {
  readonly claim: string;
  /** What speaks against it; empty when it holds. */
  readonly problems: readonly string[];
}

export interface Proof {
  readonly findings: readonly Finding[];
  readonly holds: boolean;
  /** Bodies that began on the killed service and whose result never came into the record. */
  readonly unrecorded: readonly LoggedExecution[];
}

/** Everything that is claimed, each with what speaks against it. */
export function prove(evidence: Evidence): Proof {
  const { orders, records, seen } = evidence;
  const unrecorded: LoggedExecution[] = [];
  const stepCount = orders.length * STEPS.length;
  const nodes = records.map(({ nodeId }) => nodeId);
  const findings: Finding[] = [
    {
      claim: `${orders.length === 1 ? "The order is" : `All ${orders.length} orders are`} completed, with the right total`,
      problems: orders.flatMap((order) => records.flatMap((record) => completion(order, record))),
    },
    {
      claim: `Services ${list(nodes)} hold the same record, entry by entry and place by place`,
      problems: orders.flatMap((order) => differences(order.id, records)),
    },
    {
      claim: `No recorded step was lost: all ${seen.length} entries seen on the way are there, where they were`,
      problems: seen.flatMap((step) => records.flatMap((record) => loss(step, record))),
    },
    {
      claim: `No recorded step ran twice: ${stepCount} steps, each recorded once, each the work of exactly one execution`,
      problems: orders.flatMap((order) => repetitions(order.id, evidence, unrecorded)),
    },
  ];
  return { findings, holds: findings.every(({ problems }) => problems.length === 0), unrecorded };
}

function completion(order: Order, { nodeId, runs }: ServiceRecord): readonly string[] {
  const run = runs.get(order.id);
  if (run === undefined) return [`service ${nodeId} does not know order ${order.id}`];
  if (run.status !== "completed") {
    return [`order ${order.id} is ${run.status} on service ${nodeId}: ${run.error?.message ?? ""}`];
  }
  const { total } = run.result as Receipt;
  if (total === totalOf(order)) return [];
  return [`order ${order.id} has total ${total} on service ${nodeId}; it should be ${totalOf(order)}`];
}

function differences(id: string, records: readonly ServiceRecord[]): readonly string[] {
  const [first, ...others] = records;
  if (first === undefined) return ["no service could be asked"];
  const expected = entries(first.runs.get(id));
  return others.flatMap(({ nodeId, runs }) => {
    const found = entries(runs.get(id));
    const place = expected.findIndex((entry, i) => entry !== found[i]);
    if (place === -1 && expected.length === found.length) return [];
    const at = place === -1 ? expected.length : place;
    const whose = (entry: string | undefined) => entry ?? "nothing";
    return [
      `entry ${at + 1} of order ${id}: service ${first.nodeId} has ${whose(expected[at])}, service ${nodeId} ${whose(found[at])}`,
    ];
  });
}

/** A run's entries as texts that are equal only when everything about them is. */
function entries(run: RunCopy | undefined): readonly string[] {
  if (run === undefined) return [];
  const recorded = run.history.map(({ path, kind, value, epoch, position, recordedAtMs }) =>
    JSON.stringify({ path, kind, value, epoch, position, recordedAtMs }),
  );
  return [...recorded, JSON.stringify({ status: run.status, result: run.result, epoch: run.epoch })];
}

function loss({ run, key, position }: SeenStep, { nodeId, runs }: ServiceRecord): readonly string[] {
  const found = runs.get(run)?.history.find(({ path }) => path === key);
  if (found?.position === position) return [];
  const now = found === undefined ? "is gone" : `is at ${found.position}`;
  return [`${key} of order ${run} was recorded at ${position} and ${now} on service ${nodeId}`];
}

/** Adds what ran on the killed service without being recorded to `unrecorded`. */
function repetitions(id: string, evidence: Evidence, unrecorded: LoggedExecution[]): readonly string[] {
  const { executions, records, killed } = evidence;
  const checkpoints = records[0]?.runs.get(id)?.history ?? [];
  return STEPS.flatMap((step) => {
    const recorded = checkpoints.filter(({ path }) => path.startsWith(`${step}#`));
    const [checkpoint] = recorded;
    if (checkpoint === undefined || recorded.length > 1) {
      return [`${step} of order ${id} is recorded ${recorded.length} times`];
    }
    const problems: string[] = [];
    const { execution: author } = checkpoint.value as StepResult;
    const all = executions.filter((execution) => execution.run === id && execution.step === step);
    const mine = all.find((execution) => execution.id === author);
    if (mine === undefined) problems.push(`${step} of order ${id} is recorded, but the work log has no such execution`);
    else if (!mine.ended) problems.push(`${step} of order ${id} is recorded, but its execution never ended`);
    for (const other of all) {
      if (other === mine) continue;
      // Begun under an earlier ownership, on the service that died: it was in flight then. Anything else ran once too often.
      if (other.node === killed && other.epoch < checkpoint.epoch) unrecorded.push(other);
      else problems.push(`${step} of order ${id} ran again on service ${other.node}, under epoch ${other.epoch}`);
    }
    return problems;
  });
}

function list(ids: readonly number[]): string {
  return `${ids.slice(0, -1).join(", ")} and ${ids.at(-1)}`;
}
