/**
 * What the services need of a node: the border between gRPC and {@link RaftoralNode}, in domain types.
 *
 * Every method ends within its `timeoutMs`, with a RaftoralError if need be; none hangs when the quorum is gone.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { BackupSummary, MemberInfo, NodeStatus } from "../client/cluster-info.ts";
import type { RunDetails, RunFilter, RunPage } from "../client/run-info.ts";

export interface Timeout {
  readonly timeoutMs: number;
}

export interface StartRequest {
  readonly type: string;
  /** 0: the newest that any node has registered. */
  readonly version: number;
  readonly input: unknown;
  /** `undefined`: a random one. */
  readonly id: string | undefined;
}

/** A place in the cluster. */
export interface Admission {
  readonly clusterId: string;
  readonly nodeId: NodeId;
  readonly members: readonly MemberInfo[];
}

export interface ServedNode {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  start(request: StartRequest, timeout: Timeout): Promise<{ readonly id: string; readonly created: boolean }>;
  getRun(id: string, timeout: Timeout): Promise<RunDetails>;
  /** At most `limit` runs, newest start first; `cursor` is the `next` of the page before, empty for the first. */
  listPage(filter: RunFilter, limit: number, cursor: string, timeout: Timeout): Promise<RunPage>;
  signalRun(id: string, name: string, payload: unknown, signalId: string | undefined, timeout: Timeout): Promise<void>;
  cancelRun(id: string, reason: string, timeout: Timeout): Promise<void>;
  /** The run when it ends, or as it is when the time is over or `stop` fires. */
  awaitRun(id: string, timeout: Timeout, stop: AbortSignal): Promise<RunDetails>;
  nodeStatus(): NodeStatus;
  /** `nodeId` is the id to be given; 0: any. */
  admit(address: string, clusterName: string, nodeId: NodeId, timeout: Timeout): Promise<Admission>;
  readdress(nodeId: NodeId, address: string, timeout: Timeout): Promise<readonly MemberInfo[]>;
  removeNode(nodeId: NodeId, timeout: Timeout): Promise<void>;
  /** Resolves once this node is no member any more; it stops soon after. */
  leaveSoon(timeout: Timeout): Promise<void>;
  /** `undefined`: the member furthest ahead. */
  handOver(to: NodeId | undefined, timeout: Timeout): Promise<NodeId>;
  /** A backup of this node under a name, where the node keeps them. What takes longer than `timeoutMs` goes on. */
  backUp(name: string, timeout: Timeout): Promise<BackupSummary>;
}
