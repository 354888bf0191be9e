/**
 * Three nodes of Raft and workflows on the in-memory network. A stopped node comes back with the storage it had, and nothing else.
 */
import { MemoryStorage, type NodeId, type RaftCluster } from "@raftoral/raft-core";
import { InMemoryClusterTransport } from "@raftoral/transport-memory";
import {
  type CommandResult,
  RaftWorkflowEngine,
  RunRequests,
  type RuntimeEvent,
  type WorkflowCommand,
  type WorkflowDefinition,
  WorkflowExecutor,
  WorkflowRuntime,
} from "@raftoral/workflow";

/** Quick, so that a few seconds see many elections, losses, takeovers and snapshots. */
const TIMING = { tickMs: 10, electionTicks: 10, heartbeatTicks: 2, nodeLostTicks: 15 };
const LIMITS = { snapshotEveryEntries: 120, keepEntries: 20, defaultTimeoutMs: 1_000 };

/** One life of a node. */
export interface ChaosNode {
  readonly nodeId: NodeId;
  readonly executor: WorkflowExecutor;
  readonly cluster: RaftCluster<WorkflowCommand, CommandResult>;
  readonly runtime: WorkflowRuntime;
  readonly requests: RunRequests;
  /** What this life's runtime was told, in order. */
  readonly events: RuntimeEvent[];
}

/** The cluster that the chaos tests break and mend. */
export class ChaosCluster {
  readonly nodeIds: readonly NodeId[] = [1, 2, 3];
  readonly transport: InMemoryClusterTransport<WorkflowExecutor>;
  /** Every life of every node, the ended ones too. */
  readonly lives: ChaosNode[] = [];
  readonly #storages = new Map<NodeId, MemoryStorage>();
  readonly #nodes = new Map<NodeId, ChaosNode>();
  readonly #workflows: readonly WorkflowDefinition[];

  constructor(seed: number, workflows: readonly WorkflowDefinition[]) {
    this.#workflows = workflows;
    for (const nodeId of this.nodeIds) this.#storages.set(nodeId, new MemoryStorage());
    this.transport = new InMemoryClusterTransport<WorkflowExecutor>([...this.nodeIds], {
      seed,
      encode: true,
      timing: TIMING,
      limits: LIMITS,
      storage: (nodeId) => this.#storages.get(nodeId) ?? new MemoryStorage(),
    });
  }

  async start(): Promise<void> {
    await this.transport.start();
    for (const nodeId of this.nodeIds) await this.startNode(nodeId);
    await Promise.all(this.running().map(({ runtime }) => runtime.registered));
  }

  async startNode(nodeId: NodeId): Promise<void> {
    this.transport.network.bringUp(nodeId);
    const executor = new WorkflowExecutor({ snapshotChunkBytes: 512 });
    const cluster = await this.transport.createCluster(nodeId, { executor: () => executor });
    const engine = new RaftWorkflowEngine({ nodeId, cluster, executor });
    const limits = { handOverTimeoutMs: 3_000, drainGraceMs: 100, cancelGraceMs: 200 };
    const runtime = WorkflowRuntime.start({ engine, registry: this.#workflows, limits });
    const node: ChaosNode = { nodeId, executor, cluster, runtime, requests: new RunRequests(engine), events: [] };
    runtime.events.subscribe((event) => node.events.push(event));
    this.#nodes.set(nodeId, node);
    this.lives.push(node);
  }

  /** The process is gone: nothing of it goes on, but its storage stays. */
  async stopNode(nodeId: NodeId): Promise<void> {
    const node = this.node(nodeId);
    if (node === undefined) return;
    this.#nodes.delete(nodeId);
    this.transport.network.takeDown(nodeId);
    node.runtime.stop();
    node.requests.close();
    await node.cluster.stop();
  }

  /** The node while it runs. */
  node(nodeId: NodeId): ChaosNode | undefined {
    return this.#nodes.get(nodeId);
  }

  /** Ascending by id. */
  running(): readonly ChaosNode[] {
    return this.nodeIds.flatMap((nodeId) => this.node(nodeId) ?? []);
  }

  /** No faults any more, and every node up. */
  async heal(): Promise<void> {
    this.transport.network.heal();
    this.transport.network.setFaults({});
    for (const nodeId of this.nodeIds) if (this.node(nodeId) === undefined) await this.startNode(nodeId);
  }

  async shutdown(): Promise<void> {
    for (const { runtime, requests } of this.running()) {
      runtime.stop();
      requests.close();
    }
    await this.transport.shutdown();
  }
}
