/**
 * Puts a node's parts together, bottom up, and takes them apart top down.
 *
 * Order matters: the folder first (it says who the node is), then the place in the cluster, then the port, then consensus,
 * then workflows, which may begin to run at once.
 */
import type { MeterProvider } from "@opentelemetry/api";
import type { Clock, Logger, NodeId } from "@raftoral/raft-core";
import { NONE, platformClock, RaftError } from "@raftoral/raft-core";
import { GrpcClusterTransport, type GrpcServer, startGrpcServer } from "@raftoral/transport-grpc";
import {
  DEFAULT_RUNTIME_LIMITS,
  RaftWorkflowEngine,
  type RuntimeLimits,
  type WorkflowDefinition,
  WorkflowExecutor,
  WorkflowRuntime,
} from "@raftoral/workflow";
import { NodeMetrics } from "../metrics/node-metrics.ts";
import { PrometheusEndpoint } from "../metrics/prometheus-endpoint.ts";
import { registerClusterService } from "../service/cluster-routes.ts";
import type { ServedNode, Timeout } from "../service/served-node.ts";
import { registerWorkflowService } from "../service/workflow-routes.ts";
import type { NodeConfig } from "./config/node-config.ts";
import { assertOwnCertificate, nodeSecurity } from "./config/node-security.ts";
import { type EstablishedIdentity, establishIdentity } from "./identity/identity.ts";
import { NodeHealth } from "./life-cycle/node-health.ts";
import { Membership, nameOf, type WorkflowCluster } from "./membership/membership.ts";
import {
  type Dial,
  dialGrpc,
  dialLocal,
  listenLocally,
  reserveAddress,
  type WorkflowTransport,
} from "./membership/node-network.ts";
import { NodeEvents } from "./node-events.ts";
import { NodeService } from "./node-service.ts";
import { NodeBackups } from "./storage/node-backups.ts";
import { type NodeIdentity, type NodeStorage, openNodeStorage } from "./storage/node-storage.ts";

/** The one group of a node. More groups will share transport and storage with it. */
const GROUP_ID = 1;
/** Requests carry a command and little else. */
const REQUEST_OVERHEAD_BYTES = 64 * 1024;

export interface NodePlan {
  readonly config: NodeConfig;
  readonly workflows?: readonly WorkflowDefinition[];
  readonly transport?: WorkflowTransport;
  readonly storage?: NodeStorage;
  readonly clock?: Clock;
  readonly meterProvider?: MeterProvider;
  readonly logger: Logger;
  readonly leave: (timeout: Timeout) => Promise<void>;
}

export interface NodeParts {
  readonly identity: NodeIdentity;
  /** Whether this start gave the node its identity. */
  readonly isNew: boolean;
  readonly address: string;
  readonly cluster: WorkflowCluster;
  readonly runtime: WorkflowRuntime;
  readonly membership: Membership;
  readonly service: NodeService;
  readonly events: NodeEvents;
  readonly dial: Dial;
  readonly backups: NodeBackups;
  /** Where metrics are served, if they are. */
  readonly metricsAddress: string | undefined;
  /** Health says from now on that the node serves no more. */
  sayStopping(): void;
  /** Takes no more calls of clients, and gives those under way up to `graceMs`. */
  drain(graceMs: number): Promise<void>;
  /** Reads the certificates again. Throws TRANSPORT_TLS_INVALID. */
  reloadTls(): boolean;
  /** Closes everything, the last opened first. Idempotent. */
  close(): Promise<void>;
}

/** What is open so far, to be closed in reverse. */
class Closers {
  readonly #stack: (() => unknown)[] = [];
  readonly #logger: Logger;
  #closing: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(close: () => unknown): void {
    this.#stack.push(close);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (let close = this.#stack.pop(); close !== undefined; close = this.#stack.pop()) {
      try {
        await close();
      } catch (error) {
        // The rest must be closed all the same, above all the lock on the folder.
        this.#logger.warn({ err: error }, "a part of the node did not close in order");
      }
    }
  }
}

