/** What a node that answers from memory says of its cluster. */
import { type NodeId, RaftError } from "@raftoral/raft-core";
import type { CallLimit } from "../api/call-options.ts";
import type { BackupSummary, MemberInfo, NodeStatus } from "../api/cluster/cluster.ts";
import type { ClusterPort } from "../api/cluster/cluster-port.ts";

/** As much of a node as its cluster tells of. */
interface FakeMember {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  readonly known: MemberInfo[];
  readonly transfers: NodeStatus["transfers"];
  /** What its status says otherwise than usual. */
  readonly shown: Partial<NodeStatus>;
}

/** The cluster of a node: what it says is in the node's fields. */
export function fakeCluster(node: FakeMember, enter: (name: string, limit: CallLimit) => Promise<void>): ClusterPort {
  return {
    status: async () => {
      return {
        clusterId: node.clusterId,
        nodeId: node.nodeId,
        address: "10.0.0.1:5001",
        role: "leader",
        leader: 1,
        term: 3,
        commit: 41,
        applied: 40,
        firstIndex: 2,
        lastIndex: 42,
        members: node.known,
        runningRuns: 5,
        ownedRuns: 2,
        workflows: ["process_order@1"],
        version: "0.0.0",
        transfers: node.transfers,
        snapshotIndex: 1,
        isSwept: true,
        retained: { runs: 4, maxRuns: 10_000, bytes: 5_000, maxBytes: 2 ** 30, ids: 3, maxIds: 100_000 },
        ...node.shown,
      };
    },
    waitForLeader: async (limit) => {
      await enter("waitForLeader", limit);
      return 1;
    },
    transferLeadership: async (to, _reason, limit) => {
      await enter("transferLeadership", limit);
      return to ?? 2;
    },
    removeNode: async (nodeId, _reason, limit) => {
      await enter(nodeId === undefined ? "leave" : "removeNode", limit);
      if (nodeId !== undefined && nodeId > 3) {
        throw new RaftError("NODE_UNKNOWN", `There is no node ${nodeId}; members are 1, 2, 3.`);
      }
      return nodeId ?? node.nodeId;
    },
    backUp: async (name, _reason, limit): Promise<BackupSummary> => {
      await enter("backUp", limit);
      const groups = [{ group: 1, commit: 8, lastIndex: 9 }];
      const createdAt = "2026-01-02T03:04:05.678Z";
      const path = `/backups/${name}`;
      return { nodeId: 1, clusterId: "test-1", path, createdAt, files: 4, bytes: 2_000_000, groups };
    },
  };
}
