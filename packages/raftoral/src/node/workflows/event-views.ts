/** From the workflow package's view of what happened to what the API shows. Nothing is decoded. */
import { decodeValue, type EventPosition, type FeedEvent, type PlacedEvent, refusalIn } from "@raftoral/workflow";
import type { ClusterRunEvent, EventFilter, UpdateAcceptedEvent } from "../../api/events.ts";
import { Payload } from "../../api/payloads/payload.ts";
import type { RecordedFailure } from "../../api/runs.ts";

/** A position as page tokens carry it. */
export function positionText({ index, part }: EventPosition): string {
  return `${index}.${part}`;
}

/** The position of a text that {@link positionText} gave. */
export function positionOfText(text: string): EventPosition {
  const [index = 0, part = 0] = text.split(".").map(Number);
  return { index, part };
}

/** Whether an event is asked for. */
export function isWanted(event: FeedEvent, { types, runId, workflowType }: EventFilter): boolean {
  if (types !== undefined && !types.includes(typeOf(event))) return false;
  if (runId !== undefined && !runIdsOf(event).includes(runId)) return false;
  return workflowType === undefined || ("workflowType" in event && event.workflowType === workflowType);
}

/** One event. `position`: its place, as readers get it. */
export function eventView({ event }: PlacedEvent, position: string, values: boolean): ClusterRunEvent {
  const at = { position, atMs: event.atMs };
  if (event.type === "runs-pruned") return { ...at, type: event.type, runIds: event.runIds };
  if (event.type === "node-changed") return { ...at, type: event.type, nodeId: event.nodeId, status: event.status };
  if (event.type === "operator-acted") {
    const { type, by, action, subject, detail, reason } = event;
    return { ...at, type, by, action, subject, detail, reason };
  }
  const { runId, workflowType } = event;
  const run = { ...at, runId, workflowType };
  switch (event.type) {
    case "run-started": {
      const { type, version, owner, epoch, input } = event;
      return { ...run, type, version, owner, epoch, ...given(values, "input", input, `the input of run ${runId}`) };
    }
    case "run-continued": {
      const { type, version, generation, owner, epoch, input } = event;
      const facts = { version, generation, owner, epoch };
      return { ...run, type, ...facts, ...given(values, "input", input, `the input of run ${runId}`) };
    }
    case "record-committed": {
      const { type, path, kind, owner, epoch, value } = event;
      return { ...run, type, path, kind, owner, epoch, ...given(values, "value", value, `record ${path}`) };
    }
    case "attempt-failed": {
      const { type, path, attempts, error, nextAtMs } = event;
      return { ...run, type, path, failedAttempts: attempts, error, nextAttemptAtMs: nextAtMs };
    }
    case "owner-changed": {
      const { type, from, to, epoch, reason } = event;
      return { ...run, type, from, to, epoch, reason };
    }
    case "run-stuck":
      return { ...run, type: event.type, reason: event.reason };
    case "signal-buffered": {
      const { type, name, payload } = event;
      return { ...run, type, name, ...given(values, "payload", payload, `signal ${name}`) };
    }
    case "update-answered":
      return updateView(event, run, values);
    case "stream-appended": {
      const { type, stream, nextOffset, hasEnded } = event;
      return { ...run, type, stream, nextOffset, hasEnded };
    }
    case "run-retried": {
      const { type, from, reason } = event;
      return { ...run, type, from, reason };
    }
    case "run-forked": {
      const { type, source, from, reason } = event;
      return { ...run, type, source, from, reason };
    }
    case "pause-requested":
    case "cancel-requested":
      return { ...run, type: event.type, reason: event.reason };
    case "run-ended": {
      const { type, outcome } = event;
      const { status } = outcome;
      if (status === "failed") return { ...run, type, status, error: outcome.error };
      if (status === "cancelled") return { ...run, type, status, reason: outcome.reason };
      return { ...run, type, status, ...given(values, "result", outcome.result, `the result of run ${runId}`) };
    }
  }
}

/** The type under which readers get an event. */
function typeOf(event: FeedEvent): FeedEvent["type"] | "update-accepted" {
  return event.type === "update-answered" && event.verdict === "accepted" ? "update-accepted" : event.type;
}

function updateView(
  { name, updateId: id, verdict, value }: Extract<FeedEvent, { readonly type: "update-answered" }>,
  run: Pick<UpdateAcceptedEvent, "position" | "atMs" | "runId" | "workflowType">,
  values: boolean,
): ClusterRunEvent {
  if (verdict === "accepted") return { ...run, type: "update-accepted", name, id };
  const of = { ...run, type: "update-answered", name, id } as const;
  if (verdict === "completed") {
    return { ...of, status: verdict, ...given(values, "answer", value, `the answer to update ${name}`) };
  }
  if (verdict === "failed")
    return { ...of, status: verdict, error: decodeValue(value, `the failure of update ${name}`) as RecordedFailure };
  const { code, message } = refusalIn(value, run.runId);
  return { ...of, status: "refused", error: { name: "WorkflowError", message, code } };
}

function runIdsOf(event: FeedEvent): readonly string[] {
  if (event.type === "runs-pruned") return event.runIds;
  if (event.type === "operator-acted") return [event.subject];
  return event.type === "node-changed" ? [] : [event.runId];
}

function given<Name extends string>(
  values: boolean,
  name: Name,
  bytes: Uint8Array,
  what: string,
): { readonly [key in Name]?: Payload } {
  return values ? ({ [name]: Payload.ofBytes(bytes, what) } as { readonly [key in Name]: Payload }) : {};
}
