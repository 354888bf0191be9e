/** One of three processes that form a bare Raft group whose state is large: gRPC, LMDB, an executor that only counts bytes. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { CommandExecutor, CommittedCommand, NodeAddress, RaftCluster, SnapshotContent } from "@raftoral/raft-core";
import { LmdbEnvironment } from "@raftoral/storage-lmdb";
import { GrpcClusterTransport, startGrpcServer } from "@raftoral/transport-grpc";
import { serve } from "../child-process.ts";
import { percentile, rounded } from "../statistics.ts";

const CHUNK_BYTES = 256 * 1024;
/** How often the receiver looks whether bytes have begun to come. */
const LOOK_MS = 5;

/** A state of so many bytes, of which it holds one chunk. */
class Large implements CommandExecutor<Uint8Array, number> {
  readonly #bytes: number;
  readonly #chunk = Uint8Array.from({ length: CHUNK_BYTES }, (_, at) => (at * 2_654_435_761) >>> 13);
  constructor(bytes: number) {
    this.#bytes = bytes;
  }
  encode(command: Uint8Array): Uint8Array {
    return command;
  }
  decode(bytes: Uint8Array): Uint8Array {
    return bytes;
  }
  apply(batch: readonly CommittedCommand<Uint8Array>[]): readonly number[] {
    return batch.map(({ index }) => index);
  }
  async *snapshot(): SnapshotContent {
    for (let left = this.#bytes; left > 0; left -= CHUNK_BYTES) yield this.#chunk.subarray(0, left);
  }
  async restore(content: SnapshotContent): Promise<void> {
    let bytes = 0;
    for await (const chunk of content) bytes += chunk.length;
    if (bytes !== this.#bytes && bytes !== 0) throw new Error(`restored ${bytes} of ${this.#bytes} bytes`);
  }
}

let transport: GrpcClusterTransport<Large> | undefined;
let cluster: RaftCluster<Uint8Array, number> | undefined;
let self = 0;
let isLoading = false;
let load: Promise<number[]> = Promise.resolve([]);
let cpu = process.cpuUsage();
const delays = monitorEventLoopDelay({ resolution: 1 });

function running(): RaftCluster<Uint8Array, number> {
  if (cluster === undefined) throw new Error("call start first");
  return cluster;
}

function counters() {
  if (transport === undefined) throw new Error("call listen first");
  return transport.counters(self);
}

async function commitUntilStopped(bytes: number): Promise<number[]> {
  const command = new Uint8Array(bytes).fill(1);
  const latencies: number[] = [];
  while (isLoading) {
    const start = performance.now();
    await running().propose(command);
    latencies.push(performance.now() - start);
  }
  return latencies;
}

serve({
  async listen(options: { readonly nodeId: number; readonly stateBytes: number; readonly bytesPerSecond: number }) {
    self = options.nodeId;
    const { stateBytes, bytesPerSecond } = options;
    transport = new GrpcClusterTransport([], {
      executor: () => new Large(stateBytes),
      snapshotBytesPerSecond: bytesPerSecond,
      limits: { keepEntries: 1, snapshotEveryEntries: 1_000_000_000 },
    });
    await transport.start();
    return (await startGrpcServer("127.0.0.1:0", transport, self)).address;
  },
  async start(options: { readonly nodes: readonly NodeAddress[]; readonly folder: string }): Promise<void> {
    for (const node of options.nodes) transport?.addNode(node);
    const environment = await LmdbEnvironment.open({ path: options.folder });
    cluster = await transport?.createCluster(self, {
      storage: (_nodeId, groupId) => environment.group(groupId),
    });
  },
  async lead(): Promise<void> {
    await running().waitForLeader();
    if (!running().isLeader) await running().transferLeadership(self);
  },
  async propose(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await running().propose(new Uint8Array(1));
  },
  /** Milliseconds it took. */
  async takeSnapshot(): Promise<number> {
    const start = performance.now();
    await running().snapshot();
    return performance.now() - start;
  },
  beginLoad(bytes: number): void {
    isLoading = true;
    load = commitUntilStopped(bytes);
  },
  async endLoad(): Promise<object> {
    isLoading = false;
    const latencies = await load;
    return {
      commits: latencies.length,
      p50Ms: rounded(percentile(latencies, 0.5)),
      p99Ms: rounded(percentile(latencies, 0.99)),
      maxMs: rounded(Math.max(...latencies)),
    };
  },
  /** Resolves when a snapshot has come and is stored: how long that took from its first byte on. */
  async received(): Promise<object> {
    const look = () => new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    while (counters().snapshotBytesReceived === 0) await look();
    const start = performance.now();
    while (counters().snapshotsReceived === 0) await look();
    const seconds = (performance.now() - start) / 1000;
    return { seconds: rounded(seconds), bytes: counters().snapshotBytesReceived };
  },
  watchLoop(): void {
    cpu = process.cpuUsage();
    delays.enable();
    delays.reset();
  },
  /** Since `watchLoop`: how late the event loop's timers were, in milliseconds, and what the process used. */
  loop(): object {
    const { snapshotBytesSent, snapshotBytesReceived } = counters();
    const { user, system } = process.cpuUsage(cpu);
    return {
      node: self,
      p99Ms: rounded(delays.percentile(99) / 1e6),
      maxMs: rounded(delays.max / 1e6),
      snapshotBytesSent,
      snapshotBytesReceived,
      cpuSeconds: rounded((user + system) / 1e6, 1),
      rssMb: Math.round(process.memoryUsage().rss / 1e6),
    };
  },
});
