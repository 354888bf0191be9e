/**
 * The Raft groups that were created on a transport: fills in the options that the caller left out, and stops all groups when the
 * transport shuts down. Every transport uses it.
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

/** The groups of one transport. */
export class ClusterRegistry<E extends AnyExecutor> {
  readonly #directory: NodeDirectory;
  readonly #peer: (nodeId: NodeId) => PeerTransport;
  readonly #defaults: ClusterDefaults<E>;
  readonly #clusters = new Set<RaftCluster<CommandOf<E>, ResultOf<E>>>();
  /** Number of calls of `stopAll`, so that a group that was starting meanwhile notices it. */
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
   * Starts a group of `nodeId`; `overrides` take precedence over the defaults. Rejects with NODE_UNKNOWN for a node that was never added,
   * with CONFIG_INVALID without an executor, with TRANSPORT_CLOSED when {@link stopAll} was called while the group started, and as
   * `RaftCluster.start` does.
   */
  async create(nodeId: NodeId, overrides: ClusterDefaults<E> = {}): Promise<RaftCluster<CommandOf<E>, ResultOf<E>>> {
    this.#directory.require(nodeId);
    const { executor, storage, ...settings } = { ...this.#defaults, ...overrides };
    if (executor === undefined) {
      throw new RaftError(
        "CONFIG_INVALID",
        "createCluster has no executor. Give one to createCluster or to the transport's constructor.",
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
        `The transport was shut down while the group of node ${nodeId} started. Start the transport before its groups.`,
      );
    }
    this.#clusters.add(cluster);
    return cluster;
  }

  /** Stops every group that was created here. Resolves once all have stopped; rejects with the first error of a group. */
  async stopAll(): Promise<void> {
    this.#stops++;
    const clusters = [...this.#clusters];
    this.#clusters.clear();
    const stopped = await Promise.allSettled(clusters.map((cluster) => cluster.stop()));
    const failed = stopped.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}
