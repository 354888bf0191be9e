/** Listens, and starts the Raft group of a node: on a transport of its own, or on one that was given. */
import type { ConnectRouter } from "@connectrpc/connect";
import type { NodeId } from "@raftoral/raft-core";
import { GrpcClusterTransport, type GrpcServer, startGrpcServer } from "@raftoral/transport-grpc";
import type { Blobs, WorkflowExecutor } from "@raftoral/workflow";
import { clusterNameOf } from "../api/cluster/cluster-id.ts";
import { WorkflowService } from "../gen/raftoral/v1/workflow_service_pb.ts";
import type { NodeMetrics } from "../metrics/node-metrics.ts";
import { registerClusterService } from "../service/cluster-routes.ts";
import { registerEventService } from "../service/event-routes.ts";
import { JsonApi } from "../service/json/json-api.ts";
import { registerLockService } from "../service/lock-routes.ts";
import { registerQueueService } from "../service/queue-routes.ts";
import { registerScheduleService } from "../service/schedule-routes.ts";
import type { ServedNode } from "../service/served-node.ts";
import { registerWorkflowService } from "../service/workflow-routes.ts";
import { VERSION } from "../version.ts";
import { assertOwnCertificate } from "./config/node-security.ts";
import type { EstablishedIdentity } from "./identity/identity.ts";
import type { Closers } from "./life-cycle/closers.ts";
import type { WorkflowCluster } from "./membership/membership.ts";
import type { WorkflowTransport } from "./membership/node-network.ts";
import type { NodePlan } from "./node-plan.ts";
import type { NodeStorage } from "./storage/node-storage.ts";

/** The one group of a node. More groups will share transport and storage with it. */
export const GROUP_ID = 1;
/** Requests carry a command, or a value that becomes a blob, and little else. */
const REQUEST_OVERHEAD_BYTES = 64 * 1024;

/** What the group is started with. */
export interface GroupSetting {
  readonly established: EstablishedIdentity;
  readonly storage: NodeStorage;
  readonly listen: string;
  readonly address: string;
  /** The node that answers calls; throws until there is one. */
  readonly served: () => ServedNode;
  readonly executor: WorkflowExecutor;
  readonly blobs: Blobs;
  readonly metrics: NodeMetrics | undefined;
}

/** The group, and what it runs on. */
export interface OpenGroup {
  readonly group: WorkflowCluster;
  readonly forget: (peer: NodeId) => void;
  readonly suggest: (peer: NodeId, address: string) => void;
  /** The transport that was made for this node, if none was given. */
  readonly own: GrpcClusterTransport<WorkflowExecutor> | undefined;
  readonly server: GrpcServer | undefined;
}

/**
 * Opens the group. Every part that it opens goes to `closers`, so that a failure half-way leaves nothing open. Rejects with the error of the part
 * that failed.
 */
export async function openGroup(plan: NodePlan, closers: Closers, setting: GroupSetting): Promise<OpenGroup> {
  const { config, logger, environment } = plan;
  const { established, storage, address, executor, metrics, blobs } = setting;
  const { nodeId } = established.identity;
  const grpc = plan.transport === undefined ? await openGrpc(plan, closers, setting) : undefined;
  const own = grpc?.transport;
  const transport = (plan.transport ?? own) as WorkflowTransport;
  transport.addNode({ nodeId, address });
  const groupStorage = await storage.group(GROUP_ID);
  const group = await transport.createCluster(nodeId, {
    groupId: GROUP_ID,
    storage: () => groupStorage,
    executor: () => executor,
    answerRequest: (_from, request) => blobs.answer(request),
    bootstrap: established.bootstrap,
    timing: config.timing,
    limits: config.limits,
    clock: environment.clock,
    rng: { below: (bound) => Math.floor(environment.random() * bound) },
    logger,
    ...(metrics === undefined ? {} : { probe: metrics.raft }),
  });
  closers.add(() => group.stop());
  if (metrics !== undefined) closers.add(metrics.raft.watch(group));
  if (own !== undefined) metrics?.transport.watch(nodeId, own);
  // A transport that was given has other users: whom it knows is theirs to say.
  return {
    group,
    own,
    server: grpc?.server,
    forget: (peer) => own?.peer(nodeId).removePeer(peer),
    suggest: (peer, place) => own?.peer(nodeId).suggestAddress(peer, place),
  };
}

async function openGrpc(
  plan: NodePlan,
  closers: Closers,
  setting: GroupSetting,
): Promise<{ readonly transport: GrpcClusterTransport<WorkflowExecutor>; readonly server: GrpcServer }> {
  const { limits, blobLimits, tls, transportLimits, allowedOrigins } = plan.config;
  const { established, storage, listen, address, served } = setting;
  const { nodeId, clusterId } = established.identity;
  const transport = new GrpcClusterTransport<WorkflowExecutor>([{ nodeId, address }], {
    clusterId,
    certificateCluster: clusterNameOf(clusterId),
    ...(tls === undefined ? {} : { tls }),
    ...transportLimits,
    incarnation: storage.incarnation,
    clock: plan.environment.clock,
    logger: plan.logger,
  });
  closers.add(() => transport.shutdown());
  assertOwnCertificate(transport.security, { nodeId, address });
  const maxRequestBytes = Math.max(limits.maxCommandBytes, blobLimits.maxBytes) + REQUEST_OVERHEAD_BYTES;
  const isReady = (): boolean => server.health.get(WorkflowService.typeName) === "SERVING";
  const server: GrpcServer = await startGrpcServer(listen, transport, nodeId, {
    advertise: address,
    // It serves once the node is put together.
    isServing: false,
    maxRequestBytes,
    http: new JsonApi({ served, isReady, maxRequestBytes, version: VERSION }).answer,
    allowedOrigins,
    routes: (router: ConnectRouter) => {
      registerWorkflowService(router, served, limits.defaultTimeoutMs);
      registerClusterService(router, served, limits.defaultTimeoutMs);
      registerEventService(router, served, limits.defaultTimeoutMs);
      registerScheduleService(router, served, limits.defaultTimeoutMs);
      registerQueueService(router, served, limits.defaultTimeoutMs);
      registerLockService(router, served, limits.defaultTimeoutMs);
    },
  });
  await transport.start();
  return { transport, server };
}
