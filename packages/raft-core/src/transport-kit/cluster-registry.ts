/**
 * The Raft groups that were created on a transport: fills in what their creator left out, and stops them all when the
 * transport shuts down. The same for every transport.
 */

import { RaftCluster } from "../driver/raft-cluster.ts";
import { RaftError } from "../errors.ts";
import { MemoryStorage } from "../memory/memory-storage.ts";
import type { AnyExecutor, CommandOf, ResultOf } from "../ports/executor.ts";
import type { PeerTransport } from "../ports/peer-transport.ts";
import type { NodeId } from "../types.ts";
import type { ClusterDefaults } from "./cluster-transport.ts";
import type { NodeDirectory } from "./node-directory.ts";
import { TransportError } from "./transport-error.ts";

export class ClusterRegistry<E extends AnyExecutor> {
  readonly #directory: NodeDirectory;
  readonly #peer: (nodeId: NodeId) => PeerTransport;
  readonly #defaults: ClusterDefaults<E>;
  readonly #clusters = new Set<RaftCluster<CommandOf<E>, ResultOf<E>>>();
  /** How often everything was stopped, for who was starting meanwhile. */
  #stops = 0;

  constructor(options: {
    readonly directory: NodeDirectory;
    readonly peer: (nodeId: NodeId) => PeerTransport;
    readonly defaults: ClusterDefaults<E>;
  }) {
    this.#directory = options.directory;
    this.#peer = options.peer;
    this.#defaults = options.defaults;
  }

  /**
   * Starts a group of `nodeId`; `overrides` win over the defaults. Rejects with NODE_UNKNOWN for a node that was never added,
   * with CONFIG_INVALID without an executor, and with TRANSPORT_CLOSED when everything was stopped while it started.
   */
  async create(nodeId: NodeId, overrides: ClusterDefaults<E> = {}): Promise<RaftCluster<CommandOf<E>, ResultOf<E>>> {
    this.#directory.require(nodeId);
    const { executor, storage, ...settings } = { ...this.#defaults, ...overrides };
    if (executor === undefined) {
      throw new RaftError(
        "CONFIG_INVALID",
        "createCluster has no executor; give one to it or to the transport's constructor",
      );
    }
    const stops = this.#stops;
    const cluster = await RaftCluster.start<CommandOf<E>, ResultOf<E>>({
      bootstrap: { kind: "members", members: this.#directory.nodes() },
      ...settings,
      nodeId,
      transport: this.#peer(nodeId),
      storage: (await storage?.(nodeId, settings.groupId ?? 1)) ?? new MemoryStorage(),
      executor: executor(nodeId),
    });
    if (stops !== this.#stops) {
      await cluster.stop();
      throw new TransportError(
        "TRANSPORT_CLOSED",
        `the transport was shut down while the group of node ${nodeId} started; start the transport before its groups`,
      );
    }
    this.#clusters.add(cluster);
    return cluster;
  }

  /** Stops every cluster that was created here. Resolves once all have stopped; rejects with the first failure to stop. */
  async stopAll(): Promise<void> {
    this.#stops++;
    const clusters = [...this.#clusters];
    this.#clusters.clear();
    const stopped = await Promise.allSettled(clusters.map((cluster) => cluster.stop()));
    const failed = stopped.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}
