/** From the workflow package's view of a run to what the services, the client and the command line show. */
import type { RunView, RunSummary as StateSummary } from "@raftoral/workflow";
import type { RunDetails, RunEvent, RunFailure, RunSummary } from "../client/run-info.ts";
import { decodeJson } from "../json.ts";

export function summaryOf(run: StateSummary): RunSummary {
  return {
    runId: run.runId,
    workflowType: run.workflowType,
    version: run.version,
    status: run.status,
    owner: run.owner,
    epoch: run.epoch,
    attempt: run.attempt,
    error: failureOf(run),
    startedAtMs: run.startedAtMs,
    endedAtMs: run.status === "running" ? 0 : run.endedAtMs,
    recordCount: run.recordCount,
  };
}

export function detailsOf(run: RunView): RunDetails {
  const result = run.status !== "running" && run.outcome.status === "completed" ? run.outcome.result : undefined;
  return {
    ...summaryOf(run),
    input: decodeJson(run.input, "The input"),
    result: result === undefined ? undefined : decodeJson(result, "The result"),
    history: run.history.map(([key, checkpoint]) => ({
      path: key,
      kind: checkpoint.kind,
      value: decodeJson(checkpoint.value, `Checkpoint ${key}`),
      recordedAtMs: checkpoint.recordedAtMs,
      epoch: checkpoint.epoch,
      index: checkpoint.index,
    })),
    lifecycle: historyOf(run),
  };
}

function failureOf(run: StateSummary): RunFailure | undefined {
  if (run.status === "running" || run.outcome.status === "completed") return undefined;
  if (run.outcome.status === "cancelled") {
    return { name: "cancelled", code: "WORKFLOW_CANCELLED", message: run.outcome.reason };
  }
  const { name, message, code } = run.outcome.error;
  return { name, message, code: code ?? "" };
}

/**
 * The turns of a run, as far as its record tells them: an owner that recorded nothing left no trace but the number of the
 * attempt.
 */
function historyOf(run: RunView): readonly RunEvent[] {
  const events: RunEvent[] = [
    { atMs: run.startedAtMs, kind: "started", text: `as ${run.workflowType}, version ${run.version}` },
  ];
  let epoch: number | undefined;
  for (const [key, checkpoint] of run.history) {
    if (epoch !== undefined && checkpoint.epoch !== epoch) {
      events.push({ atMs: checkpoint.recordedAtMs, kind: "taken-over", text: `another owner recorded ${key} first` });
    }
    epoch = checkpoint.epoch;
  }
  const unseen = run.attempt - events.length;
  if (unseen > 0) {
    const now = run.owner === 0 ? "nobody can take it at present" : `now node ${run.owner}`;
    events.push({ atMs: 0, kind: "taken-over", text: `${unseen} more changes of owner that recorded nothing; ${now}` });
  }
  if (run.status === "running") {
    if (run.cancelReason !== undefined) {
      events.push({ atMs: 0, kind: "cancel-requested", text: run.cancelReason });
    }
    return events;
  }
  const { outcome } = run;
  const text =
    outcome.status === "completed"
      ? `on node ${run.owner}`
      : outcome.status === "failed"
        ? outcome.error.message
        : outcome.reason;
  events.push({ atMs: run.endedAtMs, kind: outcome.status.toLowerCase(), text });
  return events;
}
