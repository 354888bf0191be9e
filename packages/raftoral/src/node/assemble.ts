/**
 * Puts a node's parts together, bottom up, and takes them apart top down.
 *
 * Order matters: the folder first (it says who the node is), then the place in the cluster, then the port, then consensus,
 * then workflows, which may begin to run at once.
 */
import type { Logger } from "@raftoral/raft-core";
import { MemoryBlobStore, NONE } from "@raftoral/raft-core";
import {
  Blobs,
  DEFAULT_RUNTIME_LIMITS,
  type EngineListener,
  hashOfParts,
  RaftWorkflowEngine,
  type RuntimeLimits,
  WorkflowExecutor,
  WorkflowRuntime,
} from "@raftoral/workflow";
import type { CallLimit } from "../api/call-options.ts";
import { CheckedWorkflows } from "../api/checked-workflows.ts";
import { CheckedCluster } from "../api/cluster/checked-cluster.ts";
import { nodeStarting } from "../api/errors.ts";
import type { OperationsPort } from "../api/operations/operations-port.ts";
import { BlobOperations } from "../api/payloads/blob-operations.ts";
import { BlobValues } from "../api/payloads/blob-values.ts";
import { BlobWorkflows } from "../api/payloads/blob-workflows.ts";
import { CodedOperations } from "../api/payloads/coded-operations.ts";
import { CodedWorkflows } from "../api/payloads/coded-workflows.ts";
import { payloadCoderOf } from "../api/payloads/payload-coder.ts";
import { NodeMetrics } from "../metrics/node-metrics.ts";
import { PrometheusEndpoint } from "../metrics/prometheus-endpoint.ts";
import type { ServedNode } from "../service/served-node.ts";
import { activeTrace } from "../tracing/active-trace.ts";
import { RunArchiver } from "./archiving/run-archiver.ts";
import type { NodeConfig } from "./config/node-config.ts";
import { nodeSecurity } from "./config/node-security.ts";
import { establishIdentity } from "./identity/identity.ts";
import { Closers } from "./life-cycle/closers.ts";
import { NodeHealth } from "./life-cycle/node-health.ts";
import { Membership } from "./membership/membership.ts";
import { type ClusterAudit, NodeCluster } from "./membership/node-cluster.ts";
import { dialGrpc, dialLocal, listenLocally, reserveAddress } from "./membership/node-network.ts";
import { NodeEvents } from "./node-events.ts";
import type { NodeParts, NodePlan } from "./node-plan.ts";
import { GROUP_ID, openGroup } from "./open-group.ts";
import { NodeBackups } from "./storage/node-backups.ts";
import { openNodeStorage } from "./storage/node-storage.ts";
import { NodeWorkflows } from "./workflows/node-workflows.ts";

