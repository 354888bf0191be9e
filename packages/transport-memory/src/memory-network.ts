/**
 * A network inside one process: nodes, the links between them, and what is broken at the moment.
 *
 * Role: carries messages by reference (they are immutable) or through the wire codec, and brings on faults that a seed
 * decides. Time and randomness come from the ports alone, so that a simulator can drive it.
 *
 * Invariants:
 * N1. Nothing is delivered inside `send`: at the earliest at the end of the turn.
 * N2. A partition is silent: messages vanish, as on a real network. A node that is down is noticed: its peers are told once
 *     per outage.
 * N3. A snapshot travels beside the messages and never delays them.
 * N4. A node takes nothing from a peer that was removed from all of its groups, and tells the peer so.
 * N5. A message that `lose` chooses is lost as one that the faults of its link lose: the sender is not told.
 */
import {
  type Clock,
  type GroupId,
  invariant,
  type LogIndex,
  type NodeId,
  type Rng,
  TransportError,
} from "@raftoral/raft-core";
import type { Message, SnapshotStream } from "@raftoral/raft-core/transport";
import { type LinkFaults, linkFaults, NO_FAULTS } from "./faults.ts";
import { type LinkCounts, MemoryLink } from "./memory-link.ts";
import { MemoryPeer } from "./memory-peer.ts";
import { SnapshotSource, snapshotGroupUnknown, snapshotRejected } from "./snapshot-source.ts";

/** Options of a {@link MemoryNetwork}. */
export interface MemoryNetworkOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  /** Messages queued or under way from one node to another before further ones are dropped. */
  readonly maxQueuedMessages: number;
  /** Turns a message into another object and back, as a wire would; the message itself where it is left out. */
  readonly throughWire?: (message: Message) => Message;
}

/** The network of one transport (N1 to N4). Nodes are added before they are used; faults, partitions and failures apply from the call on. */
export class MemoryNetwork {
  readonly #options: MemoryNetworkOptions;
  readonly #peers = new Map<NodeId, MemoryPeer>();
  readonly #links = new Map<NodeId, Map<NodeId, MemoryLink>>();
  readonly #down = new Set<NodeId>();
  /** Directions that are cut: from -> to. */
  readonly #cut = new Map<NodeId, Set<NodeId>>();
  /** What {@link MemoryNetwork.lose} was given, and has not been taken back. */
  readonly #losing = new Set<(message: Message) => boolean>();
  #faults: LinkFaults = NO_FAULTS;
  #isRunning = false;

  constructor(options: MemoryNetworkOptions) {
    this.#options = options;
  }

  /** The node's place on the network, the same object at every call. The node must have been added. */
  peer(nodeId: NodeId): MemoryPeer {
    const peer = this.#peers.get(nodeId);
    invariant(peer !== undefined, () => `node ${nodeId} is not on the in-memory network`);
    return peer;
  }

  has(nodeId: NodeId): boolean {
    return this.#peers.has(nodeId);
  }

