/** {@link ClusterPort} of a node: over its Raft group and its membership, in this process. */
import type { Clock, NodeId } from "@raftoral/raft-core";
import type { WorkflowExecutor } from "@raftoral/workflow";
import type { CallLimit } from "../../api/call-options.ts";
import type { BackupSummary, NodeRole, NodeStatus } from "../../api/cluster/cluster.ts";
import type { ClusterPort } from "../../api/cluster/cluster-port.ts";
import type { Timeout } from "../../time/deadline.ts";
import { within } from "../../time/within.ts";
import { VERSION } from "../../version.ts";
import type { NodeBackups } from "../storage/node-backups.ts";
import type { NodeIdentity } from "../storage/node-storage.ts";
import { type Membership, membersOf, type WorkflowCluster } from "./membership.ts";

/** What {@link NodeCluster} is made of. */
export interface NodeClusterOptions {
  readonly identity: NodeIdentity;
  /** Where others reach this node. */
  readonly address: string;
  readonly cluster: WorkflowCluster;
  readonly executor: WorkflowExecutor;
  readonly membership: Membership;
  readonly backups: NodeBackups;
  readonly clock: Clock;
  /** `type@version` of what is registered here, sorted. */
  readonly workflows: readonly string[];
  /** Hands over and leaves the configuration; the node stops afterwards by itself. */
  readonly leave: (timeout: Timeout) => Promise<void>;
}

/** The cluster calls of one node. `status` answers without a quorum. */
export class NodeCluster implements ClusterPort {
  readonly #options: NodeClusterOptions;

  constructor(options: NodeClusterOptions) {
    this.#options = options;
  }

  async status(): Promise<NodeStatus> {
    const { identity, cluster, executor, address, workflows } = this.#options;
    const { clusterId, nodeId } = identity;
    const status = cluster.status();
    const { leader, term, commit, applied, firstIndex, lastIndex, transfers } = status;
    return {
      clusterId,
      nodeId,
      address,
      role: roleOf(status),
      leader,
      term,
      commit,
      applied,
      firstIndex,
      lastIndex,
      members: membersOf(status),
      runningRuns: executor.state.size.running,
      ownedRuns: executor.state.nodes().find((node) => node.nodeId === nodeId)?.running ?? 0,
      workflows,
      version: VERSION,
      transfers,
    };
  }

  waitForLeader({ timeoutMs }: CallLimit): Promise<NodeId> {
    return this.#options.cluster.waitForLeader({ timeoutMs });
  }

  transferLeadership(to: NodeId | undefined, limit: CallLimit): Promise<NodeId> {
    return this.#options.membership.transfer(to, limit);
  }

  async removeNode(nodeId: NodeId | undefined, limit: CallLimit): Promise<NodeId> {
    const { identity, membership, leave } = this.#options;
    const removed = nodeId ?? identity.nodeId;
    if (removed === identity.nodeId) await leave(limit);
    else await membership.remove(removed, limit);
    return removed;
  }

  backUp(name: string, limit: CallLimit): Promise<BackupSummary> {
    const { backups, clock } = this.#options;
    return within(backups.makeNamed(name), limit, "The backup", clock);
  }
}

function roleOf({ role, isLearner }: { readonly role: string; readonly isLearner: boolean }): NodeRole {
  if (isLearner) return "learner";
  if (role === "StateLeader") return "leader";
  return role === "StateFollower" ? "follower" : "candidate";
}
