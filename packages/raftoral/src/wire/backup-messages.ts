/** A backup's summary on the wire. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { BackupSummary } from "../api/cluster/cluster.ts";
import type { BackUpNodeResponse, BackUpNodeResponseSchema } from "../gen/raftoral/v1/cluster_service_pb.ts";
import { safeNumber } from "./numbers.ts";

/** A summary as a message. */
export function backupToWire(backup: BackupSummary): MessageInitShape<typeof BackUpNodeResponseSchema> {
  const { nodeId, clusterId, path, createdAt, files, bytes, groups } = backup;
  return {
    nodeId: BigInt(nodeId),
    clusterId,
    path,
    createdAt,
    files,
    bytes: BigInt(bytes),
    groups: groups.map(({ group, commit, lastIndex }) => ({
      groupId: BigInt(group),
      commitIndex: BigInt(commit),
      lastIndex: BigInt(lastIndex),
    })),
  };
}

/** The summary of a message. Throws as {@link safeNumber} does. */
export function backupFromWire({ nodeId, bytes, groups, ...rest }: BackUpNodeResponse): BackupSummary {
  const { clusterId, path, createdAt, files } = rest;
  return {
    nodeId: safeNumber(nodeId, "node_id"),
    clusterId,
    path,
    createdAt,
    files,
    bytes: safeNumber(bytes, "bytes"),
    groups: groups.map(({ groupId, commitIndex, lastIndex }) => ({
      group: safeNumber(groupId, "group_id"),
      commit: safeNumber(commitIndex, "commit_index"),
      lastIndex: safeNumber(lastIndex, "last_index"),
    })),
  };
}
