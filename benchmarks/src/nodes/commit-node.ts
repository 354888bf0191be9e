/** One of three processes that form a bare Raft group: gRPC, LMDB, an executor that only counts. */
import type { CommandExecutor, CommittedCommand, NodeAddress, RaftCluster, SnapshotContent } from "@raftoral/raft-core";
import { LmdbEnvironment } from "@raftoral/storage-lmdb";
import { GrpcClusterTransport, startGrpcServer } from "@raftoral/transport-grpc";
import { serve } from "../child-process.ts";
import { closedLoop, type Load, type Measured } from "../closed-loop.ts";

/** Keeps nothing of a command but that it came. */
class Counter implements CommandExecutor<Uint8Array, number> {
  #count = 0;
  encode(command: Uint8Array): Uint8Array {
    return command;
  }
  decode(bytes: Uint8Array): Uint8Array {
    return bytes;
  }
  apply(batch: readonly CommittedCommand<Uint8Array>[]): readonly number[] {
    return batch.map(() => ++this.#count);
  }
  async *snapshot(): SnapshotContent {
    yield new TextEncoder().encode(String(this.#count));
  }
  async restore(content: SnapshotContent): Promise<void> {
    let text = "";
    for await (const chunk of content) text += new TextDecoder().decode(chunk);
    this.#count = Number(text);
  }
}

const transport = new GrpcClusterTransport<Counter>([], { executor: () => new Counter() });
let cluster: RaftCluster<Uint8Array, number> | undefined;
let self = 0;

function running(): RaftCluster<Uint8Array, number> {
  if (cluster === undefined) throw new Error("call start first");
  return cluster;
}

serve({
  async listen(nodeId: number): Promise<string> {
    self = nodeId;
    await transport.start();
    return (await startGrpcServer("127.0.0.1:0", transport, nodeId)).address;
  },
  async start(options: { readonly nodes: readonly NodeAddress[]; readonly folder: string }): Promise<void> {
    for (const node of options.nodes) transport.addNode(node);
    const environment = await LmdbEnvironment.open({ path: options.folder });
    cluster = await transport.createCluster(self, { storage: (_nodeId, groupId) => environment.group(groupId) });
  },
  async lead(): Promise<void> {
    await running().waitForLeader();
    if (!running().isLeader) await running().transferLeadership(self);
  },
  async load(options: { readonly load: Load; readonly bytes: number }): Promise<Measured> {
    const command = new Uint8Array(options.bytes).fill(1);
    return await closedLoop(options.load, async () => {
      await running().propose(command);
    });
  },
});
