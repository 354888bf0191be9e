/** {@link ClusterPort} of a node: over its Raft group and its membership, in this process. */
import type { Clock, NodeId } from "@raftoral/raft-core";
import type { RuntimeLimits, WorkflowExecutor } from "@raftoral/workflow";
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
  /** Bounds of what is kept of runs that have ended. */
  readonly limits: Pick<RuntimeLimits, "maxFinishedRuns" | "maxFinishedBytes" | "maxKeptIds">;
  /** Who asks. */
  readonly by: string;
  /** Records what was done, by whom and why. */
  readonly audit: (entry: ClusterAudit, limit: CallLimit) => Promise<void>;
  /** Hands over and leaves the configuration; the node stops afterwards by itself. */
  readonly leave: (timeout: Timeout) => Promise<void>;
}

/** What was done to the cluster. */
export interface ClusterAudit {
  readonly action: string;
  readonly subject: string;
  readonly detail: string;
  readonly reason: string;
  readonly by: string;
}

/** The cluster calls of one node. `status` answers without a quorum. */
export class NodeCluster implements ClusterPort {
  readonly #options: NodeClusterOptions;

  constructor(options: NodeClusterOptions) {
    this.#options = options;
  }

  async status(): Promise<NodeStatus> {
    const { identity, cluster, executor, address, workflows, limits } = this.#options;
    const { clusterId, nodeId } = identity;
    const status = cluster.status();
    const { leader, term, commit, applied, firstIndex, lastIndex, snapshotIndex, transfers } = status;
    const { running, finished, finishedBytes, tombstones, hasRemains } = executor.state.size;
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
      runningRuns: running,
      ownedRuns: executor.state.nodes().find((node) => node.nodeId === nodeId)?.running ?? 0,
      workflows,
      version: VERSION,
      transfers,
      snapshotIndex,
      isSwept: !hasRemains,
      retained: {
        runs: finished,
        maxRuns: limits.maxFinishedRuns,
        bytes: finishedBytes,
        maxBytes: limits.maxFinishedBytes,
        ids: tombstones,
        maxIds: limits.maxKeptIds,
      },
    };
  }

  waitForLeader({ timeoutMs }: CallLimit): Promise<NodeId> {
    return this.#options.cluster.waitForLeader({ timeoutMs });
  }

  async transferLeadership(to: NodeId | undefined, reason: string, limit: CallLimit): Promise<NodeId> {
    const leader = await this.#options.membership.transfer(to, limit);
    await this.#audit("transfer-leadership", String(leader), reason, limit);
    return leader;
  }

  async removeNode(nodeId: NodeId | undefined, reason: string, limit: CallLimit): Promise<NodeId> {
    const { identity, membership, leave } = this.#options;
    const removed = nodeId ?? identity.nodeId;
    if (removed === identity.nodeId) {
      // Afterwards this node can record nothing.
      await this.#audit("remove-node", String(removed), reason, limit);
      await leave(limit);
      return removed;
    }
    await membership.remove(removed, limit);
    await this.#audit("remove-node", String(removed), reason, limit);
    return removed;
  }

  async backUp(name: string, reason: string, limit: CallLimit): Promise<BackupSummary> {
    const { backups, clock, identity } = this.#options;
    const backup = await within(backups.makeNamed(name), limit, "The backup", clock);
    await this.#audit("back-up", String(identity.nodeId), reason, limit);
    return backup;
  }

  /** What was done is done, whether its record reaches the log or not. */
  async #audit(action: string, subject: string, reason: string, limit: CallLimit): Promise<void> {
    const { audit, by } = this.#options;
    await audit({ action, subject, detail: "", reason, by }, limit).catch(() => {});
  }
}

function roleOf({ role, isLearner }: { readonly role: string; readonly isLearner: boolean }): NodeRole {
  if (isLearner) return "learner";
  if (role === "StateLeader") return "leader";
  return role === "StateFollower" ? "follower" : "candidate";
}
