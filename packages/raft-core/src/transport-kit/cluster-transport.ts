/**
 * The interface that a transport shows its users: a set of known nodes, and Raft groups created on top of it. The in-memory
 * and the gRPC transport implement it alike, so that one replaces the other by changing a constructor.
 */

import type { RaftClusterOptions } from "../driver/options.ts";
import type { RaftCluster } from "../driver/raft-cluster.ts";
import type { AnyExecutor, CommandOf, ResultOf } from "../ports/executor.ts";
import type { GroupStorage } from "../ports/storage.ts";
import type { GroupId, NodeAddress, NodeId } from "../types.ts";

/**
 * How `createCluster` fills in what its caller leaves out. `executor` makes the application's half for a node; storage is in
 * memory unless given; everything else is as in {@link RaftClusterOptions}.
 */
export interface ClusterDefaults<E extends AnyExecutor>
  extends Partial<
    Omit<RaftClusterOptions<CommandOf<E>, ResultOf<E>>, "nodeId" | "transport" | "executor" | "storage">
  > {
  /** Makes the application's half for a node. */
  readonly executor?: (nodeId: NodeId) => E;
  /** Opens the storage of a group on a node. Defaults to storage in memory. */
  readonly storage?: (nodeId: NodeId, groupId: GroupId) => GroupStorage | Promise<GroupStorage>;
}

export interface ClusterTransport<E extends AnyExecutor> {
  /** Begins to carry messages. Nodes added before and after are reached alike. */
  start(): Promise<void>;
  /** Stops the clusters created here, then closes every connection. Idempotent. */
  shutdown(): Promise<void>;
  /**
   * The Raft group of `nodeId`, running on this transport. Rejects with NODE_UNKNOWN for a node that was never added. The
   * first configuration of a fresh group is all nodes known at that moment, as voters.
   */
  createCluster(nodeId: NodeId, options?: ClusterDefaults<E>): Promise<RaftCluster<CommandOf<E>, ResultOf<E>>>;
  /** Adds a node, or moves it to another address. */
  addNode(node: NodeAddress): void;
  /** Removes a node and closes what leads to it. Throws NODE_UNKNOWN. This does not change the group's configuration. */
  removeNode(nodeId: NodeId): void;
  getNodeAddress(nodeId: NodeId): string | undefined;
  /** Ascending. */
  nodeIds(): readonly NodeId[];
}
