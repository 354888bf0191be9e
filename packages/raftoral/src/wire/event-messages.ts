/** Events between generated messages and the types of the API, both ways. Values pass through as bytes. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { NodeError } from "../api/errors.ts";
import {
  type ClusterRunEvent,
  EVENT_TYPES,
  type EventFilter,
  type NodeChangedEvent,
  type UpdateAnsweredEvent,
} from "../api/events.ts";
import { Payload } from "../api/payloads/payload.ts";
import type { RunEventSchema, RunEvent as WireEvent } from "../gen/raftoral/v1/event_service_pb.ts";
import { failureFromWire, failureToWire } from "./failure-messages.ts";
import { safeNumber } from "./numbers.ts";
import { statusFromWire, statusToWire } from "./run-messages.ts";

/** The types of events that a message names. Throws REQUEST_INVALID for one of a later version. */
export function eventTypesFromWire(types: readonly string[]): Pick<EventFilter, "types"> {
  if (types.length === 0) return {};
  const known = EVENT_TYPES.filter((type) => types.includes(type));
  const unknown = types.find((type) => !(EVENT_TYPES as readonly string[]).includes(type));
  if (unknown === undefined) return { types: known };
  throw new NodeError("REQUEST_INVALID", `Event type ${unknown} is not one of ${EVENT_TYPES.join(", ")}.`, {
    details: { field: "types" },
  });
}

/** An event as a message. */
export function eventToWire(event: ClusterRunEvent): MessageInitShape<typeof RunEventSchema> {
  const { position, atMs } = event;
  const run = "runId" in event ? { runId: event.runId, workflowType: event.workflowType } : {};
  return { position, atMs: BigInt(atMs), ...run, what: whatToWire(event) };
}

type WireWhat = NonNullable<MessageInitShape<typeof RunEventSchema>["what"]>;

function whatToWire(event: ClusterRunEvent): WireWhat {
  switch (event.type) {
    case "run-started": {
      const { version, owner, epoch, input } = event;
      const value = { version, ownerNodeId: BigInt(owner), epoch: BigInt(epoch), ...bytesOf("input", input) };
      return { case: "runStarted", value };
    }
    case "run-continued": {
      const { version, generation, owner, epoch, input } = event;
      const owned = { ownerNodeId: BigInt(owner), epoch: BigInt(epoch) };
      return { case: "runContinued", value: { version, generation, ...owned, ...bytesOf("input", input) } };
    }
    case "record-committed": {
      const { path, kind, owner, epoch, value } = event;
      const owned = { ownerNodeId: BigInt(owner), epoch: BigInt(epoch) };
      return { case: "recordCommitted", value: { path, kind, ...owned, ...bytesOf("value", value) } };
    }
    case "attempt-failed": {
      const { path, failedAttempts, error, nextAttemptAtMs } = event;
      const failure = error === undefined ? {} : { failure: failureToWire(error) };
      const value = { path, failedAttempts, nextAttemptAtMs: BigInt(nextAttemptAtMs), ...failure };
      return { case: "attemptFailed", value };
    }
    case "owner-changed": {
      const { from, to, epoch, reason } = event;
      const value = { fromNodeId: BigInt(from), toNodeId: BigInt(to), epoch: BigInt(epoch), reason };
      return { case: "ownerChanged", value };
    }
    case "run-stuck":
      return { case: "runStuck", value: { reason: event.reason } };
    case "signal-buffered":
      return { case: "signalBuffered", value: { name: event.name, ...bytesOf("payload", event.payload) } };
    case "update-accepted":
      return { case: "updateAccepted", value: { name: event.name, id: event.id } };
    case "update-answered": {
      const { name, id, status, answer, error } = event;
      const failure = error === undefined ? {} : { failure: failureToWire(error) };
      return { case: "updateAnswered", value: { name, id, status, ...failure, ...bytesOf("answer", answer) } };
    }
    case "stream-appended": {
      const { stream, nextOffset, hasEnded } = event;
      return { case: "streamAppended", value: { stream, nextOffset: BigInt(nextOffset), hasEnded } };
    }
    case "cancel-requested":
      return { case: "cancelRequested", value: { reason: event.reason } };
    case "pause-requested":
      return { case: "pauseRequested", value: { reason: event.reason } };
    case "run-retried":
      return { case: "runRetried", value: { from: event.from, reason: event.reason } };
    case "run-forked": {
      const { source, from, reason } = event;
      return { case: "runForked", value: { sourceRunId: source, from, reason } };
    }
    case "run-ended": {
      const { status, result, error, reason = "" } = event;
      const failure = error === undefined ? {} : { failure: failureToWire(error) };
      const facts = { status: statusToWire(status), cancelReason: reason };
      return { case: "runEnded", value: { ...facts, ...failure, ...bytesOf("result", result) } };
    }
    case "runs-pruned":
      return { case: "runsPruned", value: { runIds: [...event.runIds] } };
    case "node-changed":
      return { case: "nodeChanged", value: { nodeId: BigInt(event.nodeId), status: event.status } };
    case "operator-acted": {
      const { by, action, subject, detail, reason } = event;
      return { case: "operatorActed", value: { by, action, subject, detail, reason } };
    }
    case "events-missed":
      return { case: "eventsMissed", value: {} };
  }
}

