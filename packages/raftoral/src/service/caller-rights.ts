/**
 * What only nodes may ask of a node: a place in the cluster, and another address. Everything else is for every caller that the
 * server lets in.
 *
 * Invariants:
 * W1. A node gets a place under the id that its certificate names, if it names one; no node gets the id of another.
 * W2. A member is moved only by itself: by a certificate that is good for it where it was.
 */
import type { NodeId } from "@raftoral/raft-core";
import { type Caller, namedNode, objectionToCaller } from "@raftoral/transport-grpc";
import type { MemberInfo } from "../api/cluster/cluster.ts";
import { clusterNameOf } from "../api/cluster/cluster-id.ts";
import { NodeError } from "../api/errors.ts";

/** What is asked for, and of which cluster. */
export interface NodeRequest {
  readonly clusterId: string;
  readonly members: readonly MemberInfo[];
  readonly address: string;
  /** 0: any, where a place is asked for. */
  readonly nodeId: NodeId;
}

/** What certificates may call a cluster. */
export function clusterNamesOf(clusterId: string): readonly string[] {
  return [clusterNameOf(clusterId), clusterId];
}

/** The id that the place is to have; 0 where any will do (W1). Throws CALLER_REFUSED. */
export function placeFor(caller: Caller, request: NodeRequest): NodeId {
  if (caller.kind === "unknown") return request.nodeId;
  const clusterNames = clusterNamesOf(request.clusterId);
  // A member passes on what a newcomer asked of it, after it has looked at the newcomer.
  const isMember = request.members.some(
    ({ nodeId, address }) => objectionToCaller(caller, { nodeId, clusterNames, address }) === undefined,
  );
  if (isMember && request.nodeId !== 0) return request.nodeId;
  const named = namedNode(caller, clusterNames) ?? 0;
  if (named !== 0 && !request.members.some(({ nodeId }) => nodeId === named)) return named;
  if (isMember) return request.nodeId;
  // No id is claimed: it is the address that the certificate must be good for.
  const objection = objectionToCaller(caller, { nodeId: request.nodeId, clusterNames, address: request.address });
  if (objection === undefined) return request.nodeId;
  throw refused(`get a place in the cluster for ${request.address}`, objection);
}

/** Throws CALLER_REFUSED unless the caller is the member that has moved (W2). */
export function assertIsMember(caller: Caller, request: NodeRequest): void {
  if (caller.kind === "unknown") return;
  const { nodeId } = request;
  const clusterNames = clusterNamesOf(request.clusterId);
  const known = request.members.find((member) => member.nodeId === nodeId)?.address;
  for (const address of new Set([known ?? request.address, request.address])) {
    const objection = objectionToCaller(caller, { nodeId, clusterNames, address });
    if (objection !== undefined) throw refused(`say where node ${nodeId} is`, objection);
  }
}

function refused(what: string, objection: string): NodeError {
  return new NodeError(
    "CALLER_REFUSED",
    `The caller may not ${what}: ${objection}. Use the node's own certificate; docs/operations.md says which names it needs.`,
  );
}
