// Who sends snapshots: whole clusters whose logs are cut, and members that have nothing yet.
import type { CommandExecutor, CommittedCommand, Logger, RaftCluster } from "@raftoral/raft-core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { InMemoryClusterTransport } from "./in-memory-cluster-transport.ts";

class Count implements CommandExecutor<string, number> {
  count = 0;
  encode(command: string): Uint8Array {
    return new TextEncoder().encode(command);
  }
  decode(bytes: Uint8Array): string {
    return new TextDecoder().decode(bytes);
  }
  apply(batch: readonly CommittedCommand<string>[]): number[] {
    return batch.map(() => ++this.count);
  }
  async *snapshot(): AsyncIterable<Uint8Array> {
    yield this.encode(String(this.count));
  }
  async restore(content: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of content) this.count = Number(this.decode(chunk));
  }
}

const WAIT = { timeout: 10_000, interval: 5 };

class TestCluster {
  readonly transport: InMemoryClusterTransport<Count>;
  readonly clusters = new Map<number, RaftCluster<string, number>>();
  readonly executors = new Map<number, Count>();
  /** Who sent a snapshot to whom. */
  readonly sent: [number, number][] = [];
  /** Which members a leader asked, and for whom. */
  readonly delegated: [number, number][] = [];

  constructor(nodeIds: readonly number[]) {
    this.transport = new InMemoryClusterTransport<Count>([...nodeIds], { seed: 5, timing: { tickMs: 5 } });
  }

  async start(nodeId: number, options: { readonly joins?: boolean } = {}): Promise<RaftCluster<string, number>> {
    await this.transport.start();
    const heard = (fields: object, text: string) => {
      const { to, delegate } = fields as { to: number; delegate: number };
      if (text === "snapshot sent") this.sent.push([nodeId, to]);
      if (text.startsWith("another member sent")) this.delegated.push([delegate, to]);
    };
    const logger: Logger = { debug() {}, info: heard, warn() {}, error() {} };
    const executor = new Count();
    const cluster = await this.transport.createCluster(nodeId, {
      executor: () => executor,
      logger,
      limits: { keepEntries: 15, snapshotEveryEntries: 1_000_000 },
      ...(options.joins === true ? { bootstrap: { kind: "join" as const } } : {}),
    });
    this.clusters.set(nodeId, cluster);
    this.executors.set(nodeId, executor);
    return cluster;
  }

  /** Node 1 leads, `count` commands are applied everywhere, and no log holds them any more. */
  async prepare(count: number): Promise<RaftCluster<string, number>> {
    const leader = this.clusters.get(1) as RaftCluster<string, number>;
    await leader.waitForLeader();
    if (!leader.isLeader) await leader.transferLeadership(1);
    for (let i = 0; i < count; i++) await leader.propose("x");
    for (const cluster of this.clusters.values()) {
      await vi.waitFor(() => expect(cluster.status().applied).toBe(leader.status().applied), WAIT);
      await cluster.snapshot();
    }
    return leader;
  }

  async caughtUp(nodeId: number, count: number): Promise<void> {
    await vi.waitFor(() => expect(this.executors.get(nodeId)?.count).toBe(count), WAIT);
  }
}

let running: TestCluster | undefined;
afterEach(() => running?.transport.shutdown());

async function clusterOf(nodeIds: readonly number[], started: readonly number[]): Promise<TestCluster> {
  running = new TestCluster(nodeIds);
  const cluster = running;
  await Promise.all(started.map((nodeId) => cluster.start(nodeId)));
  return cluster;
}

describe("a snapshot for a member that lags behind the log", () => {
  test("is sent by a follower that is up to date, and the leader goes on from it", async () => {
    const cluster = await clusterOf([1, 2, 3], [1, 2]);
    const leader = await cluster.prepare(20);
    await cluster.start(3);
    await cluster.caughtUp(3, 20);
    await vi.waitFor(() => expect(cluster.delegated).toEqual([[2, 3]]), WAIT);
    expect(cluster.sent).toEqual([[2, 3]]);
    await leader.propose("x");
    await cluster.caughtUp(3, 21);
    const progress = leader.status().progress.find(({ nodeId }) => nodeId === 3);
    expect(progress?.state).toBe("StateReplicate");
    expect(leader.status().transfers).toEqual([]);
  });

  test("is sent by the leader when the follower refuses", async () => {
    const cluster = await clusterOf([1, 2, 3], [1, 2]);
    await cluster.prepare(20);
    const follower = cluster.transport.network.peer(2).receiver(1);
    const asked = vi.spyOn(follower as Required<NonNullable<typeof follower>>, "sendSnapshotFor");
    asked.mockRejectedValue(new Error("not now"));
    await cluster.start(3);
    await cluster.caughtUp(3, 20);
    expect(asked).toHaveBeenCalled();
    await vi.waitFor(() => expect(cluster.sent).toEqual([[1, 3]]), WAIT);
  });

  test("may be older than the leader's own, as long as the leader's log goes on from it", async () => {
    const cluster = await clusterOf([1, 2, 3], [1, 2]);
    const leader = await cluster.prepare(20);
    for (let i = 0; i < 10; i++) await leader.propose("x");
    await leader.snapshot();
    await cluster.start(3);
    await cluster.caughtUp(3, 30);
    await vi.waitFor(() => expect(cluster.sent).toEqual([[2, 3]]), WAIT);
    const [ours, theirs] = [1, 2].map((nodeId) => cluster.clusters.get(nodeId)?.status().snapshotIndex ?? 0);
    expect(theirs).toBeLessThan(ours as number);
    expect(theirs).toBeGreaterThanOrEqual(leader.status().firstIndex - 1);
  });

  test("is taken once more by a follower whose latest does not know the member", async () => {
    const cluster = await clusterOf([1, 2, 3], [1, 2, 3]);
    const leader = await cluster.prepare(20);
    cluster.transport.addNode({ nodeId: 4, address: "memory:4" });
    await cluster.start(4, { joins: true });
    await leader.changeMembership([{ type: "AddLearnerNode", nodeId: 4, address: "memory:4" }]);
    await cluster.caughtUp(4, 20);
    await vi.waitFor(() => expect(cluster.sent).toHaveLength(1), WAIT);
    expect(cluster.sent[0]?.[0]).not.toBe(1);
  });

  test("comes from several senders when there are several receivers", async () => {
    const cluster = await clusterOf([1, 2, 3, 4, 5], [1, 2, 3]);
    await cluster.prepare(20);
    // Held up, so that both are on their way at a time.
    cluster.transport.network.setFaults({ minDelayMs: 20, maxDelayMs: 25 });
    await Promise.all([cluster.start(4), cluster.start(5)]);
    await Promise.all([cluster.caughtUp(4, 20), cluster.caughtUp(5, 20)]);
    await vi.waitFor(() => expect(cluster.sent.map(([from]) => from).toSorted()).toEqual([2, 3]), WAIT);
    expect(cluster.sent.map(([, to]) => to).toSorted()).toEqual([4, 5]);
  });
});