  add(nodeId: NodeId): void {
    if (!this.#peers.has(nodeId)) this.#peers.set(nodeId, new MemoryPeer(nodeId, this));
  }

  remove(nodeId: NodeId): void {
    this.#peers.delete(nodeId);
    this.#links.delete(nodeId);
    for (const links of this.#links.values()) links.delete(nodeId);
  }

  nodeIds(): Iterable<NodeId> {
    return this.#peers.keys();
  }

  /** Begins (or ends) to carry messages; while it does not, every node is as if down. */
  setRunning(isRunning: boolean): void {
    this.#isRunning = isRunning;
  }

  // Faults.

  /** Sets the faults of every link, or of the links from and to the given nodes. What is left out is no fault. */
  setFaults(faults: Partial<LinkFaults>, between?: { readonly from?: NodeId; readonly to?: NodeId }): void {
    // Compared by identity on the hot path, so that a network without faults takes the short way.
    const complete = Object.values(faults).every((value) => value === 0) ? NO_FAULTS : linkFaults(faults);
    if (between === undefined) this.#faults = complete;
    for (const from of this.#peers.keys()) {
      for (const to of this.#peers.keys()) {
        if (from === to || (between?.from ?? from) !== from || (between?.to ?? to) !== to) continue;
        this.#link(from, to).faults = complete;
      }
    }
  }

  /**
   * Loses each message that `chooses` says true of, until the function that comes back is called (N5). `chooses` is asked as the message is sent, before
   * any other fault; what it throws, the sender's call throws.
   */
  lose(chooses: (message: Message) => boolean): () => void {
    // A function of its own: the same one may be given twice.
    const losing = (message: Message): boolean => chooses(message);
    this.#losing.add(losing);
    return () => void this.#losing.delete(losing);
  }

  /** Cuts both directions between every node of `a` and every node of `b`. */
  partition(a: readonly NodeId[], b: readonly NodeId[]): void {
    this.cut(a, b);
    this.cut(b, a);
  }

  /** Cuts one direction: what `from` sends to `to` vanishes, the other way still works. */
  cut(from: readonly NodeId[], to: readonly NodeId[]): void {
    for (const sender of from) {
      const targets = this.#cut.get(sender) ?? new Set();
      this.#cut.set(sender, targets);
      for (const target of to) if (target !== sender) targets.add(target);
    }
  }

  /** Cuts a node from all others, both ways. */
  isolate(nodeId: NodeId): void {
    this.partition(
      [nodeId],
      [...this.#peers.keys()].filter((other) => other !== nodeId),
    );
  }

  /** Undoes every cut, or those from and to one node. */
  heal(nodeId?: NodeId): void {
    if (nodeId === undefined) {
      this.#cut.clear();
      return;
    }
    this.#cut.delete(nodeId);
    for (const targets of this.#cut.values()) targets.delete(nodeId);
  }

  /** The node's process is gone: nothing reaches or leaves it, and its peers notice. */
  takeDown(nodeId: NodeId): void {
    this.#down.add(nodeId);
  }

  /** The node's process is back. */
  bringUp(nodeId: NodeId): void {
    this.#down.delete(nodeId);
  }

  isUp(nodeId: NodeId): boolean {
    return this.#isRunning && this.#peers.has(nodeId) && !this.#down.has(nodeId);
  }

  isConnected(from: NodeId, to: NodeId): boolean {
    return this.#cut.get(from)?.has(to) !== true;
  }

  /** What happened so far from one node to another. */
  counts(from: NodeId, to: NodeId): LinkCounts {
    return this.#link(from, to).counts;
  }

  // Traffic, called by MemoryPeer.

  send(from: NodeId, groupId: GroupId, message: Message): void {
    const { throughWire } = this.#options;
    const link = this.#link(from, message.to);
    for (const loses of this.#losing) {
      if (!loses(message)) continue;
      link.lose();
      return;
    }
    link.send(groupId, throughWire === undefined ? message : throughWire(message));
  }

  async sendSnapshot(from: NodeId, groupId: GroupId, message: Message, content: SnapshotStream): Promise<void> {
    const { to } = message;
    const link = this.#link(from, to);
    await this.#pass(link);
    if (this.#refusesRemoved(from, to)) throw removedPeer(from, to);
    const receiver = this.#peers.get(to)?.receiver(groupId);
    if (receiver === undefined) throw snapshotGroupUnknown(groupId, message);
    const source = new SnapshotSource(content, () => this.#pass(link));
    try {
      await receiver.receiveSnapshot(message, source);
    } catch (error) {
      if (source.failure !== undefined) throw source.failure;
      // A cut on the way is the network's failure, whatever the receiver made of it.
      await this.#pass(link);
      throw snapshotRejected(error, groupId, message);
    } finally {
      await source.release();
    }
    await this.#pass(link);
  }

  /** Asks `delegate` to send its own snapshot. The asking and the answer travel; what it sends goes its own way. */
  async delegateSnapshot(
    from: NodeId,
    delegate: NodeId,
    { groupId, message, minIndex }: { groupId: GroupId; message: Message; minIndex: LogIndex },
  ): Promise<void> {
    const link = this.#link(from, delegate);
    await this.#pass(link);
    const receiver = this.#peers.get(delegate)?.receiver(groupId);
    if (receiver?.sendSnapshotFor === undefined) throw snapshotGroupUnknown(groupId, { ...message, to: delegate });
    try {
      await receiver.sendSnapshotFor(message, minIndex);
    } catch (error) {
      await this.#pass(link);
      throw snapshotRejected(error, groupId, { ...message, to: delegate });
    }
    await this.#pass(link);
  }

  /** A request of the application, and its answer, beside the messages (N3). */
  async request(from: NodeId, peer: NodeId, groupId: GroupId, request: Uint8Array): Promise<Uint8Array> {
    const link = this.#link(from, peer);
    await this.#pass(link);
    if (this.#refusesRemoved(from, peer)) throw removedPeer(from, peer);
    const receiver = this.#peers.get(peer)?.receiver(groupId);
    let answer: Uint8Array | Error;
    try {
      if (receiver?.receiveRequest === undefined)
        throw new Error(`group ${groupId} is not open there, or answers none`);
      answer = (await receiver.receiveRequest(from, request.slice())).slice();
    } catch (error) {
      answer = error instanceof Error ? error : new Error(String(error));
    }
    await this.#pass(this.#link(peer, from));
    if (answer instanceof Error) throw requestRefused(peer, answer);
    return answer;
  }

  /** Tells `peer` that it was removed from the groups, if it can be reached. */
  tellRemoved(by: NodeId, peer: NodeId, groupIds: readonly GroupId[]): void {
    this.#pass(this.#link(by, peer)).then(
      () => {
        for (const groupId of groupIds) this.#peers.get(peer)?.receiver(groupId)?.removed?.(by);
      },
      // Lost, as a message would be. The peer is told again when it sends.
      () => {},
    );
  }

  #deliver(from: NodeId, to: NodeId, groupId: GroupId, messages: readonly Message[]): void {
    if (!this.#refusesRemoved(from, to)) this.#peers.get(to)?.receiver(groupId)?.receive(from, messages);
  }

  /** Whether `from` was removed from the groups of `to`, which then tells it so (N4). */
  #refusesRemoved(from: NodeId, to: NodeId): boolean {
    const groupIds = this.#peers.get(to)?.removedFrom(from) ?? [];
    if (groupIds.length > 0) this.tellRemoved(to, from, groupIds);
    return groupIds.length > 0;
  }

  /** Takes as long as a message would. Rejects when the way is cut. */
  async #pass(link: MemoryLink): Promise<void> {
    const delay = link.delayMs();
    await new Promise<void>((resolve) => {
      if (delay > 0) this.#options.clock.after(delay, resolve);
      else this.#options.clock.soon(resolve);
    });
    if (this.isUp(link.from) && this.isUp(link.to) && this.isConnected(link.from, link.to)) return;
    throw new TransportError(
      "TRANSPORT_PEER_UNREACHABLE",
      `Node ${link.to} cannot be reached from node ${link.from}. Raft sends again; look for a partition or a node that is down.`,
      {
        retryable: true,
        details: { nodeId: link.to },
      },
    );
  }

  #link(from: NodeId, to: NodeId): MemoryLink {
    let links = this.#links.get(from);
    if (links === undefined) {
      links = new Map();
      this.#links.set(from, links);
    }
    let link = links.get(to);
    if (link === undefined) {
      link = new MemoryLink({
        from,
        to,
        clock: this.#options.clock,
        rng: this.#options.rng,
        maxQueuedMessages: this.#options.maxQueuedMessages,
        ends: {
          connected: () => this.isConnected(from, to),
          up: () => this.isUp(from) && this.isUp(to),
          deliver: (groupId, messages) => this.#deliver(from, to, groupId, messages),
          unreachable: (groupId) => {
            if (this.isUp(from)) this.#peers.get(from)?.receiver(groupId)?.unreachable(to);
          },
        },
      });
      link.faults = this.#faults;
      links.set(to, link);
    }
    return link;
  }
}

function requestRefused(peer: NodeId, cause: Error): TransportError {
  return new TransportError("TRANSPORT_REQUEST_REFUSED", `Node ${peer} did not answer a request: ${cause.message}`, {
    retryable: true,
    details: { nodeId: peer },
    cause,
  });
}

function removedPeer(from: NodeId, to: NodeId): TransportError {
  return new TransportError(
    "TRANSPORT_PEER_REFUSED",
    `Node ${to} takes nothing from node ${from}, which was removed from its groups. Stop node ${from}, and add a new node with a new id.`,
    { details: { nodeId: to, reason: "REMOVED" } },
  );
}
