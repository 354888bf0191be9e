/**
 * Groups of real drivers on manual time, for the tests of the driver's loop. A message arrives while it is being sent. Everything else happens only
 * when a test ticks the clock or lets turns end ({@link ManualClock.settle}).
 */

import type { RaftClusterOptions } from "../../../driver/options.ts";
import { RaftCluster } from "../../../driver/raft-cluster.ts";
import { MemoryStorage } from "../../../memory/memory-storage.ts";
import type { Message } from "../../../message.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { CommandExecutor, CommittedCommand, SnapshotContent } from "../../../ports/executor.ts";
import type { GroupChannel, GroupReceiver, PeerTransport } from "../../../ports/peer-transport.ts";
import type { NodeId } from "../../../types.ts";

/** A clock whose time and turns the test controls. */
export class ManualClock implements Clock {
  #now = 0;
  #soon: (() => void)[] = [];
  readonly #ticking = new Set<() => void>();
  #periodMs = 1;
  wallMs = () => this.#now;
  monotonicMs = () => this.#now;
  after = () => () => {};
  every(periodMs: number, fn: () => void) {
    this.#periodMs = periodMs;
    this.#ticking.add(fn);
    return () => {
      this.#ticking.delete(fn);
    };
  }
  soon(fn: () => void): void {
    this.#soon.push(fn);
  }
  /** Number of running timers: one for all nodes of the clock. */
  get timers(): number {
    return this.#ticking.size;
  }
  /** Lets one period pass. */
  tick(): void {
    this.#now += this.#periodMs;
    for (const fn of [...this.#ticking]) fn();
  }
  /** Lets time pass in which the process does not run: no timer fires, and no turn ends. */
  standStill(ms: number): void {
    this.#now += ms;
  }
  /** Ends turns, and runs the promises that they wait for, until no work is left. */
  async settle(): Promise<void> {
    for (let idle = 0; idle < 3; idle++) {
      const due = this.#soon.splice(0);
      if (due.length > 0) idle = -1;
      for (const fn of due) fn();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** A network on which a message arrives while it is being sent. */
export class ShortCircuit {
  readonly receivers = new Map<NodeId, GroupReceiver>();
  readonly sent: Message[] = [];
  readonly #transports = new Map<NodeId, PeerTransport>();

  /** The transport that {@link transport} made for a node. */
  transportOf(nodeId: NodeId): PeerTransport {
    const transport = this.#transports.get(nodeId);
    if (transport === undefined) throw new Error(`node ${nodeId} has no transport`);
    return transport;
  }

  /** Makes the transport of a node. */
  transport(nodeId: NodeId): PeerTransport {
    const transport = this.#make(nodeId);
    this.#transports.set(nodeId, transport);
    return transport;
  }

  #make(nodeId: NodeId): PeerTransport {
    return {
      nodeId,
      open: (_groupId, receiver): GroupChannel => {
        this.receivers.set(nodeId, receiver);
        return {
          send: (messages) => {
            this.sent.push(...messages);
            for (const each of messages) this.receivers.get(each.to)?.receive(nodeId, [each]);
          },
          sendSnapshot: () => Promise.reject(new Error("no way for snapshots here")),
          close: () => {
            this.receivers.delete(nodeId);
          },
        };
      },
      setPeer: () => {},
      removePeer: () => {},
    };
  }

  /** The receiver that a node's group has opened. */
  receiver(nodeId: NodeId): GroupReceiver {
    const receiver = this.receivers.get(nodeId);
    if (receiver === undefined) throw new Error(`node ${nodeId} does not listen`);
    return receiver;
  }
}

/** An executor that counts its commands. */
export class Counter implements CommandExecutor<string, number> {
  count = 0;
  apply(batch: readonly CommittedCommand<string>[]): readonly number[] | Promise<readonly number[]> {
    return batch.map(() => ++this.count);
  }
  encode(command: string): Uint8Array {
    return new TextEncoder().encode(command);
  }
  decode(bytes: Uint8Array): string {
    return new TextDecoder().decode(bytes);
  }
  async *snapshot(): SnapshotContent {
    yield this.encode(String(this.count));
  }
  async restore(content: SnapshotContent): Promise<void> {
    let text = "";
    for await (const chunk of content) text += this.decode(chunk);
    this.count = Number(text);
  }
}

type Options = Partial<Omit<RaftClusterOptions<string, number>, "storage" | "executor">>;

const started: RaftCluster<string, number>[] = [];

/** Stops every node that was started here. */
export async function stopAll(): Promise<void> {
  await Promise.all(started.splice(0).map((cluster) => cluster.stop()));
}

/** The clock and the network that the nodes of one test share. */
export const network = () => ({ clock: new ManualClock(), wires: new ShortCircuit() });

/** Starts the node `nodeId` of a group of `voters`. */
export async function startNode(
  { clock, wires }: ReturnType<typeof network>,
  nodeId: NodeId,
  voters: readonly NodeId[],
  options: Options = {},
) {
  const storage = new MemoryStorage();
  const executor = new Counter();
  const members = voters.map((id) => ({ nodeId: id, address: `node-${id}:1` }));
  const cluster = await RaftCluster.start<string, number>({
    nodeId,
    transport: wires.transport(nodeId),
    storage,
    executor,
    clock,
    bootstrap: { kind: "members", members },
    ...options,
  });
  started.push(cluster);
  return { cluster, storage, executor, clock, wires };
}

/** Starts a group of one node, which leads. */
export async function single(options: Options = {}) {
  const node = await startNode(network(), 1, [1], options);
  await node.clock.settle();
  return node;
}

/** Starts a group of three nodes, of which node 1 leads. */
export async function trio(options: Options = {}) {
  const shared = network();
  const nodes = await Promise.all([1, 2, 3].map((id) => startNode(shared, id, [1, 2, 3], options)));
  nodes[0]?.cluster.campaign();
  await shared.clock.settle();
  if (nodes.some(({ cluster }) => cluster.leader !== 1)) throw new Error("node 1 was not elected");
  const [first, second, third] = nodes;
  if (first === undefined || second === undefined || third === undefined) throw new Error("three were started");
  return { ...shared, nodes, first, second, third };
}
