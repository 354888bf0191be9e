/** Reads a run through any implementation of the API, as one value. */
import { type AttributeValues, encodeAttributes, storedAttributes } from "@raftoral/workflow";
import type { ReadOptions } from "../call-options.ts";
import { type HistoryRecord, hasEnded, type RunDescription } from "../runs.ts";
import type { Workflows } from "../workflows.ts";
import {
  type ExportedOutcome,
  type ExportedPayload,
  exportPayload,
  HISTORY_FORMAT,
  type HistoryExport,
} from "./history-format.ts";

/** The history of a run as it is now; `options` limit each of the reads. Rejects with WORKFLOW_NOT_FOUND. */
export async function exportHistory(
  workflows: Workflows,
  runId: string,
  options?: ReadOptions,
): Promise<HistoryExport> {
  const input = await workflows.input(runId, options);
  for (;;) {
    const before = await workflows.describe(runId, options);
    const records: HistoryRecord[] = [];
    for await (const record of workflows.history(runId, options)) records.push(record);
    // A run that ended meanwhile has more records than were read, or an outcome. It ends once, so the next round is the last.
    const description = hasEnded(before.status) ? before : await workflows.describe(runId, options);
    if (hasEnded(description.status) !== hasEnded(before.status)) continue;
    const { workflowType, version, seed, startedAtMs, trace, behaviourLevel, pendingSignals } = description;
    const { initialAttributes } = description;
    return {
      format: HISTORY_FORMAT,
      runId: description.runId,
      workflowType,
      version,
      seed,
      startedAtMs,
      ...(trace === undefined ? {} : { trace }),
      ...(behaviourLevel === 0 ? {} : { behaviourLevel }),
      input: exportPayload(input.bytes),
      ...(Object.keys(initialAttributes).length === 0
        ? {}
        : { attributes: exportAttributes(runId, initialAttributes) }),
      records: records.map(({ path, kind, recordedAtMs, value }) => {
        return { path, kind, recordedAtMs, ...exportPayload(value.bytes) };
      }),
      pendingSignals,
      outcome: await outcomeOf(workflows, description, options),
    };
  }
}

function exportAttributes(runId: string, attributes: AttributeValues): ExportedPayload {
  return exportPayload(encodeAttributes(storedAttributes(runId, attributes)));
}

async function outcomeOf(
  workflows: Workflows,
  { runId, status, cancelReason }: RunDescription,
  options: ReadOptions | undefined,
): Promise<ExportedOutcome> {
  const asked = cancelReason === undefined ? {} : { cancelReason };
  if (!hasEnded(status)) return { status: "running", ...asked };
  const ended = await workflows.wait(runId, options);
  const { endedAtMs } = ended;
  switch (ended.status) {
    case "completed":
      return { status: ended.status, ...asked, endedAtMs, ...exportPayload(ended.result.bytes) };
    case "failed":
      return { status: ended.status, ...asked, endedAtMs, error: ended.error };
    case "cancelled":
      return { status: ended.status, ...asked, endedAtMs, reason: ended.reason };
  }
}
