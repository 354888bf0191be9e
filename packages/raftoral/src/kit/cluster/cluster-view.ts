/** What a test cluster looks like from outside: which nodes are up, which reach a majority, whether anything is left to settle. */
import type { NodeId } from "@raftoral/raft-core";
import type { InMemoryClusterTransport } from "@raftoral/transport-memory";
import type { WorkflowExecutor } from "@raftoral/workflow";
import type { RunWatch } from "./run-watch.ts";
import type { TestNode } from "./test-node.ts";

/** The view of one test cluster. It changes nothing. */
export class ClusterView {
  readonly #nodes: readonly TestNode[];
  readonly #transport: InMemoryClusterTransport<WorkflowExecutor>;
  readonly #watch: RunWatch;

  constructor(nodes: readonly TestNode[], transport: InMemoryClusterTransport<WorkflowExecutor>, watch: RunWatch) {
    this.#nodes = nodes;
    this.#transport = transport;
    this.#watch = watch;
  }

  /** Nodes that are up, by id. */
  up(): readonly TestNode[] {
    return this.#nodes.filter((node) => node.status === "up");
  }

  /** Resolves when a node is up. */
  untilUp(): Promise<void> {
    return Promise.race(this.#nodes.map((node) => node.up));
  }

  /** Nodes for calls: those that follow a leader first, for a node that is cut off cannot answer. */
  askable(): readonly TestNode[] {
    const up = this.up();
    const reached = up.filter(({ nodeId }) => this.isReached(nodeId));
    return [...reached, ...up.filter((node) => !reached.includes(node))];
  }

  isReached(nodeId: NodeId): boolean {
    const { network } = this.#transport;
    const others = this.up().filter(
      (node) => network.isConnected(nodeId, node.nodeId) && network.isConnected(node.nodeId, nodeId),
    );
    return others.length * 2 > this.#nodes.length;
  }

  /** Whether a node that is up reaches all others that are, both ways. */
  isConnected(nodeId: NodeId): boolean {
    const { network } = this.#transport;
    return this.up().every((other) => {
      return network.isConnected(nodeId, other.nodeId) && network.isConnected(other.nodeId, nodeId);
    });
  }

  /** Whether ticks would change nothing (see virtual-time.ts V2). */
  isQuiet(): boolean {
    const up = this.up();
    if (this.#nodes.some((node) => node.status === "starting")) return false;
    if (up.length * 2 <= this.#nodes.length) return true;
    const statuses = up.flatMap(({ inside }) => inside?.group.status() ?? []);
    const [first] = statuses;
    if (first === undefined || !up.some(({ nodeId }) => nodeId === first.leader)) return false;
    const { leader, term, commit } = first;
    const agree = statuses.every(
      (one) =>
        one.leader === leader &&
        one.term === term &&
        one.commit === commit &&
        one.applied === commit &&
        one.lastIndex === commit &&
        one.pendingProposals === 0 &&
        one.pendingReads === 0,
    );
    if (!agree || up.some(({ nodeId }) => !this.isConnected(nodeId))) return false;
    return this.#watch.isHandedOn(new Set(up.map(({ nodeId }) => nodeId)));
  }
}