/** Opens all parts, or none: when one fails to open, those opened before are closed. */
export async function assemble(plan: NodePlan): Promise<NodeParts> {
  const closers = new Closers(plan.logger);
  try {
    return await open(plan, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function open(plan: NodePlan, closers: Closers): Promise<NodeParts> {
  const { config, logger, clock = platformClock } = plan;
  const storage = plan.storage ?? (await openNodeStorage(config.dataDir, logger));
  closers.add(() => storage.close());

  // Before anything that others hear of: a port that is taken must not cost the cluster a place for this node.
  const endpoint = await openEndpoint(plan, closers);
  const security = plan.transport === undefined ? nodeSecurity(config) : undefined;
  const listen = plan.transport === undefined ? await reserveAddress(config.listen) : config.listen;
  const address = config.advertise ?? listen;
  const dial = plan.transport === undefined ? dialGrpc(config.tls) : dialLocal(plan.transport);
  const established = await establishIdentity({
    config,
    storage,
    address,
    wantedNodeId: security?.ownNodeId() ?? NONE,
    dial,
    logger,
  });
  const { identity, isNew } = established;
  const metrics = NodeMetrics.open({ identity, address, endpoint, provider: plan.meterProvider, logger });
  closers.add(() => metrics?.close());
  metrics?.storage.watch(storage);

  const slot: { node: ServedNode | undefined } = { node: undefined };
  const served = (): ServedNode => {
    if (slot.node !== undefined) return slot.node;
    throw new RaftError("NODE_STOPPED", `Node ${identity.nodeId} is starting. Try again.`, { retryable: true });
  };
  const { bufferBytes, cacheBytes } = config.stateLimits;
  const store = storage.state?.(GROUP_ID, { bufferBytes });
  if (store !== undefined) closers.add(() => store.close());
  const executor = new WorkflowExecutor({
    logger,
    stateCacheBytes: cacheBytes,
    ...(store === undefined ? {} : { store }),
  });
  const { cluster, forget, own, server } = await openCluster(plan, closers, {
    established,
    storage,
    listen,
    address,
    served,
    executor,
    metrics,
  });

  const membership = new Membership({ cluster, clusterId: identity.clusterId, address, dial, forget, logger });
  closers.add(() => membership.close());
  const events = new NodeEvents(logger);
  closers.add(cluster.on((event) => events.emit(event)));

  const backups = new NodeBackups(storage, config.backupDir);
  const workflows = plan.workflows ?? [];
  const engine = new RaftWorkflowEngine({ nodeId: identity.nodeId, cluster, executor });
  const runtime = WorkflowRuntime.start({
    engine,
    registry: workflows,
    logger,
    clock,
    limits: runtimeLimits(config),
    ...(metrics === undefined ? {} : { probe: metrics.workflow }),
  });
  closers.add(() => runtime.stop());
  if (metrics !== undefined) closers.add(metrics.workflow.watch(identity.nodeId, runtime, executor.state));
  closers.add(runtime.events.subscribe((event) => events.emit(event)));
  const service = new NodeService({
    identity,
    address,
    cluster,
    executor,
    runtime,
    membership,
    clock,
    workflows: workflows.map(({ type, version }) => `${type}@${version}`).sort(),
    leave: plan.leave,
    backups,
  });
  closers.add(() => service.close());
  slot.node = service;
  const health = server === undefined ? undefined : new NodeHealth(server.health, cluster);
  closers.add(() => health?.stop());
  if (plan.transport !== undefined) closers.add(listenLocally(plan.transport, address, service));
  const parts = { identity, isNew, address, cluster, runtime, membership, service, events, dial, backups };
  const drain = async (graceMs: number): Promise<void> => {
    // Those who wait for runs wait on another node.
    service.close();
    await server?.drain({ graceMs });
  };
  const reloadTls = (): boolean => own?.reloadTls() ?? false;
  return {
    ...parts,
    metricsAddress: endpoint?.address,
    reloadTls,
    drain,
    sayStopping: () => health?.stop(),
    close: () => closers.close(),
  };
}

async function openEndpoint({ config, logger }: NodePlan, closers: Closers): Promise<PrometheusEndpoint | undefined> {
  const { prometheus } = config.metrics;
  if (prometheus === undefined) return undefined;
  const endpoint = await PrometheusEndpoint.open(prometheus, logger);
  closers.add(() => endpoint.close());
  return endpoint;
}

/** The runtime's bounds, fitted to those of the commands that carry its values. */
function runtimeLimits({ limits, stopTimeoutMs, workflowLimits }: NodeConfig): Partial<RuntimeLimits> {
  return {
    // Beside a value a command has ids, a path and an envelope.
    maxPayloadBytes: Math.floor((limits.maxCommandBytes * 3) / 4),
    requestTimeoutMs: limits.defaultTimeoutMs,
    drainGraceMs: Math.min(DEFAULT_RUNTIME_LIMITS.drainGraceMs, Math.floor(stopTimeoutMs / 4)),
    ...workflowLimits,
  };
}

interface ClusterSetting {
  readonly established: EstablishedIdentity;
  readonly storage: NodeStorage;
  readonly listen: string;
  readonly address: string;
  readonly served: () => ServedNode;
  readonly executor: WorkflowExecutor;
  readonly metrics: NodeMetrics | undefined;
}

interface OpenCluster {
  readonly cluster: WorkflowCluster;
  readonly forget: (peer: NodeId) => void;
  /** The transport that was made for this node, if none was given. */
  readonly own: GrpcClusterTransport<WorkflowExecutor> | undefined;
  readonly server: GrpcServer | undefined;
}

/** Listens, and starts the Raft group. */
async function openCluster(plan: NodePlan, closers: Closers, setting: ClusterSetting): Promise<OpenCluster> {
  const { config, logger } = plan;
  const { established, storage, address, executor, metrics } = setting;
  const { nodeId } = established.identity;
  const grpc = plan.transport === undefined ? await openGrpc(plan, closers, setting) : undefined;
  const own = grpc?.transport;
  const transport = (plan.transport ?? own) as WorkflowTransport;
  transport.addNode({ nodeId, address });
  const group = await storage.group(GROUP_ID);
  const cluster = await transport.createCluster(nodeId, {
    groupId: GROUP_ID,
    storage: () => group,
    executor: () => executor,
    bootstrap: established.bootstrap,
    timing: config.timing,
    limits: config.limits,
    clock: plan.clock ?? platformClock,
    logger,
    ...(metrics === undefined ? {} : { probe: metrics.raft }),
  });
  closers.add(() => cluster.stop());
  if (metrics !== undefined) closers.add(metrics.raft.watch(cluster));
  if (own !== undefined) metrics?.transport.watch(nodeId, own);
  // A transport that was given has other users: whom it knows is theirs to say.
  return { cluster, own, server: grpc?.server, forget: (peer) => own?.peer(nodeId).removePeer(peer) };
}

async function openGrpc(
  plan: NodePlan,
  closers: Closers,
  setting: ClusterSetting,
): Promise<{ readonly transport: GrpcClusterTransport<WorkflowExecutor>; readonly server: GrpcServer }> {
  const { limits } = plan.config;
  const { established, storage, listen, address, served } = setting;
  const { nodeId, clusterId } = established.identity;
  const { tls } = plan.config;
  const transport = new GrpcClusterTransport<WorkflowExecutor>([{ nodeId, address }], {
    clusterId,
    certificateCluster: nameOf(clusterId),
    ...(tls === undefined ? {} : { tls }),
    ...plan.config.transportLimits,
    incarnation: storage.incarnation,
    clock: plan.clock ?? platformClock,
    logger: plan.logger,
  });
  closers.add(() => transport.shutdown());
  assertOwnCertificate(transport.security, { nodeId, address });
  const server = await startGrpcServer(listen, transport, nodeId, {
    advertise: address,
    // It serves once the node is put together.
    isServing: false,
    maxRequestBytes: limits.maxCommandBytes + REQUEST_OVERHEAD_BYTES,
    routes: (router) => {
      registerWorkflowService(router, served, limits.defaultTimeoutMs);
      registerClusterService(router, served, limits.defaultTimeoutMs);
    },
  });
  await transport.start();
  return { transport, server };
}
