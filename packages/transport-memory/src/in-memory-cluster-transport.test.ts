import type { CommandExecutor, CommittedCommand } from "@raftoral/raft-core";
import { afterEach, describe, expect, test } from "vitest";
import { InMemoryClusterTransport } from "./in-memory-cluster-transport.ts";

/** Adds numbers up; the result of a command is the sum so far. */
class Sum implements CommandExecutor<number, number> {
  total = 0;
  encode(command: number): Uint8Array {
    return new TextEncoder().encode(String(command));
  }
  decode(bytes: Uint8Array): number {
    return Number(new TextDecoder().decode(bytes));
  }
  apply(batch: readonly CommittedCommand<number>[]): number[] {
    return batch.map(({ command }) => {
      this.total += command;
      return this.total;
    });
  }
  async *snapshot(): AsyncIterable<Uint8Array> {
    yield this.encode(this.total);
  }
  async restore(content: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of content) this.total = this.decode(chunk);
  }
}

const fast = { timing: { tickMs: 5 } };

describe("InMemoryClusterTransport", () => {
  let transport: InMemoryClusterTransport<Sum> | undefined;
  afterEach(() => transport?.shutdown());

  test("runs a cluster of all known nodes and stops it at shutdown", async () => {
    transport = new InMemoryClusterTransport<Sum>([1, 2, 3], { ...fast, executor: () => new Sum(), seed: 7 });
    await transport.start();
    const network = transport;
    const clusters = await Promise.all([1, 2, 3].map((nodeId) => network.createCluster(nodeId)));
    const results = await Promise.all(clusters.map((cluster) => cluster.propose(5)));
    expect(results.sort((a, b) => a - b)).toEqual([5, 10, 15]);
    expect(clusters[0]?.status().confState.voters).toEqual([1, 2, 3]);
    await transport.shutdown();
    await transport.shutdown();
    await expect(clusters[0]?.propose(1)).rejects.toMatchObject({ code: "NODE_STOPPED" });
  });

  test("keeps committing under loss, delay, duplication and reordering", async () => {
    transport = new InMemoryClusterTransport<Sum>([1, 2, 3], {
      ...fast,
      executor: () => new Sum(),
      seed: 11,
      faults: { dropRate: 0.1, duplicateRate: 0.2, reorderRate: 0.2, reorderMs: 8, minDelayMs: 0, maxDelayMs: 3 },
    });
    await transport.start();
    const network = transport;
    const clusters = await Promise.all([1, 2, 3].map((nodeId) => network.createCluster(nodeId)));
    const results: number[] = [];
    for (let i = 0; i < 15; i++) results.push((await clusters[i % 3]?.propose(1, { timeoutMs: 15_000 })) ?? -1);
    expect(results).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
    const links = [1, 2, 3].flatMap((from) => [1, 2, 3].map((to) => network.network.counts(from, to)));
    expect(links.reduce((sum, { dropped }) => sum + dropped, 0)).toBeGreaterThan(0);
    expect(links.reduce((sum, { reordered }) => sum + reordered, 0)).toBeGreaterThan(0);
  });

  test("rejects a node that was never added and a cluster without an executor", async () => {
    transport = new InMemoryClusterTransport<Sum>([1]);
    await expect(transport.createCluster(9)).rejects.toMatchObject({ code: "NODE_UNKNOWN" });
    await expect(transport.createCluster(1)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(() => transport?.peer(9)).toThrow(expect.objectContaining({ code: "NODE_UNKNOWN" }));
  });

  test("node management: adds, removes and looks up addresses", () => {
    transport = new InMemoryClusterTransport<Sum>([2, { nodeId: 1, address: "a:1" }]);
    transport.addNode({ nodeId: 3, address: "c:3" });
    expect(transport.nodeIds()).toEqual([1, 2, 3]);
    expect([1, 2, 3, 4].map((nodeId) => transport?.getNodeAddress(nodeId))).toEqual([
      "a:1",
      "memory:2",
      "c:3",
      undefined,
    ]);
    transport.addNode({ nodeId: 3, address: "c:33" });
    expect(transport.getNodeAddress(3)).toBe("c:33");
    transport.removeNode(2);
    expect(transport.nodeIds()).toEqual([1, 3]);
    expect(() => transport?.removeNode(2)).toThrow(expect.objectContaining({ code: "NODE_UNKNOWN" }));
    expect(() => transport?.addNode({ nodeId: 0, address: "x:1" })).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID" }),
    );
  });
});
