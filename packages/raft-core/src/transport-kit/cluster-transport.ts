/**
 * The interface of a transport for its users: a set of known nodes, and Raft groups created on top of it. The in-memory
 * and the gRPC transport implement it, so that changing a constructor replaces one by the other.
 */

import type { RaftClusterOptions } from "../driver/options.ts";
import type { RaftCluster } from "../driver/raft-cluster.ts";
import type { AnyExecutor, CommandOf, ResultOf } from "../ports/executor.ts";
import type { GroupStorage } from "../ports/storage.ts";
import type { GroupId, NodeAddress, NodeId } from "../types.ts";

/**
 * Options of `createCluster`, and their defaults in the transport's constructor. All options but `executor` and `storage` are those of
 * {@link RaftClusterOptions}.
 */
export interface ClusterDefaults<E extends AnyExecutor>
  extends Partial<
    Omit<RaftClusterOptions<CommandOf<E>, ResultOf<E>>, "nodeId" | "transport" | "executor" | "storage">
  > {
  /** Creates the executor of a node. */
  readonly executor?: (nodeId: NodeId) => E;
  /** Opens the storage of a group on a node. Defaults to storage in memory. */
  readonly storage?: (nodeId: NodeId, groupId: GroupId) => GroupStorage | Promise<GroupStorage>;
}

/** A transport with its known nodes and the groups that were created on it. */
export interface ClusterTransport<E extends AnyExecutor> {
  /** Begins to carry messages, for nodes added before and after. */
  start(): Promise<void>;
  /** Stops the groups created here, then closes every connection. Idempotent. */
  shutdown(): Promise<void>;
  /**
   * Starts the Raft group of `nodeId` on this transport. Unless `bootstrap` is given, the voters of a new group are all nodes known at that
   * moment. Rejects with NODE_UNKNOWN for a node that was never added, with CONFIG_INVALID without an executor, and as `RaftCluster.start` does.
   */
  createCluster(nodeId: NodeId, options?: ClusterDefaults<E>): Promise<RaftCluster<CommandOf<E>, ResultOf<E>>>;
  /** Adds a node, or changes its address. Throws CONFIG_INVALID for an invalid id. */
  addNode(node: NodeAddress): void;
  /** Removes a node and closes the connections to it. The group's configuration does not change. Throws NODE_UNKNOWN. */
  removeNode(nodeId: NodeId): void;
  /** The address of a node; undefined for an unknown one. */
  getNodeAddress(nodeId: NodeId): string | undefined;
  /** Ids of the known nodes, ascending. */
  nodeIds(): readonly NodeId[];
}
