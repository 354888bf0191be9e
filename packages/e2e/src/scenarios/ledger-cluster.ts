/** Nodes with a ledger each, on any transport and any storage, for a scenario to play with. */
import type { ClusterDefaults, RaftCluster } from "@raftoral/raft-core";
import { eventually, freeAddresses } from "../harness/index.ts";
import { Ledger } from "./ledger.ts";
import type { Disks, StorageKind } from "./storages.ts";
import type { OpenTransport, TransportKind } from "./transports.ts";

const WAIT_MS = 10_000;
/** Faster than by default, so that scenarios with elections stay short. Slower than the pauses of a busy machine. */
const TIMING = { tickMs: 20 };
/** Snapshots after few entries, so that a scenario can outrun the log. */
const LIMITS = { snapshotEveryEntries: 100, keepEntries: 10 };

export type LedgerNode = RaftCluster<string, number>;

/** A cluster of ledgers. `end` stops the nodes and removes their disks. */
export class LedgerCluster {
  readonly #opened: OpenTransport<Ledger>;
  readonly #disks: Disks;
  readonly #nodes = new Map<number, LedgerNode>();
  readonly #ledgers = new Map<number, Ledger>();

  /** Three running nodes, 1 to 3, and their leader. */
  static async start(transportKind: TransportKind, storageKind: StorageKind): Promise<LedgerCluster> {
    const addresses = await freeAddresses(3);
    const disks = await storageKind.create();
    const ledgers = new Map<number, Ledger>();
    const opened = transportKind.open<Ledger>(
      addresses.map((address, i) => ({ nodeId: i + 1, address })),
      {
        executor: (nodeId) => {
          const ledger = new Ledger();
          ledgers.set(nodeId, ledger);
          return ledger;
        },
        storage: (nodeId) => disks.open(nodeId),
        timing: TIMING,
        limits: LIMITS,
      },
    );
    const cluster = new LedgerCluster(opened, disks, ledgers);
    try {
      for (const nodeId of opened.transport.nodeIds()) await opened.serve(nodeId);
      await opened.transport.start();
      await Promise.all([1, 2, 3].map((nodeId) => cluster.startNode(nodeId)));
      await cluster.leader();
      return cluster;
    } catch (error) {
      await cluster.end();
      throw error;
    }
  }

  private constructor(opened: OpenTransport<Ledger>, disks: Disks, ledgers: Map<number, Ledger>) {
    this.#opened = opened;
    this.#disks = disks;
    this.#ledgers = ledgers;
  }

  get transport() {
    return this.#opened.transport;
  }

  /** Of the nodes that run. */
  get nodeIds(): readonly number[] {
    return [...this.#nodes.keys()];
  }

  node(nodeId: number): LedgerNode {
    const node = this.#nodes.get(nodeId);
    if (node === undefined) throw new Error(`node ${nodeId} does not run`);
    return node;
  }

  lines(nodeId: number): readonly string[] {
    return this.#ledgers.get(nodeId)?.lines ?? [];
  }

  async startNode(nodeId: number, options: ClusterDefaults<Ledger> = {}): Promise<LedgerNode> {
    const node = await this.transport.createCluster(nodeId, options);
    this.#nodes.set(nodeId, node);
    return node;
  }

  /** As when its process ends: only what is on its disk is left. */
  async stopNode(nodeId: number): Promise<void> {
    await this.node(nodeId).stop();
    await this.#disks.close(nodeId);
    this.#nodes.delete(nodeId);
  }

  /** A new node that the transport knows, running without a vote until it is added to the configuration. */
  async startJoining(nodeId: number): Promise<{ readonly address: string }> {
    const [address = ""] = await freeAddresses(1);
    this.transport.addNode({ nodeId, address });
    await this.#opened.serve(nodeId);
    await this.startNode(nodeId, { bootstrap: { kind: "join" } });
    return { address };
  }

  /** The running node that all of `among`, all running ones unless given, take for their leader. */
  leader(among: readonly number[] = this.nodeIds): Promise<number> {
    return eventually(WAIT_MS, "all nodes to agree on a leader", () => {
      const [first = 0, ...others] = among.map((nodeId) => this.node(nodeId).leader);
      return this.#nodes.has(first) && others.every((leader) => leader === first) && first;
    });
  }

  async follower(): Promise<number> {
    const leader = await this.leader();
    return this.nodeIds.find((nodeId) => nodeId !== leader) ?? 0;
  }

  /** Proposes `count` texts at once, spread over all running nodes; resolves with the texts. */
  async proposeMany(name: string, count: number): Promise<readonly string[]> {
    const nodes = [...this.#nodes.values()];
    const texts = Array.from({ length: count }, (_, i) => `${name}-${i}`);
    await Promise.all(texts.map((text, i) => nodes[i % nodes.length]?.propose(text)));
    return texts;
  }

  /** Resolves with the one list that all running nodes have, once they all have as much as one of them has now. */
  async sameEverywhere(): Promise<readonly string[]> {
    await Promise.all(this.nodeIds.map((nodeId) => this.node(nodeId).readIndex()));
    const [first = 0] = this.nodeIds;
    for (const nodeId of this.nodeIds) {
      await eventually(WAIT_MS, `node ${nodeId} to have the same lines as node ${first}`, () => {
        return JSON.stringify(this.lines(nodeId)) === JSON.stringify(this.lines(first));
      });
    }
    return this.lines(first);
  }

  async end(): Promise<void> {
    await this.transport.shutdown();
    await this.#disks.remove();
  }
}
