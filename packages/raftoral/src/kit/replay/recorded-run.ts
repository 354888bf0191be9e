/** The commands that bring a history about, as its cluster applied them: on a node that a replaying process replaces. */
import type { WorkflowCommand } from "@raftoral/workflow";
import { type HistoryExport, importPayload } from "../../api/histories/history-format.ts";
import { isKind } from "./parse-history.ts";

/**
 * The commands of one history: the registration of `owner`, the start, the records in the order of the log, the signals that wait, and the
 * cancellation. `cancelReason`: why the body is cancelled; undefined for one that is not. Throws TypeError for a record of an unknown kind.
 */
export function* recordedRun(
  history: HistoryExport,
  owner: number,
  cancelReason: string | undefined,
): Generator<WorkflowCommand, void, undefined> {
  const { runId, workflowType, version, seed, startedAtMs, trace, input, records, pendingSignals, attributes } =
    history;
  const types = [{ type: workflowType, version }];
  const { behaviourLevel = 0 } = history;
  yield { kind: "NodeRegister", nodeId: owner, incarnation: "recorded", types, atMs: startedAtMs, behaviourLevel };
  yield {
    kind: "WorkflowStart",
    runId,
    workflowType,
    version,
    input: importPayload(input, `the input of run ${runId}`).bytes,
    owner,
    atMs: startedAtMs,
    seed: new Uint8Array(Buffer.from(seed, "base64")),
    ...(attributes === undefined
      ? {}
      : { attributes: importPayload(attributes, `the attributes of run ${runId}`).bytes }),
    ...(trace === undefined ? {} : { trace }),
  };
  for (const record of records) {
    const { path, kind: recordKind, recordedAtMs: atMs } = record;
    if (!isKind(recordKind)) throw new TypeError(`Record ${path} is of kind ${recordKind}, which no version has.`);
    const value = importPayload(record, `record ${path}`).bytes;
    yield { kind: "Checkpoint", runId, path, value, atMs, owner, epoch: 1, recordKind };
  }
  for (const name of pendingSignals) {
    yield { kind: "Signal", runId, name, payload: new Uint8Array(0), signalId: "", atMs: startedAtMs };
  }
  // The body of a run that is to be cancelled is answered from its record, then every call throws.
  if (cancelReason !== undefined) yield { kind: "Cancel", runId, reason: cancelReason, atMs: startedAtMs };
}
