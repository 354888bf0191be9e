/**
 * The cluster between generated messages and the types of the API, both ways.
 *
 * Ids, indexes and times are safe integers in the API and 64 bits wide on the wire; what does not fit is refused.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { SnapshotTransferStatus } from "@raftoral/raft-core";
import type { MemberInfo, NodeRole, NodeStatus, RetainedRuns } from "../api/cluster/cluster.ts";
import { NodeError } from "../api/errors.ts";
import {
  type GetStatusResponse,
  GetStatusResponseSchema,
  type Member,
  type MemberSchema,
  type Retained,
  type RetainedSchema,
  type SnapshotTransfer,
  type SnapshotTransferSchema,
} from "../gen/raftoral/v1/cluster_service_pb.ts";
import { safeNumber } from "./numbers.ts";

const ROLES: ReadonlySet<string> = new Set<NodeRole>(["leader", "follower", "candidate", "learner"]);

/** A member as a message. */
export function memberToWire(member: MemberInfo): MessageInitShape<typeof MemberSchema> {
  return {
    nodeId: BigInt(member.nodeId),
    address: member.address,
    voter: member.voter,
    ...(member.match === undefined ? {} : { match: BigInt(member.match) }),
    ...(member.recentlyActive === undefined ? {} : { recentlyActive: member.recentlyActive }),
  };
}

/** The member of a message. Throws as {@link safeNumber} does. */
export function memberFromWire(member: Member): MemberInfo {
  return {
    nodeId: safeNumber(member.nodeId, "node_id"),
    address: member.address,
    voter: member.voter,
    ...(member.match === undefined ? {} : { match: safeNumber(member.match, "match") }),
    ...(member.recentlyActive === undefined ? {} : { recentlyActive: member.recentlyActive }),
  };
}

/** A status as a message. */
export function nodeStatusToWire(status: NodeStatus): GetStatusResponse {
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
    snapshotIndex: BigInt(status.snapshotIndex),
    isSwept: status.isSwept,
    retained: retainedToWire(status.retained),
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

/** The status of a message. Throws REQUEST_INVALID for a role of a later version. */
export function nodeStatusFromWire(status: GetStatusResponse): NodeStatus {
  if (!isRole(status.role))
    throw new NodeError("REQUEST_INVALID", `Role ${status.role} is not known to this version. Upgrade the client.`);
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
    snapshotIndex: safeNumber(status.snapshotIndex, "snapshot_index"),
    isSwept: status.isSwept,
    retained: retainedFromWire(status.retained),
  };
}

function retainedToWire(retained: RetainedRuns): MessageInitShape<typeof RetainedSchema> {
  const { runs, maxRuns, bytes, maxBytes, ids, maxIds } = retained;
  const bound = (most: number): bigint => BigInt(Math.floor(Math.min(most, Number.MAX_SAFE_INTEGER)));
  return {
    runs: BigInt(runs),
    maxRuns: bound(maxRuns),
    bytes: BigInt(bytes),
    maxBytes: bound(maxBytes),
    ids: BigInt(ids),
    maxIds: bound(maxIds),
  };
}

function retainedFromWire(retained: Retained | undefined): RetainedRuns {
  return {
    runs: safeNumber(retained?.runs ?? 0n, "retained.runs"),
    maxRuns: safeNumber(retained?.maxRuns ?? 0n, "retained.max_runs"),
    bytes: safeNumber(retained?.bytes ?? 0n, "retained.bytes"),
    maxBytes: safeNumber(retained?.maxBytes ?? 0n, "retained.max_bytes"),
    ids: safeNumber(retained?.ids ?? 0n, "retained.ids"),
    maxIds: safeNumber(retained?.maxIds ?? 0n, "retained.max_ids"),
  };
}

function isRole(role: string): role is NodeRole {
  return ROLES.has(role);
}
