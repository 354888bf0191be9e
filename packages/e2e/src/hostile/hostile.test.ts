// @module-tag slow

// Whatever is thrown at a cluster's ports: no node stops, all have the same state, work goes on, and it was counted.
import { type ClusterEvent, type NodeId, type RaftCluster, seededRng } from "@raftoral/raft-core";
import { encodeMessage } from "@raftoral/raft-core/transport";
import { GrpcClusterTransport, startGrpcServer } from "@raftoral/transport-grpc";
import { describe, expect, test } from "vitest";
import { eventually, freeAddresses } from "../harness/index.ts";
import { Ledger } from "../scenarios/ledger.ts";
import { type Disks, STORAGES } from "../scenarios/storages.ts";
import { RawCaller } from "./raw-caller.ts";
import { Stranger } from "./stranger.ts";

const SEED = 20_260_719;
const REQUESTS = 3_000;
/** Texts that are acknowledged meanwhile. */
const WORK = 60;
/** Requests under way at once. */
const AT_ONCE = 24;
const NODE_IDS: readonly NodeId[] = [1, 2, 3];
const TEST_MS = 60_000;
const WAIT_MS = 15_000;

/** Three nodes over gRPC, whose traffic is written down. */
class Cluster {
  readonly transport: GrpcClusterTransport<Ledger>;
  readonly nodes = new Map<NodeId, RaftCluster<string, number>>();
  readonly ledgers = new Map<NodeId, Ledger>();
  readonly heard: { readonly to: NodeId; readonly bytes: Uint8Array }[] = [];
  readonly failures: ClusterEvent[] = [];
  readonly #disks: Disks;

  static async start(disks: Disks): Promise<Cluster> {
    const addresses = await freeAddresses(NODE_IDS.length);
    const cluster = new Cluster(addresses, disks);
    for (const nodeId of NODE_IDS) {
      await startGrpcServer(cluster.transport.getNodeAddress(nodeId) ?? "", cluster.transport, nodeId);
    }
    await cluster.transport.start();
    await Promise.all(NODE_IDS.map((nodeId) => cluster.startNode(nodeId)));
    return cluster;
  }

  private constructor(addresses: readonly string[], disks: Disks) {
    this.#disks = disks;
    this.transport = new GrpcClusterTransport<Ledger>(
      addresses.map((address, at) => ({ nodeId: at + 1, address })),
      {
        executor: (nodeId) => {
          const ledger = new Ledger();
          this.ledgers.set(nodeId, ledger);
          return ledger;
        },
        storage: (nodeId) => disks.open(nodeId),
        timing: { tickMs: 20 },
        limits: { snapshotEveryEntries: 200, keepEntries: 100 },
      },
    );
    for (const nodeId of NODE_IDS) this.#listenIn(nodeId);
  }

  async startNode(nodeId: NodeId): Promise<void> {
    const node = await this.transport.createCluster(nodeId);
    node.on((event) => {
      if (event.type === "failed") this.failures.push(event);
    });
    this.nodes.set(nodeId, node);
  }

  async restartNode(nodeId: NodeId): Promise<void> {
    await this.node(nodeId).stop();
    await this.#disks.close(nodeId);
    await this.startNode(nodeId);
  }

  node(nodeId: NodeId): RaftCluster<string, number> {
    const node = this.nodes.get(nodeId);
    if (node === undefined) throw new Error(`node ${nodeId} does not run`);
    return node;
  }

  address(nodeId: NodeId): string {
    return this.transport.getNodeAddress(nodeId) ?? "";
  }

  /** Resolves with the lines that all nodes have. */
  async sameEverywhere(): Promise<readonly string[]> {
    await Promise.all(NODE_IDS.map((nodeId) => this.node(nodeId).readIndex()));
    const lines = (nodeId: NodeId) => this.ledgers.get(nodeId)?.lines ?? [];
    await eventually(WAIT_MS, "all nodes to have the same lines", () => {
      return NODE_IDS.every((nodeId) => JSON.stringify(lines(nodeId)) === JSON.stringify(lines(1)));
    });
    return lines(1);
  }

  /** Messages, frames and entries that all nodes refused. */
  get refused(): number {
    return NODE_IDS.map((nodeId) => {
      const { framesRejected, messagesUnroutable } = this.transport.counters(nodeId);
      return framesRejected + messagesUnroutable + this.node(nodeId).status().refusedMessages;
    }).reduce((sum, each) => sum + each, 0);
  }

  async end(): Promise<void> {
    await this.transport.shutdown();
    await this.#disks.remove();
  }

  /** Keeps what the node sends: of the latest, as much as a test needs. */
  #listenIn(nodeId: NodeId): void {
    const local = this.transport.peer(nodeId);
    const open = local.open.bind(local);
    local.open = (groupId, receiver) => {
      const channel = open(groupId, receiver);
      const send: typeof channel.send = (messages) => {
        for (const each of messages) this.heard.push({ to: each.to, bytes: encodeMessage(each) });
        if (this.heard.length > 3_000) this.heard.splice(0, 1_500);
        channel.send(messages);
      };
      return { ...channel, send };
    };
  }
}

describe.each(STORAGES)("a cluster on $storageName, whose ports anybody reaches", ({ create }) => {
  test(
    `stands ${REQUESTS} requests that are noise, damaged, repeated, of the past, or in the name of no node`,
    async () => {
      const cluster = await Cluster.start(await create());
      const callers = new Map(NODE_IDS.map((nodeId) => [nodeId, new RawCaller(cluster.address(nodeId))]));
      try {
        await cluster.node(1).propose("first");
        const rng = seededRng(SEED);
        const stranger = new Stranger(rng, cluster.heard);
        const acknowledged: string[] = [];
        let sent = 0;
        const attack = async (): Promise<void> => {
          // Until work was done under it, however long that takes this machine.
          while ((sent < REQUESTS || acknowledged.length < WORK) && cluster.failures.length === 0) {
            sent += 1;
            const nodeId = 1 + rng.below(NODE_IDS.length);
            const { term, lastIndex } = cluster.node(nodeId).status();
            await callers.get(nodeId)?.call(stranger.request({ nodeId, term, lastIndex }));
          }
        };
        let isOver = false;
        const work = async (nodeId: NodeId): Promise<void> => {
          for (let count = 0; !isOver; count++) {
            const text = `${nodeId}-${count}`;
            await cluster.node(nodeId).propose(text);
            acknowledged.push(text);
          }
        };
        const working = Promise.all(NODE_IDS.map(work));
        await Promise.all(Array.from({ length: AT_ONCE }, attack));
        isOver = true;
        await working;

        expect(cluster.failures).toEqual([]);
        const lines = await cluster.sameEverywhere();
        for (const text of acknowledged) expect(lines.filter((line) => line === text)).toEqual([text]);
        expect(cluster.refused).toBeGreaterThan(REQUESTS / 4);
        for (const nodeId of NODE_IDS) {
          const { confState, term } = cluster.node(nodeId).status();
          expect([...confState.voters]).toEqual([...NODE_IDS]);
          expect(term).toBeLessThan(2 ** 20);
        }
        // What got onto the disk is what the others have.
        await cluster.restartNode(2);
        expect(await cluster.sameEverywhere()).toEqual(lines);
      } finally {
        for (const caller of callers.values()) caller.close();
        await cluster.end();
      }
    },
    TEST_MS,
  );
});
