/**
 * Between generated messages and domain types, both ways: the only place that knows both (with the services that fill them).
 *
 * Ids, indexes and times are safe integers in the domain and 64 bits wide on the wire; what does not fit is refused.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { SnapshotTransferStatus } from "@raftoral/raft-core";
import type { MemberInfo, NodeRole, NodeStatus } from "../client/cluster-info.ts";
import type { RunDetails, RunStatus, RunSummary } from "../client/run-info.ts";
import { NodeError } from "../errors.ts";
import {
  type GetStatusResponse,
  GetStatusResponseSchema,
  type Member,
  type MemberSchema,
  type SnapshotTransfer,
  type SnapshotTransferSchema,
} from "../gen/raftoral/v1/cluster_service_pb.ts";
import { type Run, RunSchema, RunState as WireState } from "../gen/raftoral/v1/workflow_service_pb.ts";
import { decodeJson, encodeJson } from "../json.ts";

const STATES: ReadonlyMap<RunStatus, WireState> = new Map([
  ["running", WireState.RUNNING],
  ["completed", WireState.COMPLETED],
  ["failed", WireState.FAILED],
  ["cancelled", WireState.CANCELLED],
]);
const ROLES: ReadonlySet<string> = new Set<NodeRole>(["leader", "follower", "candidate", "learner"]);

/** A 64-bit field as a number. Throws REQUEST_INVALID beyond 2^53 - 1. */
export function safeNumber(value: bigint, what: string): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw new NodeError("REQUEST_INVALID", `${what} is ${value}, which is beyond 2^53 - 1.`);
}

export function stateToWire(state: RunStatus | undefined): WireState {
  return (state === undefined ? undefined : STATES.get(state)) ?? WireState.UNSPECIFIED;
}

/** `undefined` for unspecified. Throws REQUEST_INVALID for a state of a later version. */
export function stateFromWire(state: WireState): RunStatus | undefined {
  if (state === WireState.UNSPECIFIED) return undefined;
  for (const [domain, wire] of STATES) if (wire === state) return domain;
  throw new NodeError("REQUEST_INVALID", `Run state ${state} is not known to this version.`);
}

/** A run with everything known of it. Throws JSON_INVALID for values that JSON cannot hold. */
export function runToWire(run: RunDetails): Run {
  return create(RunSchema, {
    ...summaryFields(run),
    input: encodeJson(run.input, "the input"),
    result: encodeJson(run.result, "the result"),
    checkpoints: run.history.map((checkpoint) => ({
      key: checkpoint.path,
      value: encodeJson(checkpoint.value, `checkpoint ${checkpoint.path}`),
      kind: checkpoint.kind,
      recordedAtMs: BigInt(checkpoint.recordedAtMs),
      epoch: BigInt(checkpoint.epoch),
      logIndex: BigInt(checkpoint.index),
    })),
    history: run.lifecycle.map((event) => ({
      atMs: BigInt(event.atMs),
      kind: event.kind,
      text: event.text,
    })),
  });
}

/** A run without what may be large, for lists. */
export function summaryToWire(run: RunSummary): Run {
  return create(RunSchema, summaryFields(run));
}

function summaryFields(run: RunSummary) {
  return {
    workflowId: run.runId,
    workflowType: run.workflowType,
    version: run.version,
    state: stateToWire(run.status),
    ownerNodeId: BigInt(run.owner),
    epoch: BigInt(run.epoch),
    attempt: run.attempt,
    ...(run.error === undefined ? {} : { error: { ...run.error } }),
    startedAtMs: BigInt(run.startedAtMs),
    finishedAtMs: BigInt(run.endedAtMs),
    checkpointCount: run.recordCount,
  };
}

/** Throws REQUEST_INVALID when the answer has no run, JSON_INVALID for values that are not JSON. */
export function runFromWire(run: Run | undefined): RunDetails {
  if (run === undefined) {
    throw new NodeError("REQUEST_INVALID", "The node answered without a run; it may be of another version.");
  }
  return {
    ...summaryFromWire(run),
    input: decodeJson(run.input, "The input"),
    result: decodeJson(run.result, "The result"),
    history: run.checkpoints.map((checkpoint) => ({
      path: checkpoint.key,
      value: decodeJson(checkpoint.value, `checkpoint ${checkpoint.key}`),
      kind: checkpoint.kind,
      recordedAtMs: safeNumber(checkpoint.recordedAtMs, "recorded_at_ms"),
      epoch: safeNumber(checkpoint.epoch, "epoch"),
      index: safeNumber(checkpoint.logIndex, "log_index"),
    })),
    lifecycle: run.history.map((event) => ({
      atMs: safeNumber(event.atMs, "at_ms"),
      kind: event.kind,
      text: event.text,
    })),
  };
}

