/** From the workflow package's view of a run to what the services, the client and the command line show. */
import type { RunView, RunSummary as StateSummary } from "@raftoral/workflow";
import type { RunDetails, RunEvent, RunFailure, RunSummary } from "../client/run-info.ts";
import { decodeJson } from "../json.ts";

export function summaryOf(run: StateSummary): RunSummary {
  return {
    id: run.runId,
    type: run.type,
    version: run.version,
    state: run.status,
    owner: run.owner,
    epoch: run.epoch,
    attempt: run.attempt,
    error: failureOf(run),
    startedAtMs: run.startedAt,
    finishedAtMs: run.status === "Running" ? 0 : run.endedAt,
    checkpointCount: run.checkpointCount,
  };
}

export function detailsOf(run: RunView): RunDetails {
  const result = run.status !== "Running" && run.outcome.status === "Completed" ? run.outcome.result : undefined;
  return {
    ...summaryOf(run),
    input: decodeJson(run.input, "The input"),
    result: result === undefined ? undefined : decodeJson(result, "The result"),
    checkpoints: run.checkpoints.map(([key, checkpoint]) => ({
      key,
      kind: checkpoint.record,
      value: decodeJson(checkpoint.value, `Checkpoint ${key}`),
      recordedAtMs: checkpoint.at,
      epoch: checkpoint.epoch,
      index: checkpoint.index,
    })),
    history: historyOf(run),
  };
}

function failureOf(run: StateSummary): RunFailure | undefined {
  if (run.status === "Running" || run.outcome.status === "Completed") return undefined;
  if (run.outcome.status === "Cancelled") {
    return { name: "Cancelled", code: "WORKFLOW_CANCELLED", message: run.outcome.reason };
  }
  const { name, message, code } = run.outcome.error;
  return { name, message, code: code ?? "" };
}

/**
 * The turns of a run, as far as its record tells them: an owner that recorded nothing left no trace but the number of the
 * attempt.
 */
function historyOf(run: RunView): readonly RunEvent[] {
  const events: RunEvent[] = [{ atMs: run.startedAt, kind: "started", text: `as ${run.type}, version ${run.version}` }];
  let epoch: number | undefined;
  for (const [key, checkpoint] of run.checkpoints) {
    if (epoch !== undefined && checkpoint.epoch !== epoch) {
      events.push({ atMs: checkpoint.at, kind: "taken-over", text: `another owner recorded ${key} first` });
    }
    epoch = checkpoint.epoch;
  }
  const unseen = run.attempt - events.length;
  if (unseen > 0) {
    const now = run.owner === 0 ? "nobody can take it at present" : `now node ${run.owner}`;
    events.push({ atMs: 0, kind: "taken-over", text: `${unseen} more changes of owner that recorded nothing; ${now}` });
  }
  if (run.status === "Running") {
    if (run.cancelReason !== undefined) {
      events.push({ atMs: 0, kind: "cancel-requested", text: run.cancelReason });
    }
    return events;
  }
  const { outcome } = run;
  const text =
    outcome.status === "Completed"
      ? `on node ${run.owner}`
      : outcome.status === "Failed"
        ? outcome.error.message
        : outcome.reason;
  events.push({ atMs: run.endedAt, kind: outcome.status.toLowerCase(), text });
  return events;
}