/** Who asks for what is called in this process. */
const LOCAL = "local";

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
  const { config, logger, environment } = plan;
  const { clock } = environment;
  const storage = plan.storage ?? (await openNodeStorage(config.dataDir, logger));
  closers.add(() => storage.close());

  // Before anything that others hear of: a port that is taken must not cost the cluster a place for this node.
  const endpoint = await openEndpoint(plan, closers);
  const security = plan.transport === undefined ? nodeSecurity(config) : undefined;
  const listen = plan.transport === undefined ? await reserveAddress(config.listen) : config.listen;
  const address = config.advertise ?? listen;
  const dial = plan.transport === undefined ? dialGrpc(config.tls, clock) : dialLocal(plan.transport);
  const established = await establishIdentity({
    config,
    storage,
    address,
    wantedNodeId: security?.ownNodeId() ?? NONE,
    dial,
    environment,
    logger,
  });
  const { identity, isNew } = established;
  const { nodeId, clusterId } = identity;
  const metrics = NodeMetrics.open({ identity, address, endpoint, provider: plan.meterProvider, logger });
  closers.add(() => metrics?.close());
  metrics?.storage.watch(storage);

  const slot: { node: ServedNode | undefined } = { node: undefined };
  const served = (): ServedNode => {
    if (slot.node !== undefined) return slot.node;
    throw nodeStarting(nodeId);
  };
  const { bufferBytes, cacheBytes } = config.stateLimits;
  const store = storage.state?.(GROUP_ID, { bufferBytes });
  if (store !== undefined) closers.add(() => store.close());
  const limits = runtimeLimits(config);
  const blobs = new Blobs({
    nodeId,
    store: (await storage.blobs?.()) ?? new MemoryBlobStore({ hash: hashOfParts }),
    // What is not a blob must fit into a command.
    limits: {
      ...config.blobLimits,
      thresholdBytes: Math.min(config.blobLimits.thresholdBytes, limits.maxPayloadBytes),
    },
    clock,
    logger,
  });
  closers.add(() => blobs.close());
  metrics?.blobs.watch(blobs);
  const executor = new WorkflowExecutor({
    logger,
    onBlobsNamed: (named) => blobs.named(named),
    stateCacheBytes: cacheBytes,
    ...(store === undefined ? {} : { store }),
  });
  const setting = { established, storage, listen, address, served, executor, metrics, blobs };
  const { group, forget, suggest, own, server } = await openGroup(plan, closers, setting);
  blobs.begin(group, executor.blobNames);
  closers.add(executor.subscribe(blobListener(blobs)));

  const membership = new Membership({ cluster: group, clusterId, address, dial, forget, suggest, clock, logger });
  closers.add(() => membership.close());
  const events = new NodeEvents(logger);
  closers.add(group.on((event) => events.emit(event)));

  const backups = new NodeBackups(storage, blobs, config.backupDir);
  const definitions = plan.workflows ?? [];
  const raftEngine = new RaftWorkflowEngine({ nodeId, cluster: group, executor });
  const { wrapEngine, interceptor, programClock = clock, assembled } = plan.internals;
  const engine = wrapEngine?.(raftEngine) ?? raftEngine;
  const payloads = payloadCoderOf(plan.payloadCodec, blobs);
  const codecs = payloadCoderOf(plan.payloadCodec);
  const runtime = WorkflowRuntime.start({
    engine,
    registry: definitions,
    logger,
    clock: programClock,
    random: environment.random,
    uuid: environment.uuid,
    limits,
    retention: plan.config.retention,
    blobs,
    ...(plan.payloadCodec === undefined ? {} : { payloadCodec: plan.payloadCodec }),
    onlyPruneHandedOver: plan.archive !== undefined,
    ...(metrics === undefined ? {} : { probe: metrics.workflow }),
    ...(interceptor === undefined ? {} : { interceptor }),
  });
  closers.add(() => runtime.stop());
  if (metrics !== undefined) closers.add(metrics.workflow.watch(nodeId, runtime, executor.state, limits));
  closers.add(runtime.events.subscribe((event) => events.emit(event)));

  const plain = new NodeWorkflows({
    engine,
    runtime,
    definitions,
    environment,
    payloads,
    maxPayloadBytes: limits.maxPayloadBytes,
  });
  closers.add(() => plain.close());
  const values = new BlobValues(payloads, blobs.maxBytes);
  const port = new BlobWorkflows(plain, values);
  const operationsOf = (by: string): OperationsPort => new BlobOperations(plain.operations(by), values);
  const timeoutMs = config.limits.defaultTimeoutMs;
  declareQueues(plain, runtime, { queues: config.queues, logger });
  const given = { timeoutMs, uuid: environment.uuid, clock, activeTrace };
  const coded = CodedWorkflows.over(port, codecs);
  const workflowsOf = (by: string): CheckedWorkflows =>
    new CheckedWorkflows({ port: coded, operations: CodedOperations.over(operationsOf(by), codecs), ...given });
  const workflows = workflowsOf(LOCAL);
  // Values of clients pass as they are: what they have encoded, they decode.
  const passingOf = (by: string): CheckedWorkflows =>
    codecs.isPlain ? workflowsOf(by) : new CheckedWorkflows({ port, operations: operationsOf(by), ...given });
  const archiver =
    plan.archive === undefined
      ? undefined
      : new RunArchiver({ engine, workflows, hook: plan.archive, clock: programClock, logger });
  closers.add(() => archiver?.close());
  if (archiver !== undefined) metrics?.workflow.watchArchive(archiver);
  const clusterParts = {
    identity,
    address,
    cluster: group,
    executor,
    membership,
    backups,
    clock,
    workflows: definitions.map(({ type, version }) => `${type}@${version}`).sort(),
    leave: plan.leave,
    limits,
    audit: (entry: ClusterAudit, limit: CallLimit) => plain.audited(entry, limit),
  };
  const clusterOf = (by: string): CheckedCluster =>
    new CheckedCluster(new NodeCluster({ ...clusterParts, by }), timeoutMs);
  const cluster = clusterOf(LOCAL);
  slot.node = {
    nodeId,
    clusterId,
    workflows: passingOf(LOCAL),
    cluster,
    workflowsOf: passingOf,
    clearWorkflowsOf: workflowsOf,
    clusterOf,
    operationsOf,
    locks: port.locks,
    pollRun: (runId, limit) => port.wait(runId, limit),
    queryRun: (request, limit) => port.query(request, limit),
    updateRun: (request, limit) => port.update(request, limit),
    updateWithStart: (request, limit) => port.updateWithStart(request, limit),
    readStream: (request, limit) => port.stream(request, limit),
    readEvents: (request, limit) => port.events(request, limit),
    members: () => membership.members(),
    admit: async ({ address: from, clusterName, nodeId: wanted, by }, limit) => {
      const admission = await membership.admit(from, clusterName, wanted, limit);
      const added = { action: "add-node", subject: String(admission.nodeId), detail: from, reason: "", by };
      // The node has its place, whether its record reaches the log or not.
      await plain.audited(added, limit).catch(() => {});
      return admission;
    },
    readdress: (member, to, limit) => membership.readdress(member, to, limit),
  };
  const health = server === undefined ? undefined : new NodeHealth(server.health, group);
  closers.add(() => health?.stop());
  const unlisten = plan.transport === undefined ? () => {} : listenLocally(plan.transport, address, slot.node);
  closers.add(unlisten);
  assembled?.({ group, engine: raftEngine, runtime, unlisten });
  return {
    identity,
    isNew,
    address,
    group,
    runtime,
    membership,
    workflows,
    cluster,
    events,
    dial,
    backups,
    metricsAddress: endpoint?.address,
    reloadTls: () => own?.reloadTls() ?? false,
    drain: async (graceMs) => {
      // Those who wait for runs wait on another node.
      plain.close();
      await server?.drain({ graceMs });
    },
    waits: () => plain.waits,
    sayStopping: () => health?.stop(),
    close: () => closers.close(),
  };
}