/** Throws REQUEST_INVALID for a run in no state. */
export function summaryFromWire(run: Run): RunSummary {
  const status = stateFromWire(run.state);
  if (status === undefined) throw new NodeError("REQUEST_INVALID", `Run ${run.workflowId} came without a state.`);
  return {
    runId: run.workflowId,
    workflowType: run.workflowType,
    version: run.version,
    status,
    owner: safeNumber(run.ownerNodeId, "owner_node_id"),
    epoch: safeNumber(run.epoch, "epoch"),
    attempt: run.attempt,
    error:
      run.error === undefined ? undefined : { name: run.error.name, message: run.error.message, code: run.error.code },
    startedAtMs: safeNumber(run.startedAtMs, "started_at_ms"),
    endedAtMs: safeNumber(run.finishedAtMs, "finished_at_ms"),
    recordCount: run.checkpointCount,
  };
}

export function memberToWire(member: MemberInfo): MessageInitShape<typeof MemberSchema> {
  return {
    nodeId: BigInt(member.nodeId),
    address: member.address,
    voter: member.voter,
    ...(member.match === undefined ? {} : { match: BigInt(member.match) }),
    ...(member.recentlyActive === undefined ? {} : { recentlyActive: member.recentlyActive }),
  };
}

export function memberFromWire(member: Member): MemberInfo {
  return {
    nodeId: safeNumber(member.nodeId, "node_id"),
    address: member.address,
    voter: member.voter,
    ...(member.match === undefined ? {} : { match: safeNumber(member.match, "match") }),
    ...(member.recentlyActive === undefined ? {} : { recentlyActive: member.recentlyActive }),
  };
}

export function statusToWire(status: NodeStatus): GetStatusResponse {
  return create(GetStatusResponseSchema, {
    clusterId: status.clusterId,
    nodeId: BigInt(status.nodeId),
    address: status.address,
    role: status.role,
    leaderId: BigInt(status.leader),
    term: BigInt(status.term),
    commitIndex: BigInt(status.commit),
    appliedIndex: BigInt(status.applied),
    firstIndex: BigInt(status.firstIndex),
    lastIndex: BigInt(status.lastIndex),
    members: status.members.map(memberToWire),
    runningRuns: status.runningRuns,
    ownedRuns: status.ownedRuns,
    workflows: [...status.workflows],
    version: status.version,
    transfers: status.transfers.map(transferToWire),
  });
}

function transferToWire(transfer: SnapshotTransferStatus): MessageInitShape<typeof SnapshotTransferSchema> {
  const { bytesTotal } = transfer;
  return {
    direction: transfer.direction,
    peerId: BigInt(transfer.peer),
    delegateId: BigInt(transfer.delegate ?? 0),
    index: BigInt(transfer.index),
    bytesDone: BigInt(transfer.bytesDone),
    ...(bytesTotal === undefined ? {} : { bytesTotal: BigInt(bytesTotal) }),
    startedAtMs: BigInt(Math.round(transfer.startedAtMs)),
    bytesPerSecond: BigInt(transfer.bytesPerSecond),
  };
}

/** Undefined for a kind of a later version. */
function transferFromWire(transfer: SnapshotTransfer): SnapshotTransferStatus | undefined {
  const { direction } = transfer;
  if (direction !== "send" && direction !== "receive" && direction !== "delegated") return undefined;
  const delegate = safeNumber(transfer.delegateId, "delegate_id");
  return {
    direction,
    peer: safeNumber(transfer.peerId, "peer_id"),
    delegate: delegate === 0 ? undefined : delegate,
    index: safeNumber(transfer.index, "index"),
    bytesDone: safeNumber(transfer.bytesDone, "bytes_done"),
    bytesTotal: transfer.bytesTotal === undefined ? undefined : safeNumber(transfer.bytesTotal, "bytes_total"),
    startedAtMs: safeNumber(transfer.startedAtMs, "started_at_ms"),
    bytesPerSecond: safeNumber(transfer.bytesPerSecond, "bytes_per_second"),
  };
}

/** Throws REQUEST_INVALID for a role of a later version. */
export function statusFromWire(status: GetStatusResponse): NodeStatus {
  if (!isRole(status.role)) throw new NodeError("REQUEST_INVALID", `Role ${status.role} is not known to this version.`);
  return {
    clusterId: status.clusterId,
    nodeId: safeNumber(status.nodeId, "node_id"),
    address: status.address,
    role: status.role,
    leader: safeNumber(status.leaderId, "leader_id"),
    term: safeNumber(status.term, "term"),
    commit: safeNumber(status.commitIndex, "commit_index"),
    applied: safeNumber(status.appliedIndex, "applied_index"),
    firstIndex: safeNumber(status.firstIndex, "first_index"),
    lastIndex: safeNumber(status.lastIndex, "last_index"),
    members: status.members.map(memberFromWire),
    runningRuns: status.runningRuns,
    ownedRuns: status.ownedRuns,
    workflows: status.workflows,
    version: status.version,
    transfers: status.transfers.flatMap((transfer) => transferFromWire(transfer) ?? []),
  };
}

function isRole(role: string): role is NodeRole {
  return ROLES.has(role);
}
