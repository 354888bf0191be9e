/**
 * Three nodes with many groups each, on manual time. The network has a link for each node and group, delivers at the end of the turn, and can be
 * cut. For tests of the parts that groups of one node share.
 */
import { HEARTBEAT_GROUP } from "../../../driver/heartbeats/roster-codec.ts";
import type { RaftClusterOptions } from "../../../driver/options.ts";
import { RaftCluster } from "../../../driver/raft-cluster.ts";
import type { ClusterEvent } from "../../../driver/status.ts";
import { MemoryStorage } from "../../../memory/memory-storage.ts";
import type { Message } from "../../../message.ts";
import type { GroupChannel, GroupReceiver, PeerTransport } from "../../../ports/peer-transport.ts";
import { seededRng } from "../../../ports/rng.ts";
import type { GroupId, NodeId } from "../../../types.ts";
import { Counter, ManualClock } from "./manual-group.ts";

type Options = Partial<Omit<RaftClusterOptions<string, number>, "storage" | "executor" | "nodeId" | "groupId">>;

/** One node and its groups. */
export class ManyGroupsNode {
  readonly nodeId: NodeId;
  readonly storages = new Map<GroupId, MemoryStorage>();
  readonly clusters: RaftCluster<string, number>[] = [];
  readonly events: ClusterEvent[] = [];

  constructor(nodeId: NodeId) {
    this.nodeId = nodeId;
  }

  /** The groups that this node leads. */
  leads(): RaftCluster<string, number>[] {
    return this.clusters.filter(({ isLeader }) => isLeader);
  }

  async stop(): Promise<void> {
    await Promise.all(this.clusters.splice(0).map((cluster) => cluster.stop()));
  }
}

/** Three nodes with the same groups. */
export class ManyGroups {
  readonly clock = new ManualClock();
  readonly nodes: ManyGroupsNode[];
  /** The sent messages with their groups. Tests may empty the list. */
  readonly sent: { readonly groupId: GroupId; readonly message: Message }[] = [];
  /** Nodes whose messages, in both directions, do not arrive. */
  readonly cut = new Set<NodeId>();
  /** Whether a message arrives. */
  passes: (groupId: GroupId, message: Message) => boolean = () => true;
  readonly #receivers = new Map<string, GroupReceiver>();
  readonly #groups: number;
  readonly #options: Options;
  #starts = 0;

  private constructor(groups: number, options: Options) {
    this.#groups = groups;
    this.#options = options;
    this.nodes = [1, 2, 3].map((nodeId) => new ManyGroupsNode(nodeId));
  }

  /** Three nodes with groups 1 to `groups`, of which none has a leader yet. */
  static async start(groups: number, options: Options = {}): Promise<ManyGroups> {
    const made = new ManyGroups(groups, options);
    for (const node of made.nodes) await made.startNode(node);
    return made;
  }

  node(nodeId: NodeId): ManyGroupsNode {
    const node = this.nodes[nodeId - 1];
    if (node === undefined) throw new Error(`there is no node ${nodeId}`);
    return node;
  }

  /** Starts a node on its stored data. `options` take precedence over the common ones. */
  async startNode(node: ManyGroupsNode, options: Options = {}): Promise<void> {
    const transport = this.#transport(node.nodeId);
    for (let groupId = 1; groupId <= this.#groups; groupId++) {
      const storage = node.storages.get(groupId) ?? new MemoryStorage();
      node.storages.set(groupId, storage);
      const cluster = await RaftCluster.start<string, number>({
        nodeId: node.nodeId,
        groupId,
        transport,
        storage,
        executor: new Counter(),
        clock: this.clock,
        rng: seededRng(++this.#starts),
        bootstrap: { kind: "members", members: [1, 2, 3].map((id) => ({ nodeId: id, address: `node-${id}:1` })) },
        coalesceHeartbeatsFrom: 1,
        ...this.#options,
        ...options,
      });
      cluster.on((event) => node.events.push(event));
      node.clusters.push(cluster);
    }
  }

  async tick(count: number): Promise<void> {
    for (let at = 0; at < count; at++) {
      this.clock.tick();
      await this.clock.settle();
    }
  }

  /** Makes node 1 the leader of every group, and lets its followers learn of it. */
  async electFirst(): Promise<void> {
    for (const cluster of this.node(1).clusters) cluster.campaign();
    await this.clock.settle();
    await this.tick(8);
    if (this.node(1).leads().length !== this.#groups) throw new Error("node 1 was not elected everywhere");
  }

  /** The messages sent since the last call: those of groups, and those between nodes (the coalesced heartbeats). */
  takeSent(): { readonly ofGroups: Message[]; readonly ofNodes: Message[] } {
    const sent = this.sent.splice(0);
    const select = (isNodes: boolean): Message[] =>
      sent.filter(({ groupId }) => (groupId === HEARTBEAT_GROUP) === isNodes).map(({ message }) => message);
    return { ofGroups: select(false), ofNodes: select(true) };
  }

  /** The receiver that a group of a node has opened. */
  receiver(nodeId: NodeId, groupId: GroupId): GroupReceiver {
    const receiver = this.#receivers.get(`${nodeId}/${groupId}`);
    if (receiver === undefined) throw new Error(`group ${groupId} is not open on node ${nodeId}`);
    return receiver;
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) await node.stop();
  }

  #transport(nodeId: NodeId): PeerTransport {
    return {
      nodeId,
      open: (groupId, receiver) => this.#open(nodeId, groupId, receiver),
      setPeer: () => {},
      removePeer: () => {},
    };
  }

  #open(nodeId: NodeId, groupId: GroupId, receiver: GroupReceiver): GroupChannel {
    const key = `${nodeId}/${groupId}`;
    this.#receivers.set(key, receiver);
    return {
      send: (messages) => {
        for (const message of messages) this.#send(groupId, message);
      },
      sendSnapshot: () => Promise.reject(new Error("no way for snapshots here")),
      close: () => {
        if (this.#receivers.get(key) === receiver) this.#receivers.delete(key);
      },
    };
  }

  #send(groupId: GroupId, message: Message): void {
    this.sent.push({ groupId, message });
    const { from, to } = message;
    this.clock.soon(() => {
      if (this.cut.has(from) || this.cut.has(to) || !this.passes(groupId, message)) return;
      this.#receivers.get(`${to}/${groupId}`)?.receive(from, [message]);
    });
  }
}
