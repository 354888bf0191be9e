/** One of three processes with many Raft groups each: gRPC, one LMDB environment, executors that do nothing. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { CommandExecutor, CommittedCommand, NodeAddress, RaftCluster, SnapshotContent } from "@raftoral/raft-core";
import { LmdbEnvironment } from "@raftoral/storage-lmdb";
import { GrpcClusterTransport, startGrpcServer } from "@raftoral/transport-grpc";
import { serve } from "../child-process.ts";

/** What starting the groups cost this process. */
export interface Started {
  readonly openMs: number;
  readonly startMs: number;
  readonly heapBytes: number;
}

/** What a stretch of time cost this process. */
export interface Idled {
  /** Processor time over elapsed time: 1 is a whole core. */
  readonly cpu: number;
  readonly userShare: number;
  /** Groups that this process leads at the end. */
  readonly leads: number;
  /** Sum of the terms of all groups: elections move it. */
  readonly terms: number;
  readonly messagesSent: number;
  readonly framesSent: number;
  readonly bytesSent: number;
}

class Nothing implements CommandExecutor<Uint8Array, undefined> {
  encode(command: Uint8Array): Uint8Array {
    return command;
  }
  decode(bytes: Uint8Array): Uint8Array {
    return bytes;
  }
  apply(batch: readonly CommittedCommand<Uint8Array>[]): readonly undefined[] {
    return batch.map(() => undefined);
  }
  async *snapshot(): SnapshotContent {}
  async restore(content: SnapshotContent): Promise<void> {
    for await (const _ of content);
  }
}

const transport = new GrpcClusterTransport<Nothing>([], { executor: () => new Nothing() });
const clusters: RaftCluster<Uint8Array, undefined>[] = [];
let self = 0;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function liveHeapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

serve({
  async listen(nodeId: number): Promise<string> {
    self = nodeId;
    await transport.start();
    return (await startGrpcServer("127.0.0.1:0", transport, nodeId)).address;
  },
  async start(options: {
    readonly nodes: readonly NodeAddress[];
    readonly folder: string;
    readonly groups: number;
    readonly coalesceHeartbeatsFrom: number;
  }): Promise<Started> {
    const { nodes, folder, groups, coalesceHeartbeatsFrom } = options;
    for (const node of nodes) transport.addNode(node);
    const heapBefore = liveHeapBytes();
    const openedAt = performance.now();
    const environment = await LmdbEnvironment.open({ path: folder });
    const startedAt = performance.now();
    const starting = Array.from({ length: groups }, (_, at) =>
      transport.createCluster(self, {
        groupId: at + 1,
        storage: (_node, groupId) => environment.group(groupId),
        coalesceHeartbeatsFrom,
      }),
    );
    clusters.push(...(await Promise.all(starting)));
    const startMs = performance.now() - startedAt;
    return { openMs: startedAt - openedAt, startMs, heapBytes: liveHeapBytes() - heapBefore };
  },
  /** Resolves with the milliseconds until every group knows a leader. */
  async settle(): Promise<number> {
    const from = performance.now();
    await Promise.all(clusters.map((cluster) => cluster.waitForLeader({ timeoutMs: 60_000 })));
    return performance.now() - from;
  },
  async idle(durationMs: number): Promise<Idled> {
    const counters = transport.counters(self);
    const { messagesSent, framesSent, bytesSent } = counters;
    const from = performance.now();
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, durationMs));
    const { user, system } = process.cpuUsage(before);
    const elapsedMs = performance.now() - from;
    const statuses = clusters.map((cluster) => cluster.status());
    const after = transport.counters(self);
    return {
      cpu: (user + system) / 1000 / elapsedMs,
      userShare: user / (user + system),
      leads: clusters.filter((cluster) => cluster.isLeader).length,
      terms: statuses.reduce((sum, { term }) => sum + term, 0),
      messagesSent: after.messagesSent - messagesSent,
      framesSent: after.framesSent - framesSent,
      bytesSent: after.bytesSent - bytesSent,
    };
  },
});
