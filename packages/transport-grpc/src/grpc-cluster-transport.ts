/** The gRPC transport as its users see it: the same surface as the in-memory one, between processes. */
import {
  type AnyExecutor,
  type ClusterDefaults,
  ClusterRegistry,
  type ClusterTransport,
  type CommandOf,
  type NodeAddress,
  NodeDirectory,
  type NodeId,
  platformClock,
  platformRng,
  type RaftCluster,
  type ResultOf,
  silentLogger,
} from "@raftoral/raft-core";
import { parseAddress } from "./address.ts";
import type { TransportCounters } from "./counters.ts";
import { LocalPeer } from "./local-peer.ts";
import { type GrpcTransportOptions, type GrpcTransportSettings, transportSettings } from "./options.ts";
import type { GrpcServer } from "./server/grpc-server.ts";

export class GrpcClusterTransport<E extends AnyExecutor> implements ClusterTransport<E> {
  readonly #settings: GrpcTransportSettings;
  readonly #defaults: ClusterDefaults<E>;
  readonly #directory: NodeDirectory;
  readonly #registry: ClusterRegistry<E>;
  /** Nodes of this process. */
  readonly #locals = new Map<NodeId, LocalPeer>();
  readonly #servers = new Set<GrpcServer>();
  #isRunning = false;

  /** Throws TRANSPORT_ADDRESS_INVALID, CONFIG_INVALID. */
  constructor(nodes: readonly NodeAddress[], defaults: ClusterDefaults<E> & GrpcTransportOptions = {}) {
    this.#settings = transportSettings(defaults);
    this.#defaults = defaults;
    for (const node of nodes) parseAddress(node.address);
    this.#directory = new NodeDirectory(nodes);
    this.#directory.listen({
      nodeAdded: ({ nodeId, address }) => {
        for (const local of this.#locals.values()) local.setPeer(nodeId, address);
      },
      nodeRemoved: (nodeId) => {
        for (const local of this.#locals.values()) local.removePeer(nodeId);
      },
    });
    this.#registry = new ClusterRegistry({ directory: this.#directory, peer: (nodeId) => this.peer(nodeId), defaults });
  }

  async start(): Promise<void> {
    this.#isRunning = true;
    for (const local of this.#locals.values()) local.start();
  }

  async shutdown(): Promise<void> {
    try {
      await this.#registry.stopAll();
    } finally {
      this.#isRunning = false;
      await Promise.all([...this.#locals.values()].map((local) => local.stop()));
      const servers = [...this.#servers];
      this.#servers.clear();
      await Promise.all(servers.map((server) => server.close()));
    }
  }

  createCluster(nodeId: NodeId, options: ClusterDefaults<E> = {}): Promise<RaftCluster<CommandOf<E>, ResultOf<E>>> {
    return this.#registry.create(nodeId, options);
  }

  /**
   * A node of this process, for its server and for groups that are not made by `createCluster`. The same object at every call.
   * Throws NODE_UNKNOWN.
   */
  peer(nodeId: NodeId): LocalPeer {
    this.#directory.require(nodeId);
    const known = this.#locals.get(nodeId);
    if (known !== undefined) return known;
    const local = new LocalPeer({
      nodeId,
      settings: this.#settings,
      clock: this.#defaults.clock ?? platformClock,
      rng: this.#defaults.rng ?? platformRng(),
      logger: this.#defaults.logger ?? silentLogger,
      address: () => this.#directory.addressOf(nodeId),
    });
    for (const node of this.#directory.nodes()) local.setPeer(node.nodeId, node.address);
    if (this.#isRunning) local.start();
    this.#locals.set(nodeId, local);
    return local;
  }

  /** Throws TRANSPORT_ADDRESS_INVALID. */
  addNode(node: NodeAddress): void {
    parseAddress(node.address);
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

  /** What a node of this process sent, received and refused so far. Throws NODE_UNKNOWN. */
  counters(nodeId: NodeId): Readonly<TransportCounters> {
    return this.peer(nodeId).counters;
  }

  /** From now on `shutdown` closes this server too. For `startGrpcServer`. */
  adopt(server: GrpcServer): void {
    this.#servers.add(server);
  }
}
