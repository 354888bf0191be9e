/**
 * One node of this process on the gRPC transport: its groups, its connections to peers, and what its server hands in.
 *
 * Invariants:
 * P1. One receiver per group; a group that is not open here gets nothing, and nothing breaks.
 * P2. Of each peer the highest incarnation counts: an older one is refused.
 * P3. A message is handed to its group only if its addressee is this node and its sender the stream's; those that Raft passes
 *     on for others keep their first sender.
 */
import {
  type Clock,
  type GroupChannel,
  type GroupId,
  type GroupReceiver,
  type Logger,
  type Message,
  type NodeId,
  type PeerTransport,
  RaftError,
  type Rng,
  TransportError,
} from "@raftoral/raft-core";
import { formatAddress, isReachable, parseAddress } from "./address.ts";
import { newCounters, type TransportCounters } from "./counters.ts";
import type { GrpcTransportSettings } from "./options.ts";
import { PeerConnection } from "./peer/peer-connection.ts";
import { sendSnapshot } from "./peer/snapshot-sender.ts";
import type { AcceptedHello, Identity } from "./wire/hello.ts";

export interface LocalPeerOptions {
  readonly nodeId: NodeId;
  readonly settings: GrpcTransportSettings;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Where this node listens, once it does. */
  readonly address: () => string | undefined;
}

export class LocalPeer implements PeerTransport {
  readonly nodeId: NodeId;
  readonly settings: GrpcTransportSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: TransportCounters = newCounters();
  readonly #options: LocalPeerOptions;
  readonly #groups = new Map<GroupId, GroupReceiver>();
  readonly #connections = new Map<NodeId, PeerConnection>();
  readonly #incarnations = new Map<NodeId, number>();
  /** Ends the snapshots on their way, by the group that sends them. */
  readonly #transfers = new Map<AbortController, GroupId>();
  #isRunning = false;

  constructor(options: LocalPeerOptions) {
    this.#options = options;
    this.nodeId = options.nodeId;
    this.settings = options.settings;
    this.clock = options.clock;
    this.logger = options.logger;
  }

