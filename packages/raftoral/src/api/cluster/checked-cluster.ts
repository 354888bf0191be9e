/** What all implementations of {@link Cluster} share: arguments are checked and an aborted call ends at once. What differs is behind {@link ClusterPort}. */
import type { NodeId } from "@raftoral/raft-core";
import { backupNameArgument, limitArgument, nodeIdArgument, optionsArgument, reasonArgument } from "../arguments.ts";
import { abortable, type CallEffect, type CallLimit, type CallOptions } from "../call-options.ts";
import type { BackupSummary, Cluster, ClusterOperationOptions, MemberInfo, NodeStatus } from "./cluster.ts";
import type { ClusterPort } from "./cluster-port.ts";

/** {@link Cluster} over a {@link ClusterPort}. */
export class CheckedCluster implements Cluster {
  readonly #port: ClusterPort;
  readonly #timeoutMs: number;

  /** `timeoutMs` is for calls that name no time. */
  constructor(port: ClusterPort, timeoutMs: number) {
    this.#port = port;
    this.#timeoutMs = timeoutMs;
  }

  async status(options?: CallOptions): Promise<NodeStatus> {
    return this.#call(options, "Asking for the status", (limit) => this.#port.status(limit), "read");
  }

  async members(options?: CallOptions): Promise<readonly MemberInfo[]> {
    return (await this.status(options)).members;
  }

  async waitForLeader(options?: CallOptions): Promise<NodeId> {
    return this.#call(options, "Waiting for a leader", (limit) => this.#port.waitForLeader(limit), "read");
  }

  async transferLeadership(to?: NodeId, options?: ClusterOperationOptions): Promise<NodeId> {
    const nodeId = to === undefined ? undefined : nodeIdArgument(to);
    const reason = reasonOf(options);
    return this.#call(options, "Transferring the leadership", (limit) =>
      this.#port.transferLeadership(nodeId, reason, limit),
    );
  }

  async removeNode(nodeId?: NodeId, options?: ClusterOperationOptions): Promise<NodeId> {
    const removed = nodeId === undefined ? undefined : nodeIdArgument(nodeId);
    const reason = reasonOf(options);
    return this.#call(options, "Removing a node", (limit) => this.#port.removeNode(removed, reason, limit));
  }

  async backUp(name: string, options?: ClusterOperationOptions): Promise<BackupSummary> {
    const checked = backupNameArgument(name);
    const reason = reasonOf(options);
    return this.#call(options, "Backing a node up", (limit) => this.#port.backUp(checked, reason, limit));
  }

  #call<T>(
    options: CallOptions | undefined,
    what: string,
    run: (limit: CallLimit) => Promise<T>,
    effect?: CallEffect,
  ): Promise<T> {
    return abortable(limitArgument(options, this.#timeoutMs), what, run, effect);
  }
}

function reasonOf(options: ClusterOperationOptions | undefined): string {
  return reasonArgument(optionsArgument(options).reason, "");
}
