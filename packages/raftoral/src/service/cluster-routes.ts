/**
 * raftoral.v1.ClusterService: checks requests, calls the node, answers.
 */
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { CALLER } from "@raftoral/transport-grpc";
import { parseReachableAddress } from "../api/address.ts";
import { NodeError } from "../errors.ts";
import { ClusterService } from "../gen/raftoral/v1/cluster_service_pb.ts";
import { backupToWire } from "./backup-messages.ts";
import { assertIsMember, placeFor } from "./caller-rights.ts";
import { callTimeout, guarded, required } from "./calls.ts";
import { memberToWire, safeNumber, statusToWire } from "./messages.ts";
import type { ServedNode } from "./served-node.ts";

export function registerClusterService(
  router: ConnectRouter,
  served: () => ServedNode,
  defaultTimeoutMs: number,
): void {
  const timeout = (requested: number, context: HandlerContext) => callTimeout(requested, context, defaultTimeoutMs);
  router.service(ClusterService, {
    getStatus: guarded(async () => statusToWire(served().nodeStatus())),

    joinCluster: guarded(async (request, context) => {
      parseReachableAddress(required(request.address, "address"), "address");
      const node = served();
      const nodeId = placeFor(context.values.get(CALLER), {
        clusterId: node.clusterId,
        members: node.nodeStatus().members,
        address: request.address,
        nodeId: safeNumber(request.nodeId, "node_id"),
      });
      const limit = timeout(request.timeoutMs, context);
      const admission = await node.admit(request.address, request.clusterName, nodeId, limit);
      return {
        clusterId: admission.clusterId,
        nodeId: BigInt(admission.nodeId),
        members: admission.members.map(memberToWire),
      };
    }),

    announceNode: guarded(async (request, context) => {
      parseReachableAddress(required(request.address, "address"), "address");
      const node = served();
      if (request.clusterId !== node.clusterId) {
        throw new NodeError(
          "CLUSTER_MISMATCH",
          `Node ${node.nodeId} belongs to cluster ${node.clusterId}, not to ${request.clusterId}.`,
          { details: { clusterId: node.clusterId } },
        );
      }
      const nodeId = safeNumber(request.nodeId, "node_id");
      const { clusterId } = node;
      const { members: known } = node.nodeStatus();
      assertIsMember(context.values.get(CALLER), { clusterId, members: known, address: request.address, nodeId });
      const members = await node.readdress(nodeId, request.address, timeout(request.timeoutMs, context));
      return { members: members.map(memberToWire) };
    }),

    removeNode: guarded(async (request, context) => {
      const node = served();
      const nodeId = safeNumber(request.nodeId, "node_id");
      const limit = timeout(request.timeoutMs, context);
      if (nodeId === 0 || nodeId === node.nodeId) await node.leaveSoon(limit);
      else await node.removeNode(nodeId, limit);
      return { nodeId: BigInt(nodeId === 0 ? node.nodeId : nodeId) };
    }),

    transferLeadership: guarded(async (request, context) => {
      const to = safeNumber(request.nodeId, "node_id");
      const leader = await served().handOver(to === 0 ? undefined : to, timeout(request.timeoutMs, context));
      return { leaderId: BigInt(leader) };
    }),

    backUpNode: guarded(async (request, context) => {
      const name = required(request.name, "name");
      return backupToWire(await served().backUp(name, timeout(request.timeoutMs, context)));
    }),
  });
}
