/**
 * What a test does to the nodes of a cluster and to its network.
 *
 * CF1. What is said here takes effect before the call returns, or is under way when it does: a killed node does nothing more.
 * CF2. No call hangs: what the cluster cannot do any more rejects on virtual time.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { InMemoryClusterTransport, LinkFaults } from "@raftoral/transport-memory";
import type { WorkflowDefinition, WorkflowExecutor } from "@raftoral/workflow";
import type { TestTime } from "../time/test-time.ts";
import type { VirtualProcess, VirtualTime } from "../time/virtual-time.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { RunWatch } from "./run-watch.ts";
import type { TestNode } from "./test-node.ts";

/** Whom a fault is for: a node by its id, the run's owner, or the leader. */
export type Who = NodeId | "owner" | "leader";

/** What {@link ClusterFaults} works on. */
export interface ClusterFaultsSetting {
  readonly nodes: readonly TestNode[];
  readonly transport: InMemoryClusterTransport<WorkflowExecutor>;
  readonly time: TestTime;
  readonly virtual: VirtualTime;
  /** What belongs to no node. */
  readonly world: VirtualProcess;
  readonly watch: RunWatch;
  readonly view: ClusterView;
}

/** A transfer of leadership that has not come about by then has failed, in virtual milliseconds. */
const TRANSFER_MS = 10_000;

/** Kills, stops, cuts off and drains the nodes of a test cluster. */
export class ClusterFaults {
  readonly #setting: ClusterFaultsSetting;

  constructor(setting: ClusterFaultsSetting) {
    this.#setting = setting;
  }

  /** A node by its id. Throws a RangeError for an id that none has. */
  node(nodeId: NodeId): TestNode {
    const { nodes } = this.#setting;
    const node = nodes.find((one) => one.nodeId === nodeId);
    if (node !== undefined) return node;
    throw new RangeError(`There is no node ${nodeId}. Nodes are numbered from 1 to ${nodes.length}.`);
  }

  get leader(): TestNode | undefined {
    return this.#setting.view.up().find(({ nodeId, inside }) => inside?.group.status().leader === nodeId);
  }

  ownerOf(runId: string): TestNode | undefined {
    const owner = this.#setting.watch.ownerOf(runId);
    return owner === undefined || owner === 0 ? undefined : this.node(owner);
  }

  kill(who: Who, runId: string | undefined): NodeId {
    const node = this.#who(who, runId);
    this.#begin(`node ${node.nodeId} is killed`);
    node.kill();
    return node.nodeId;
  }

  async stop(who: Who, runId: string | undefined): Promise<NodeId> {
    const node = this.#who(who, runId);
    this.#begin(`node ${node.nodeId} stops`);
    await this.#drive(node, node.stop());
    return node.nodeId;
  }

  async start(nodeId: NodeId, workflows: readonly WorkflowDefinition[] | undefined): Promise<void> {
    const node = this.node(nodeId);
    this.#begin(`node ${nodeId} starts`);
    this.#setting.watch.serves(nodeId, true);
    await this.#setting.time.drive(node.start(workflows));
  }

  async drain(who: Who, runId: string | undefined): Promise<NodeId> {
    const node = this.#who(who, runId);
    this.#begin(`node ${node.nodeId} drains`);
    this.#setting.watch.serves(node.nodeId, false);
    await this.#drive(node, this.#runtimeOf(node).drain());
    return node.nodeId;
  }

  async resume(nodeId: NodeId): Promise<void> {
    const node = this.node(nodeId);
    this.#begin(`node ${nodeId} executes again`);
    this.#setting.watch.serves(nodeId, true);
    await this.#drive(node, this.#runtimeOf(node).resume());
  }

