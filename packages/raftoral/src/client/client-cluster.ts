/** {@link ClusterPort} of a client: over gRPC. */
import type { NodeId } from "@raftoral/raft-core";
import type { CallLimit } from "../api/call-options.ts";
import type { BackupSummary, NodeStatus } from "../api/cluster/cluster.ts";
import type { ClusterPort } from "../api/cluster/cluster-port.ts";
import { backupFromWire } from "../wire/backup-messages.ts";
import { nodeStatusFromWire } from "../wire/cluster-messages.ts";
import { safeNumber } from "../wire/numbers.ts";
import type { ClientCalls } from "./client-calls.ts";

/** The cluster calls of one client. */
export class ClientCluster implements ClusterPort {
  readonly #calls: ClientCalls;
  /** The node that leaves or is backed up: another would do so in its place. */
  readonly #named: string | undefined;

  /** `named` is the first address that the client was connected with. */
  constructor(calls: ClientCalls, named: string | undefined) {
    this.#calls = calls;
    this.#named = named;
  }

  async status(limit: CallLimit): Promise<NodeStatus> {
    return nodeStatusFromWire(
      await this.#calls.call("Asking for the status", limit, (node, options) => node.cluster.getStatus({}, options)),
    );
  }

  async waitForLeader(limit: CallLimit): Promise<NodeId> {
    const { leaderId } = await this.#calls.call("Waiting for a leader", limit, (node, options) =>
      node.cluster.waitForLeader({ timeoutMs: options.timeoutMs }, options),
    );
    return safeNumber(leaderId, "leader_id");
  }

  async transferLeadership(to: NodeId | undefined, reason: string, limit: CallLimit): Promise<NodeId> {
    const nodeId = BigInt(to ?? 0);
    const { leaderId } = await this.#calls.call("Transferring the leadership", limit, (node, options) =>
      node.cluster.transferLeadership({ nodeId, reason, timeoutMs: options.timeoutMs }, options),
    );
    return safeNumber(leaderId, "leader_id");
  }

  async removeNode(removed: NodeId | undefined, reason: string, limit: CallLimit): Promise<NodeId> {
    const only = removed === undefined ? this.#named : undefined;
    const nodeId = BigInt(removed ?? 0);
    const answer = await this.#calls.call(
      "Removing a node",
      limit,
      (node, options) => node.cluster.removeNode({ nodeId, reason, timeoutMs: options.timeoutMs }, options),
      { only },
    );
    return safeNumber(answer.nodeId, "node_id");
  }

  async backUp(name: string, reason: string, limit: CallLimit): Promise<BackupSummary> {
    return backupFromWire(
      await this.#calls.call(
        "Backing a node up",
        limit,
        (node, options) => node.cluster.backUpNode({ name, reason, timeoutMs: options.timeoutMs }, options),
        { idempotent: false, only: this.#named },
      ),
    );
  }
}
