import { afterEach, describe, expect, test } from "vitest";
import { MemoryStorage } from "../../memory/memory-storage.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ClusterProbe } from "../../ports/cluster-probe.ts";
import type { CommandExecutor } from "../../ports/executor.ts";
import type { PeerTransport } from "../../ports/peer-transport.ts";
import { platformClock } from "../../ports/platform.ts";
import type { RaftClusterOptions } from "../options.ts";
import { RaftCluster } from "../raft-cluster.ts";
import { Reads } from "./reads.ts";

const NOWHERE: PeerTransport = {
  nodeId: 1,
  open: () => ({ send: () => {}, sendSnapshot: () => Promise.reject(new Error("alone")), close: () => {} }),
  setPeer: () => {},
  removePeer: () => {},
};

const NOTHING: CommandExecutor<string, string> = {
  encode: (command) => new TextEncoder().encode(command),
  decode: (bytes) => new TextDecoder().decode(bytes),
  apply: (batch) => batch.map(({ command }) => command),
  async *snapshot() {},
  restore: () => Promise.resolve(),
};

class Recorder implements ClusterProbe {
  readonly committed: number[] = [];
  readonly read: number[] = [];
  readonly snapshots: number[] = [];
  readonly failures: string[] = [];
  proposalCommitted(tookMs: number): void {
    this.committed.push(tookMs);
  }
  proposalFailed(code: string): void {
    this.failures.push(`proposal ${code}`);
  }
  readConfirmed(tookMs: number): void {
    this.read.push(tookMs);
  }
  readFailed(code: string): void {
    this.failures.push(`read ${code}`);
  }
  snapshotTaken(tookMs: number): void {
    this.snapshots.push(tookMs);
  }
}

const running: RaftCluster<string, string>[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((cluster) => cluster.stop()));
});

async function start(options: Partial<RaftClusterOptions<string, string>>): Promise<RaftCluster<string, string>> {
  const cluster = await RaftCluster.start({
    nodeId: 1,
    transport: NOWHERE,
    storage: new MemoryStorage(),
    executor: NOTHING,
    bootstrap: { kind: "members", members: [{ nodeId: 1, address: "" }] },
    timing: { tickMs: 10 },
    ...options,
  });
  running.push(cluster);
  return cluster;
}

describe("what a group measures", () => {
  test("every proposal and read of this node is told once, with the time from the call to its answer", async () => {
    const probe = new Recorder();
    const cluster = await start({ probe });
    const startedMs = performance.now();
    await Promise.all(Array.from({ length: 10 }, (_, at) => cluster.propose(String(at))));
    await Promise.all([cluster.readIndex(), cluster.readIndex(), cluster.readIndex()]);
    const tookMs = performance.now() - startedMs;
    expect(probe.committed).toHaveLength(10);
    expect(probe.read).toHaveLength(3);
    for (const each of [...probe.committed, ...probe.read]) {
      expect(each).toBeGreaterThan(0);
      expect(each).toBeLessThanOrEqual(tookMs);
    }
    expect(probe.failures).toEqual([]);
  });

  test("what is given up is told with its code", async () => {
    const probe = new Recorder();
    const cluster = await start({ probe, bootstrap: { kind: "join" }, limits: { maxPendingProposals: 1 } });
    const calls = [cluster.propose("waits", { timeoutMs: 30 }), cluster.readIndex({ timeoutMs: 30 })];
    const refused = cluster.propose("one too many");
    await expect(refused).rejects.toMatchObject({ code: "OVERLOADED" });
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: "NO_LEADER" });
    const left = [cluster.propose("left"), cluster.readIndex()];
    for (const call of left) call.catch(() => {});
    await cluster.stop();
    expect(probe.failures).toEqual([
      "proposal OVERLOADED",
      "proposal NO_LEADER",
      "read NO_LEADER",
      "proposal NODE_STOPPED",
      "read NODE_STOPPED",
    ]);
    expect(probe.committed).toEqual([]);
  });

  test("each snapshot that is taken, with the time until it is in force", async () => {
    const probe = new Recorder();
    const cluster = await start({ probe });
    await cluster.propose("something");
    await cluster.snapshot();
    await cluster.snapshot();
    expect(probe.snapshots).toHaveLength(2);
    expect(Math.min(...probe.snapshots)).toBeGreaterThan(0);
  });

  test("a read that finds too many waiting is told as refused", async () => {
    const failures: string[] = [];
    const meter = { readFailed: (code: string) => failures.push(code) };
    const reads = new Reads(1, 1, meter as unknown as ConstructorParameters<typeof Reads>[2]);
    reads.request(0, 1_000).catch(() => {});
    await expect(reads.request(0, 1_000)).rejects.toMatchObject({ code: "OVERLOADED" });
    expect(failures).toEqual(["OVERLOADED"]);
  });

  test("without a probe no clock is looked at for it, and with one once for all that ends together", async () => {
    let looks = 0;
    const clock: Clock = {
      ...platformClock,
      monotonicMs: () => {
        looks += 1;
        return platformClock.monotonicMs();
      },
      every: () => () => {},
    };
    const perProposal = async (probe?: ClusterProbe): Promise<number> => {
      const cluster = await start({ clock, ...(probe === undefined ? {} : { probe }) });
      await cluster.propose("first");
      looks = 0;
      await Promise.all(Array.from({ length: 100 }, (_, at) => cluster.propose(String(at))));
      return looks;
    };
    const without = await perProposal();
    const withProbe = await perProposal(new Recorder());
    expect(withProbe).toBeGreaterThan(without);
    expect(withProbe).toBeLessThan(without + 50);
  });
});