function blobListener(blobs: Blobs): EngineListener {
  return {
    onEvents: (events) => {
      if (events.some(({ type }) => type === "state-restored")) blobs.restored();
    },
    onNotice: () => {},
  };
}

/** Once this node has registered: until then there may be no cluster. What fails is said, and done by the next node that starts. */
function declareQueues(
  port: NodeWorkflows,
  runtime: WorkflowRuntime,
  { queues, logger }: { readonly queues: NodeConfig["queues"]; readonly logger: Logger },
): void {
  if (Object.keys(queues).length === 0) return;
  runtime.registered
    .then(() => port.declareQueues(queues, { timeoutMs: Number.POSITIVE_INFINITY, signal: undefined }))
    .catch((error: unknown) => {
      logger.warn(
        { err: error, queues: Object.keys(queues) },
        "The queues that this node declares could not be defined.",
      );
    });
}

async function openEndpoint({ config, logger }: NodePlan, closers: Closers): Promise<PrometheusEndpoint | undefined> {
  const { prometheus } = config.metrics;
  if (prometheus === undefined) return undefined;
  const endpoint = await PrometheusEndpoint.open(prometheus, logger);
  closers.add(() => endpoint.close());
  return endpoint;
}

/** The runtime's bounds, fitted to those of the commands that carry its values. */
function runtimeLimits({ limits, stopTimeoutMs, workflowLimits }: NodeConfig): RuntimeLimits {
  return {
    ...DEFAULT_RUNTIME_LIMITS,
    // Beside a value a command has ids, a path and an envelope.
    maxPayloadBytes: Math.floor((limits.maxCommandBytes * 3) / 4),
    handOverTimeoutMs: limits.defaultTimeoutMs,
    drainGraceMs: Math.min(DEFAULT_RUNTIME_LIMITS.drainGraceMs, Math.floor(stopTimeoutMs / 4)),
    ...workflowLimits,
  };
}
