/** The in-memory transport as its users see it: the same surface as the gRPC one, plus a network that can be broken. */
import {
  type AnyExecutor,
  type ClusterDefaults,
  type ClusterTransport,
  type CommandOf,
  type NodeAddress,
  type NodeId,
  platformClock,
  platformRng,
  type RaftCluster,
  type ResultOf,
  seededRng,
} from "@raftoral/raft-core";
import {
  ClusterRegistry,
  decodePeerMessage,
  encodeMessage,
  NodeDirectory,
  type PeerTransport,
} from "@raftoral/raft-core/transport";
import type { LinkFaults } from "./faults.ts";
import { MemoryNetwork } from "./memory-network.ts";

/** Defaults in parentheses. */
export interface InMemoryTransportOptions {
  /** Decides every fault (random). The same seed, clock and traffic give the same faults. */
  readonly seed?: number;
  /** Faults of every link from the start (none). Change them later with `network.setFaults`. */
  readonly faults?: Partial<LinkFaults>;
  /** Encodes and decodes every message as a real wire would (false): slower, and finds what no codec carries. */
  readonly encode?: boolean;
  /** Messages from one node to another, queued or under way, before further ones are dropped (65,536). */
  readonly maxQueuedMessages?: number;
}

/**
 * A ClusterTransport for nodes in one process. `start` turns its network on, `createCluster` gives a node's member of a group, and `shutdown` ends
 * all of them.
 */
export class InMemoryClusterTransport<E extends AnyExecutor> implements ClusterTransport<E> {
  /** Faults, partitions, nodes going down and coming back. */
  readonly network: MemoryNetwork;
  readonly #directory: NodeDirectory;
  readonly #registry: ClusterRegistry<E>;

  /** Nodes are given by id alone or with an address, which this transport keeps but does not use. */
  constructor(nodes: readonly (NodeId | NodeAddress)[], defaults: ClusterDefaults<E> & InMemoryTransportOptions = {}) {
    const { seed, faults, maxQueuedMessages, encode } = defaults;
    this.network = new MemoryNetwork({
      clock: defaults.clock ?? platformClock,
      rng: seed === undefined ? (defaults.rng ?? platformRng()) : seededRng(seed),
      maxQueuedMessages: maxQueuedMessages ?? 65_536,
      ...(encode === true ? { throughWire: (message) => decodePeerMessage(encodeMessage(message)) } : {}),
    });
    this.#directory = new NodeDirectory(
      nodes.map((node) => (typeof node === "number" ? { nodeId: node, address: `memory:${node}` } : node)),
    );
    for (const nodeId of this.#directory.ids()) this.network.add(nodeId);
    this.#directory.listen({
      nodeAdded: ({ nodeId }) => this.network.add(nodeId),
      nodeRemoved: (nodeId) => this.network.remove(nodeId),
    });
    if (faults !== undefined) this.network.setFaults(faults);
    this.#registry = new ClusterRegistry({
      directory: this.#directory,
      peer: (nodeId) => this.peer(nodeId),
      defaults,
    });
  }

  async start(): Promise<void> {
    this.network.setRunning(true);
  }

  async shutdown(): Promise<void> {
    try {
      await this.#registry.stopAll();
    } finally {
      this.network.setRunning(false);
    }
  }

  createCluster(nodeId: NodeId, options: ClusterDefaults<E> = {}): Promise<RaftCluster<CommandOf<E>, ResultOf<E>>> {
    return this.#registry.create(nodeId, options);
  }

  /** A node's place on the transport, for groups that are not made by `createCluster`. Throws NODE_UNKNOWN. */
  peer(nodeId: NodeId): PeerTransport {
    this.#directory.require(nodeId);
    return this.network.peer(nodeId);
  }

  addNode(node: NodeAddress): void {
    this.#directory.add(node);
  }

  removeNode(nodeId: NodeId): void {
    this.#directory.remove(nodeId);
  }

  getNodeAddress(nodeId: NodeId): string | undefined {
    return this.#directory.addressOf(nodeId);
  }

  nodeIds(): readonly NodeId[] {
    return this.#directory.ids();
  }
}