  open(groupId: GroupId, receiver: GroupReceiver): GroupChannel {
    if (this.#groups.has(groupId)) {
      throw new RaftError("CONFIG_INVALID", `group ${groupId} is open already on node ${this.nodeId}`);
    }
    this.#groups.set(groupId, receiver);
    const isOpen = () => this.#groups.get(groupId) === receiver;
    return {
      send: (messages: readonly Message[]): void => {
        if (!isOpen() || !this.#isRunning) return;
        for (const message of messages) this.#connections.get(message.to)?.send(groupId, message);
      },
      sendSnapshot: async (message: Message, content: AsyncIterable<Uint8Array>): Promise<void> => {
        if (!isOpen() || !this.#isRunning) {
          throw new TransportError("TRANSPORT_CLOSED", `group ${groupId} of node ${this.nodeId} is closed`);
        }
        const address = this.#connections.get(message.to)?.address;
        if (address === undefined) {
          throw new TransportError(
            "TRANSPORT_PEER_UNREACHABLE",
            `node ${this.nodeId} knows no node ${message.to} to send a snapshot to; add it to the transport`,
            { details: { nodeId: message.to } },
          );
        }
        const transfer = new AbortController();
        this.#transfers.set(transfer, groupId);
        try {
          await sendSnapshot({ local: this, address, groupId, message, content, stop: transfer.signal });
        } finally {
          this.#transfers.delete(transfer);
        }
      },
      close: (): void => {
        if (!isOpen()) return;
        this.#groups.delete(groupId);
        this.#stopTransfers(groupId);
      },
    };
  }

  /** Throws TRANSPORT_ADDRESS_INVALID. */
  checkAddress(address: string): void {
    parseAddress(address);
  }

  setPeer(peer: NodeId, address: string): void {
    const parsed = parseAddress(address);
    if (peer === this.nodeId) return;
    const known = this.#connections.get(peer);
    if (known !== undefined) {
      if (formatAddress(known.address) === formatAddress(parsed)) return;
      void known.close();
    }
    const { settings, clock, rng, logger } = this.#options;
    const connection = new PeerConnection({
      peer,
      address: parsed,
      self: () => this.identity(),
      settings,
      clock,
      rng,
      logger,
      counters: this.counters,
      unreachable: (groupId) => this.#groups.get(groupId)?.unreachable(peer),
    });
    this.#connections.set(peer, connection);
  }

  removePeer(peer: NodeId): void {
    const connection = this.#connections.get(peer);
    this.#connections.delete(peer);
    void connection?.close();
  }

  /** Begins to send. */
  start(): void {
    this.#isRunning = true;
  }

  /** Ends every connection; what is queued goes out first where it can. Known peers stay known. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#stopTransfers();
    const connections = [...this.#connections];
    this.#connections.clear();
    await Promise.all(connections.map(([, connection]) => connection.close()));
    for (const [peer, { address }] of connections) this.setPeer(peer, formatAddress(address));
  }

  identity(): Identity {
    const { settings, address } = this.#options;
    const own = address();
    return {
      clusterId: settings.clusterId,
      nodeId: this.nodeId,
      incarnation: settings.incarnation,
      address: own !== undefined && isReachable(parseAddress(own)) ? own : undefined,
    };
  }

  /** State of the connection to a peer, for people and tests. */
  connectionState(peer: NodeId): PeerConnection["state"] | undefined {
    return this.#connections.get(peer)?.state;
  }

  // What the server hands in.

  receiver(groupId: GroupId): GroupReceiver | undefined {
    return this.#groups.get(groupId);
  }

  lastIncarnation(peer: NodeId): number {
    return this.#incarnations.get(peer) ?? 0;
  }

  /** A peer's hello was accepted: it is alive, and if nobody has said where it listens, it has now. */
  peerAppeared({ from, incarnation, address }: AcceptedHello): void {
    if (incarnation > this.lastIncarnation(from)) this.#incarnations.set(from, incarnation);
    const connection = this.#connections.get(from);
    if (connection !== undefined) connection.peerAppeared();
    else if (address !== undefined) this.#learnPeer(from, address);
  }

  /** Messages of one frame for one group. */
  receive(from: NodeId, groupId: GroupId, messages: Message[]): void {
    const receiver = this.#groups.get(groupId);
    if (receiver === undefined) {
      this.counters.messagesUnroutable += messages.length;
      return;
    }
    const wanted = messages.every((message) => this.#isFor(message, from))
      ? messages
      : messages.filter((message) => this.#isFor(message, from));
    if (wanted.length < messages.length) {
      this.counters.framesRejected += 1;
      this.logger.warn({ peer: from, groupId }, "messages that name another sender or receiver were dropped");
    }
    this.counters.messagesReceived += wanted.length;
    if (wanted.length > 0) receiver.receive(from, wanted);
  }

  /** A peer that does not read would keep content, and what it is read from, for the time of its patience. */
  #stopTransfers(groupId?: GroupId): void {
    for (const [transfer, sender] of this.#transfers) if (groupId === undefined || sender === groupId) transfer.abort();
  }

  #isFor(message: Message, from: NodeId): boolean {
    return message.to === this.nodeId && (message.from === from || isPassedOn(message));
  }

  #learnPeer(peer: NodeId, address: string): void {
    try {
      this.setPeer(peer, address);
    } catch (error) {
      this.logger.warn({ peer, address, err: error }, "a peer named an address that cannot be used");
    }
  }
}

/** Followers forward these to the leader under their first sender's name. */
function isPassedOn(message: Message): boolean {
  return message.type === "MsgProp" || message.type === "MsgReadIndex" || message.type === "MsgTransferLeader";
}
