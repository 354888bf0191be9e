/**
 * raftoral.v1.ClusterService over the API of a node. It translates messages to calls and answers to messages, and judges the callers of what only nodes
 * may ask.
 */
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { CALLER } from "@raftoral/transport-grpc";
import { parseReachableAddress } from "../api/cluster/address.ts";
import { NodeError } from "../api/errors.ts";
import { ClusterService } from "../gen/raftoral/v1/cluster_service_pb.ts";
import { backupToWire } from "../wire/backup-messages.ts";
import { memberToWire, nodeStatusToWire } from "../wire/cluster-messages.ts";
import { safeNumber } from "../wire/numbers.ts";
import { callerName } from "./caller-name.ts";
import { assertIsMember, placeFor } from "./caller-rights.ts";
import { callLimit, callOptions, guarded, required } from "./calls.ts";
import type { ServedNode } from "./served-node.ts";

/** Adds the service to a router. `served` gives the node, and throws while there is none. */
export function registerClusterService(
  router: ConnectRouter,
  served: () => ServedNode,
  defaultTimeoutMs: number,
): void {
  const limit = (requestedMs: number, context: HandlerContext) => callLimit(requestedMs, context, defaultTimeoutMs);
  const options = (requestedMs: number, context: HandlerContext) => callOptions(limit(requestedMs, context));
  const cluster = () => served().cluster;
  const operator = (context: HandlerContext) => served().clusterOf(callerName(context));
  const reasoned = (request: { readonly timeoutMs: number; readonly reason: string }, context: HandlerContext) => {
    return { ...options(request.timeoutMs, context), reason: request.reason };
  };
  router.service(ClusterService, {
    getStatus: guarded(async () => nodeStatusToWire(await cluster().status())),

    joinCluster: guarded(async (request, context) => {
      parseReachableAddress(required(request.address, "address"), "address");
      const node = served();
      const nodeId = placeFor(context.values.get(CALLER), {
        clusterId: node.clusterId,
        members: node.members(),
        address: request.address,
        nodeId: safeNumber(request.nodeId, "node_id"),
      });
      const { address, clusterName, timeoutMs } = request;
      const newcomer = { address, clusterName, nodeId, by: callerName(context) };
      const admission = await node.admit(newcomer, limit(timeoutMs, context));
      return {
        clusterId: admission.clusterId,
        nodeId: BigInt(admission.nodeId),
        members: admission.members.map(memberToWire),
      };
    }),

    announceNode: guarded(async (request, context) => {
      parseReachableAddress(required(request.address, "address"), "address");
      const node = served();
      const { clusterId } = node;
      if (request.clusterId !== clusterId) {
        throw new NodeError(
          "CLUSTER_MISMATCH",
          `Node ${node.nodeId} belongs to cluster ${clusterId}, not to ${request.clusterId}.`,
          { details: { clusterId } },
        );
      }
      const nodeId = safeNumber(request.nodeId, "node_id");
      const { address } = request;
      assertIsMember(context.values.get(CALLER), { clusterId, members: node.members(), address, nodeId });
      const members = await node.readdress(nodeId, address, limit(request.timeoutMs, context));
      return { members: members.map(memberToWire) };
    }),

    removeNode: guarded(async (request, context) => {
      const nodeId = idOrUndefined(request.nodeId);
      return { nodeId: BigInt(await operator(context).removeNode(nodeId, reasoned(request, context))) };
    }),

    waitForLeader: guarded(async (request, context) => {
      return { leaderId: BigInt(await cluster().waitForLeader(options(request.timeoutMs, context))) };
    }),

    transferLeadership: guarded(async (request, context) => {
      const to = idOrUndefined(request.nodeId);
      return { leaderId: BigInt(await operator(context).transferLeadership(to, reasoned(request, context))) };
    }),

    backUpNode: guarded(async (request, context) => {
      const name = required(request.name, "name");
      return backupToWire(await operator(context).backUp(name, reasoned(request, context)));
    }),
  });
}

function idOrUndefined(nodeId: bigint): number | undefined {
  return nodeId === 0n ? undefined : safeNumber(nodeId, "node_id");
}
