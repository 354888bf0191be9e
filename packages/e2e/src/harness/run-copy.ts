/** A run as one node holds it, with everything that is recorded of it: for comparing copies. */
import type { RunDescription, Workflows } from "raftoral";

/** A record of a {@link RunCopy}, with its value instead of the bytes. */
export interface RecordCopy {
  readonly path: string;
  readonly kind: string;
  readonly value: unknown;
  readonly recordedAtMs: number;
  readonly epoch: number;
  readonly position: string;
}

/** A run with its result and its history, decoded. */
export interface RunCopy extends RunDescription {
  /** Of a completed run. */
  readonly result: unknown;
  readonly history: readonly RecordCopy[];
}

/** Reads a run of which `workflows` tells. An ended run has its result. */
export async function copyOf(workflows: Workflows, runId: string): Promise<RunCopy> {
  const description = await workflows.describe(runId);
  const result = description.status === "completed" ? await workflows.result(runId) : undefined;
  const history: RecordCopy[] = [];
  for await (const record of workflows.history(runId)) history.push({ ...record, value: record.value.value() });
  return { ...description, result, history };
}

/** As {@link copyOf}, once the run has ended. Rejects with DEADLINE_EXCEEDED when it has not in time. */
export async function endedCopyOf(workflows: Workflows, runId: string, timeoutMs: number): Promise<RunCopy> {
  await workflows.wait(runId, { timeoutMs });
  return copyOf(workflows, runId);
}