/** The event of a message; undefined for one of a type that a later version added. Throws REQUEST_INVALID for numbers beyond 2^53 - 1. */
export function eventFromWire(event: WireEvent): ClusterRunEvent | undefined {
  const { position, runId, workflowType, what } = event;
  const at = { position, atMs: safeNumber(event.atMs, "at_ms") };
  const run = { ...at, runId, workflowType };
  switch (what.case) {
    case "runStarted": {
      const { version, input } = what.value;
      const facts = { version, ...ownedFrom(what.value) };
      return { ...run, type: "run-started", ...facts, ...payloadOf("input", input, `the input of run ${runId}`) };
    }
    case "runContinued": {
      const { version, generation, input } = what.value;
      const facts = { version, generation, ...ownedFrom(what.value) };
      return { ...run, type: "run-continued", ...facts, ...payloadOf("input", input, `the input of run ${runId}`) };
    }
    case "recordCommitted": {
      const { path, kind, value } = what.value;
      const facts = { path, kind, ...ownedFrom(what.value) };
      return { ...run, type: "record-committed", ...facts, ...payloadOf("value", value, `record ${path}`) };
    }
    case "attemptFailed": {
      const { path, failedAttempts, failure } = what.value;
      const error = failure === undefined ? undefined : failureFromWire(failure);
      const nextAttemptAtMs = safeNumber(what.value.nextAttemptAtMs, "next_attempt_at_ms");
      return { ...run, type: "attempt-failed", path, failedAttempts, error, nextAttemptAtMs };
    }
    case "ownerChanged": {
      const from = safeNumber(what.value.fromNodeId, "from_node_id");
      const to = safeNumber(what.value.toNodeId, "to_node_id");
      const epoch = safeNumber(what.value.epoch, "epoch");
      return { ...run, type: "owner-changed", from, to, epoch, reason: what.value.reason };
    }
    case "runStuck":
      return { ...run, type: "run-stuck", reason: what.value.reason };
    case "signalBuffered": {
      const { name, payload } = what.value;
      return { ...run, type: "signal-buffered", name, ...payloadOf("payload", payload, `signal ${name}`) };
    }
    case "updateAccepted":
      return { ...run, type: "update-accepted", name: what.value.name, id: what.value.id };
    case "updateAnswered": {
      const { name, id, answer, failure } = what.value;
      const of = { ...run, type: "update-answered", name, id } as const;
      const status = what.value.status as UpdateAnsweredEvent["status"];
      if (failure !== undefined) return { ...of, status, error: failureFromWire(failure) };
      return { ...of, status, ...payloadOf("answer", answer, `the answer to update ${name}`) };
    }
    case "streamAppended": {
      const { stream, hasEnded } = what.value;
      const nextOffset = safeNumber(what.value.nextOffset, "next_offset");
      return { ...run, type: "stream-appended", stream, nextOffset, hasEnded };
    }
    case "cancelRequested":
      return { ...run, type: "cancel-requested", reason: what.value.reason };
    case "pauseRequested":
      return { ...run, type: "pause-requested", reason: what.value.reason };
    case "runRetried":
      return { ...run, type: "run-retried", from: what.value.from, reason: what.value.reason };
    case "runForked": {
      const { sourceRunId: source, from, reason } = what.value;
      return { ...run, type: "run-forked", source, from, reason };
    }
    case "runEnded": {
      const { result, failure, cancelReason } = what.value;
      const status = statusFromWire(what.value.status);
      if (status === "failed" && failure !== undefined)
        return { ...run, type: "run-ended", status, error: failureFromWire(failure) };
      if (status === "cancelled") return { ...run, type: "run-ended", status, reason: cancelReason };
      const given = payloadOf("result", result, `the result of run ${runId}`);
      return { ...run, type: "run-ended", status: "completed", ...given };
    }
    case "runsPruned":
      return { ...at, type: "runs-pruned", runIds: what.value.runIds };
    case "nodeChanged": {
      const nodeId = safeNumber(what.value.nodeId, "node_id");
      return { ...at, type: "node-changed", nodeId, status: what.value.status as NodeChangedEvent["status"] };
    }
    case "operatorActed": {
      const { by, action, subject, detail, reason } = what.value;
      return { ...at, type: "operator-acted", by, action, subject, detail, reason };
    }
    case "eventsMissed":
      return { ...at, type: "events-missed" };
    default:
      return undefined;
  }
}

function ownedFrom(value: { readonly ownerNodeId: bigint; readonly epoch: bigint }) {
  return { owner: safeNumber(value.ownerNodeId, "owner_node_id"), epoch: safeNumber(value.epoch, "epoch") };
}

function bytesOf<Name extends string>(
  name: Name,
  payload: Payload | undefined,
): { readonly [key in Name]?: Uint8Array } {
  return (payload === undefined ? {} : { [name]: payload.bytes }) as { readonly [key in Name]?: Uint8Array };
}

function payloadOf<Name extends string>(
  name: Name,
  bytes: Uint8Array | undefined,
  what: string,
): { readonly [key in Name]?: Payload } {
  const given = bytes === undefined ? {} : { [name]: Payload.ofBytes(bytes, what) };
  return given as { readonly [key in Name]?: Payload };
}