  partition(who: readonly Who[], runId: string | undefined): readonly NodeId[] {
    const cut = who.map((one) => this.#who(one, runId).nodeId);
    const rest = this.#setting.nodes.map(({ nodeId }) => nodeId).filter((nodeId) => !cut.includes(nodeId));
    this.#begin(`node${cut.length === 1 ? "" : "s"} ${cut.join(", ")} cannot reach the others`);
    const { nodes, transport, view } = this.#setting;
    transport.network.partition(cut, rest);
    for (const node of nodes) if (!view.isReached(node.nodeId)) node.cutOff();
    return cut;
  }

  heal(): void {
    this.#begin("the network is whole");
    this.#setting.transport.network.heal();
    for (const node of this.#setting.nodes) node.reconnect();
  }

  async transferLeadership(to: NodeId): Promise<void> {
    const { time, world } = this.#setting;
    const { leader } = this;
    if (leader === undefined || leader.nodeId === to) return;
    this.#begin(`the leadership goes to node ${to}`);
    const late = Promise.withResolvers<never>();
    const cancel = world.clock.after(TRANSFER_MS, () => {
      const reason = `The leadership has not gone from node ${leader.nodeId} to node ${to} within ${TRANSFER_MS} ms of virtual time. Check that both are up and reach each other.`;
      late.reject(new Error(reason));
    });
    try {
      await time.drive(Promise.race([leader.node.cluster.transferLeadership(to), leader.ended, late.promise]));
    } finally {
      cancel();
    }
  }

  stallDisk(who: Who, forMs: number, runId: string | undefined): NodeId {
    const node = this.#who(who, runId);
    this.#begin(`the disk of node ${node.nodeId} stalls for ${forMs} ms`);
    const { clock } = this.#setting.world;
    node.stallDisk(new Promise((resolve) => void clock.after(forMs, resolve)));
    return node.nodeId;
  }

  setNetwork(faults: Partial<LinkFaults>): void {
    this.#setting.transport.network.setFaults(faults);
  }

  loseNext(who: Who, runId: string | undefined): NodeId {
    const { nodeId } = this.#who(who, runId);
    const left = new Set(this.#setting.nodes.map((node) => node.nodeId));
    left.delete(nodeId);
    this.#begin(`the next entries that node ${nodeId} sends are lost`);
    const stop = this.#setting.transport.network.lose(({ from, to, entries }) => {
      if (from !== nodeId || entries.length === 0 || !left.delete(to)) return false;
      if (left.size === 0) stop();
      return true;
    });
    return nodeId;
  }

  async moveRun(runId: string): Promise<NodeId | undefined> {
    const { view, watch, virtual } = this.#setting;
    const owner = this.ownerOf(runId);
    const to = view.askable().find((node) => node.nodeId !== owner?.nodeId && watch.isLive(node.nodeId));
    const engine = to?.inside?.engine;
    if (owner === undefined || to === undefined || engine === undefined) return undefined;
    this.#begin(`run ${runId} is moved to node ${to.nodeId}`);
    const move = {
      kind: "OwnerChange",
      runId,
      oldOwner: owner.nodeId,
      newOwner: to.nodeId,
      reason: "load-balancing",
      atMs: virtual.nowMs,
      epoch: 0,
    } as const;
    await this.#drive(to, engine.propose(move));
    return to.nodeId;
  }

  async evict(runId: string): Promise<boolean> {
    const runtime = this.ownerOf(runId)?.inside?.runtime;
    if (runtime === undefined) return false;
    const isEvicted = await runtime.evict(runId);
    if (isEvicted) this.#begin(`the body of run ${runId} leaves memory`);
    return isEvicted;
  }

  /** Ends with the process, for what it was to do is not done any more. */
  async #drive(node: TestNode, doing: Promise<unknown>): Promise<void> {
    await this.#setting.time.drive(Promise.race([doing, node.ended]));
  }

  #begin(what: string): void {
    this.#setting.watch.tell(what);
    this.#setting.virtual.activity();
  }

  #runtimeOf({ nodeId, status, inside }: TestNode) {
    if (inside !== undefined) return inside.runtime;
    throw new Error(`Node ${nodeId} is ${status}. Start it first, or use another node.`);
  }

  #who(who: Who, runId: string | undefined): TestNode {
    if (typeof who === "number") return this.node(who);
    const node = who === "leader" ? this.leader : runId === undefined ? undefined : this.ownerOf(runId);
    if (node !== undefined) return node;
    throw new Error(
      who === "leader"
        ? "No node leads at the moment. Wait with time.untilIdle() first."
        : `No node owns run ${runId ?? "(none was given)"} at the moment. Give the id of a run that runs.`,
    );
  }
}
