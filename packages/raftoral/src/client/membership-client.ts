/** What one node asks of another about membership, over gRPC. Not for users: the calls are judged by the node's certificate. */
import type { Clock, NodeId } from "@raftoral/raft-core";
import { parseAddress, Security, type TlsOptions } from "@raftoral/transport-grpc";
import type { CallLimit } from "../api/call-options.ts";
import type { MemberInfo } from "../api/cluster/cluster.ts";
import { memberFromWire } from "../wire/cluster-messages.ts";
import { safeNumber } from "../wire/numbers.ts";
import { ClientCalls } from "./client-calls.ts";
import { ClientCluster } from "./client-cluster.ts";
import { Failover } from "./failover.ts";

/** The reason of a request that a member passes on to the leader: the member that was asked records the reason of its caller. */
const PASSED_ON = "passed on by a member";

/** A place in a cluster, as a member gave it. */
export interface GivenPlace {
  readonly clusterId: string;
  readonly nodeId: NodeId;
  readonly members: readonly MemberInfo[];
}

/** A connection from node to node. */
export class MembershipClient {
  readonly #failover: Failover;
  readonly #calls: ClientCalls;
  readonly #cluster: ClientCluster;

  private constructor(address: string, security: Security, clock: Clock) {
    this.#failover = new Failover([address], security, clock);
    this.#calls = new ClientCalls(this.#failover, clock);
    this.#cluster = new ClientCluster(this.#calls, address);
  }

  /** Resolves once the node at `address` has answered. Rejects as {@link RaftoralClient.connect} does. */
  static async connect(
    address: string,
    tls: TlsOptions | false | undefined,
    limit: CallLimit,
    clock: Clock,
  ): Promise<MembershipClient> {
    const security = new Security(tls);
    security.check(parseAddress(address), "connect to");
    const client = new MembershipClient(address, security, clock);
    try {
      await client.identity(limit);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Which node of which cluster answers. Needs no quorum. */
  async identity(limit: CallLimit): Promise<{ readonly clusterId: string; readonly nodeId: NodeId }> {
    const { clusterId, nodeId } = await this.#cluster.status(limit);
    return { clusterId, nodeId };
  }

  /** Asks for a place in the cluster at `address`, under `nodeId` unless that is 0. */
  async join(address: string, clusterName: string, nodeId: NodeId, limit: CallLimit): Promise<GivenPlace> {
    const place = { address, clusterName, nodeId: BigInt(nodeId) };
    const answer = await this.#calls.call("Joining", limit, (node, options) =>
      node.cluster.joinCluster({ ...place, timeoutMs: options.timeoutMs }, options),
    );
    return {
      clusterId: answer.clusterId,
      nodeId: safeNumber(answer.nodeId, "node_id"),
      members: answer.members.map(memberFromWire),
    };
  }

  /** Says where a member is now. Rejects with NODE_REMOVED when it is none any more, CLUSTER_MISMATCH in another cluster. */
  async announce(clusterId: string, nodeId: NodeId, address: string, limit: CallLimit): Promise<readonly MemberInfo[]> {
    const answer = await this.#calls.call("Announcing an address", limit, (node, options) =>
      node.cluster.announceNode({ clusterId, nodeId: BigInt(nodeId), address, timeoutMs: options.timeoutMs }, options),
    );
    return answer.members.map(memberFromWire);
  }

  /** See `Cluster.removeNode`. */
  async remove(nodeId: NodeId, limit: CallLimit): Promise<void> {
    await this.#cluster.removeNode(nodeId, PASSED_ON, limit);
  }

  /** See `Cluster.transferLeadership`. */
  transfer(to: NodeId | undefined, limit: CallLimit): Promise<NodeId> {
    return this.#cluster.transferLeadership(to, PASSED_ON, limit);
  }

  /** Ends every call in progress. Idempotent. */
  close(): void {
    this.#failover.close();
    this.#calls.close();
  }
}
