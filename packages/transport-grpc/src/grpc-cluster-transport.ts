/** The gRPC transport as its users see it: the same surface as the in-memory one, between processes. */
import {
  type AnyExecutor,
  type Cancel,
  type ClusterDefaults,
  type ClusterTransport,
  type CommandOf,
  type Logger,
  type NodeAddress,
  type NodeId,
  platformClock,
  platformRng,
  type RaftCluster,
  type ResultOf,
  silentLogger,
} from "@raftoral/raft-core";
import { ClusterRegistry, NodeDirectory } from "@raftoral/raft-core/transport";
import { parseAddress } from "./address.ts";
import type { TransportCounters } from "./counters.ts";
import { LocalPeer } from "./local-peer.ts";
import { type GrpcTransportOptions, type GrpcTransportSettings, transportSettings } from "./options.ts";
import type { PeerStats } from "./peer-stats.ts";
import type { Security } from "./security/security.ts";
import type { GrpcServer } from "./server/grpc-server.ts";

/**
 * A ClusterTransport over gRPC. `start` connects the nodes of this process to the others, a GrpcServer takes the others' streams for one of them,
 * `createCluster` gives its member of a group, and `shutdown` ends all of them.
 */
export class GrpcClusterTransport<E extends AnyExecutor> implements ClusterTransport<E> {
  readonly #settings: GrpcTransportSettings;
  readonly #defaults: ClusterDefaults<E>;
  readonly #directory: NodeDirectory;
  readonly #registry: ClusterRegistry<E>;
  /** Nodes of this process. */
  readonly #locals = new Map<NodeId, LocalPeer>();
  readonly #servers = new Set<GrpcServer>();
  #isRunning = false;
  #stopWatching: Cancel = () => {};

  /** Throws TRANSPORT_ADDRESS_INVALID, TRANSPORT_PLAINTEXT_REFUSED, TRANSPORT_TLS_INVALID, CONFIG_INVALID. */
  constructor(nodes: readonly NodeAddress[], defaults: ClusterDefaults<E> & GrpcTransportOptions = {}) {
    this.#settings = transportSettings(defaults);
    this.#defaults = defaults;
    for (const node of nodes) this.#checkAddress(node.address);
    this.security.onReload(({ isOtherTrust }) => {
      if (isOtherTrust) for (const local of this.#locals.values()) local.reconnect();
    });
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
    this.#stopWatching();
    this.#stopWatching = this.security.watch(this.#defaults.clock ?? platformClock, this.#logger);
    for (const local of this.#locals.values()) local.start();
  }

  async shutdown(): Promise<void> {
    try {
      await this.#registry.stopAll();
    } finally {
      this.#isRunning = false;
      this.#stopWatching();
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
      logger: this.#logger,
      address: () => this.#directory.addressOf(nodeId),
    });
    for (const node of this.#directory.nodes()) local.setPeer(node.nodeId, node.address);
    if (this.#isRunning) local.start();
    this.#locals.set(nodeId, local);
    return local;
  }

  /** Throws TRANSPORT_ADDRESS_INVALID, TRANSPORT_PLAINTEXT_REFUSED. */
  addNode(node: NodeAddress): void {
    this.#checkAddress(node.address);
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

  /** Whether and how connections are encrypted. */
  get security(): Security {
    return this.#settings.security;
  }

  /**
   * Reads the certificates again; connections made from now on use them. Those that stand go on, unless whom to believe has
   * changed: then all are made again. Whether anything had changed. Throws TRANSPORT_TLS_INVALID, and goes on with what it had.
   */
  reloadTls(): boolean {
    return this.security.reload();
  }

  /** What a node of this process sent, received and refused so far. Throws NODE_UNKNOWN. */
  counters(nodeId: NodeId): Readonly<TransportCounters> {
    return this.peer(nodeId).counters;
  }

  /** The same by peer, with the state of its streams: a copy, as of now. Throws NODE_UNKNOWN. */
  peerStats(nodeId: NodeId): readonly PeerStats[] {
    return this.peer(nodeId).peerStats();
  }

  /** From now on `shutdown` closes this server too. For `startGrpcServer`. */
  adopt(server: GrpcServer): void {
    this.#servers.add(server);
  }

  get #logger(): Logger {
    return this.#defaults.logger ?? silentLogger;
  }

  #checkAddress(address: string): void {
    this.security.check(parseAddress(address), "connect to");
  }
}
