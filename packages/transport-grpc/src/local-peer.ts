/**
 * One node of this process on the gRPC transport: its groups, its connections to peers, and what its server hands in.
 *
 * Invariants:
 * P1. One receiver per group; a group that is not open here gets nothing, and nothing breaks.
 * P2. Of each peer the highest incarnation counts: an older one is refused.
 * P3. A message is handed to its group only if its addressee is this node and its sender the stream's; those that Raft passes
 *     on for others keep their first sender.
 * P5. Where a peer is, the owner says (`setPeer`); what the peer says of itself, and what {@link LocalPeer.suggestAddress} says, is
 *     dialled only while the known address fails, and changes nothing of what is known.
 * P4. A peer is told that it was removed only if every group that is open here, and knows of members, says so.
 */
import {
  type Clock,
  type GroupId,
  type Logger,
  type LogIndex,
  type NodeId,
  RaftError,
  type Rng,
  TransportError,
} from "@raftoral/raft-core";
import {
  type GroupChannel,
  type GroupReceiver,
  type Message,
  type PeerTransport,
  removedFrom,
  type SnapshotStream,
} from "@raftoral/raft-core/transport";
import { formatAddress, type HostPort, isReachable, parseAddress } from "./address.ts";
import { newCounters, type TransportCounters } from "./counters.ts";
import type { Hello, Refusal } from "./gen/raftoral/v1/peer_pb.ts";
import type { LocalNode } from "./local-node.ts";
import type { GrpcTransportSettings } from "./options.ts";
import type { DialTarget } from "./peer/dial-target.ts";
import { PeerConnection } from "./peer/peer-connection.ts";
import { PeerRequests } from "./peer/peer-requests.ts";
import { PeerBook, type PeerRecord, withHint, withoutHint } from "./peer-book.ts";
import type { PeerStats, PeerTraffic } from "./peer-stats.ts";
import { InboundStreams } from "./server/inbound-streams.ts";
import { SnapshotTransfers } from "./snapshot-transfers.ts";
import { type AcceptedHello, checkHello, type Identity } from "./wire/hello.ts";

/** Options of a {@link LocalPeer}. */
export interface LocalPeerOptions {
  readonly nodeId: NodeId;
  readonly settings: GrpcTransportSettings;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Where this node listens, once it does. */
  readonly address: () => string | undefined;
}

/** The node as its transport, its connections and its server see it. One for each node of the process. */
export class LocalPeer implements PeerTransport, LocalNode {
  readonly nodeId: NodeId;
  readonly settings: GrpcTransportSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly rng: Rng;
  readonly counters: TransportCounters = newCounters();
  readonly snapshots: SnapshotTransfers;
  readonly #requests: PeerRequests;
  /** What peers have open to this node; its server keeps it. */
  readonly inbound: InboundStreams;
  readonly #options: LocalPeerOptions;
  readonly #groups = new Map<GroupId, GroupReceiver>();
  readonly #connections = new Map<NodeId, PeerConnection>();
  readonly #book: PeerBook;
  #isRunning = false;

  constructor(options: LocalPeerOptions) {
    this.#options = options;
    this.nodeId = options.nodeId;
    this.settings = options.settings;
    this.clock = options.clock;
    this.logger = options.logger;
    this.rng = options.rng;
    this.snapshots = new SnapshotTransfers(this);
    this.#requests = new PeerRequests(this);
    this.inbound = new InboundStreams(this.nodeId, this.settings.maxInboundStreamsPerPeer);
    this.#book = new PeerBook(this.settings.maxLearnedPeers, (peer) => this.#disconnect(peer));
  }

  open(groupId: GroupId, receiver: GroupReceiver): GroupChannel {
    if (this.#groups.has(groupId)) {
      throw new RaftError(
        "CONFIG_INVALID",
        `Group ${groupId} is open already on node ${this.nodeId}. Close it first, or use another group id.`,
      );
    }
    this.#groups.set(groupId, receiver);
    const isOpen = () => this.#groups.get(groupId) === receiver;
    const assertOpen = (): void => {
      if (isOpen() && this.#isRunning) return;
      throw new TransportError(
        "TRANSPORT_CLOSED",
        `Group ${groupId} of node ${this.nodeId} is closed. Open it again to send.`,
      );
    };
    return {
      send: (messages: readonly Message[]): void => {
        if (!isOpen() || !this.#isRunning) return;
        for (const message of messages) this.#connections.get(message.to)?.send(groupId, message);
      },
      sendSnapshot: async (message: Message, content: SnapshotStream): Promise<void> => {
        assertOpen();
        await this.snapshots.send(groupId, message, content);
      },
      delegateSnapshot: async (delegate: NodeId, message: Message, minIndex: LogIndex): Promise<void> => {
        assertOpen();
        await this.snapshots.delegate(groupId, { delegate, message, minIndex });
      },
      request: async (peer: NodeId, request: Uint8Array): Promise<Uint8Array> => {
        assertOpen();
        return await this.#requests.ask(groupId, peer, request);
      },
      close: (): void => {
        if (!isOpen()) return;
        this.#groups.delete(groupId);
        this.snapshots.close(groupId);
        this.#requests.close(groupId);
      },
    };
  }

  /** Throws TRANSPORT_ADDRESS_INVALID, TRANSPORT_PLAINTEXT_REFUSED. */
  checkAddress(address: string): void {
    this.settings.security.check(parseAddress(address), "connect to");
  }

  /** Where the owner says that a peer is, or, of one that was not introduced, where it says so itself. */
  peerAddress(peer: NodeId): HostPort | undefined {
    return this.#connections.get(peer)?.knownAddress;
  }

  /** Where a peer is dialled now: its known address, unless it was found elsewhere. */
  peerTarget(peer: NodeId): DialTarget | undefined {
    return this.#connections.get(peer)?.target;
  }

  /**
   * A known peer may be at `address` as well: it is dialled there while the known address fails (P5). Does nothing for other peers.
   * Throws TRANSPORT_ADDRESS_INVALID, TRANSPORT_PLAINTEXT_REFUSED.
   */
  suggestAddress(peer: NodeId, address: string): void {
    const parsed = parseAddress(address);
    this.settings.security.check(parsed, "connect to");
    const connection = this.#connections.get(peer);
    const record = this.#book.find(peer);
    if (connection === undefined || record === undefined) return;
    const isKnown = formatAddress(connection.knownAddress) === formatAddress(parsed);
    record.hints = isKnown ? withoutHint(record.hints, parsed) : withHint(record.hints, parsed);
    connection.peerAppeared(isKnown ? undefined : parsed);
  }

  /** Makes every connection to a peer again, with the certificates as they are now. What is queued goes out first where it can. */
  reconnect(): void {
    this.#requests.reconnect();
    const peers = [...this.#connections];
    for (const [peer, connection] of peers) {
      this.removePeer(peer);
      this.setPeer(peer, formatAddress(connection.knownAddress));
    }
  }

  setPeer(peer: NodeId, address: string): void {
    this.#connect(peer, address, () => this.#book.introduce(peer));
  }

  #connect(peer: NodeId, address: string, recordOf: () => PeerRecord): void {
    const parsed = parseAddress(address);
    if (peer === this.nodeId) return;
    this.settings.security.check(parsed, "connect to");
    const record = recordOf();
    const { traffic } = record;
    record.hints = withoutHint(record.hints, parsed);
    const known = this.#connections.get(peer);
    if (known !== undefined) {
      if (formatAddress(known.knownAddress) === formatAddress(parsed) || known.movedTo(parsed)) return;
      void known.close();
    }
    const { settings, clock, rng, logger } = this.#options;
    const connection = new PeerConnection({
      peer,
      address: parsed,
      hints: () => record.hints,
      hintRefused: (place) => {
        record.hints = withoutHint(record.hints, place);
      },
      self: () => this.identity(),
      settings,
      clock,
      rng,
      logger,
      counters: this.counters,
      traffic,
      unreachable: (groupId) => this.#groups.get(groupId)?.unreachable(peer),
      removed: (groupIds) => {
        for (const groupId of groupIds) this.#groups.get(groupId)?.removed?.(peer);
      },
    });
    this.#connections.set(peer, connection);
  }

  removePeer(peer: NodeId): void {
    this.#disconnect(peer);
    this.#book.dismiss(peer);
  }

  membersChanged(): void {
    this.inbound.refuseRemoved((peer) => this.#removedFrom(peer));
  }

  #disconnect(peer: NodeId): void {
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
    this.snapshots.close();
    this.#requests.close();
    const connections = [...this.#connections];
    this.#connections.clear();
    await Promise.all(connections.map(([, connection]) => connection.close()));
    for (const [peer, { knownAddress }] of connections) this.setPeer(peer, formatAddress(knownAddress));
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

  /** What went to and came from each peer, and how its streams are: a copy of plain numbers. Ascending by peer. */
  peerStats(): PeerStats[] {
    return this.#book.peers().map((peer) => this.#statsOf(peer));
  }

  // What the server hands in.

  /** Decides on a hello, by all that this node and its groups know. */
  judge(hello: Hello): AcceptedHello | Refusal {
    return checkHello(
      hello,
      this.identity(),
      (peer) => this.lastIncarnation(peer),
      (peer) => this.#removedFrom(peer),
    );
  }

  receiver(groupId: GroupId): GroupReceiver | undefined {
    return this.#groups.get(groupId);
  }

  lastIncarnation(peer: NodeId): number {
    return this.#book.find(peer)?.incarnation ?? 0;
  }

  /**
   * A peer's hello was accepted: it is alive, and if its address was not known, it is now; otherwise its word is for when it
   * cannot be found there (P5). Returns where to count what comes from it.
   */
  peerAppeared({ from, incarnation, address }: AcceptedHello): PeerTraffic {
    const record = this.#book.learn(from);
    if (incarnation > record.incarnation) record.incarnation = incarnation;
    const connection = this.#connections.get(from);
    if (address !== undefined) this.#heardAddress(from, address, record);
    else connection?.peerAppeared();
    return record.traffic;
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
      this.#reportLiar(from, groupId);
    }
    this.counters.messagesReceived += wanted.length;
    if (wanted.length > 0) receiver.receive(from, wanted);
  }

  #reportLiar(peer: NodeId, groupId: GroupId): void {
    const record = this.#book.find(peer);
    if (record === undefined || record.isKnownLiar) return;
    record.isKnownLiar = true;
    this.logger.warn({ peer, groupId }, "messages that name another sender or receiver were dropped");
  }

  #isFor(message: Message, from: NodeId): boolean {
    return message.to === this.nodeId && (message.from === from || isPassedOn(message));
  }

  /** P4. Empty for a peer that was not removed. */
  #removedFrom(peer: NodeId): readonly GroupId[] {
    return removedFrom(this.#groups, peer);
  }

  #statsOf(peer: NodeId): PeerStats {
    const connection = this.#connections.get(peer);
    const streams = connection?.stats();
    const traffic = this.#book.find(peer)?.traffic;
    return {
      peer,
      address: connection === undefined ? undefined : formatAddress(connection.target.address),
      control: streams?.control,
      appends: streams?.appends,
      inboundStreams: this.inbound.countOf(peer),
      inboundLost: traffic?.inboundLost ?? 0,
      framesReceived: traffic?.framesReceived ?? 0,
      bytesReceived: traffic?.bytesReceived ?? 0,
      roundTripMs: traffic?.roundTripMs,
      smoothedRoundTripMs: traffic?.smoothedRoundTripMs,
      outages: traffic?.outages ?? 0,
      sent: traffic?.sent.read() ?? [],
      received: traffic?.received.read() ?? [],
      dropped: traffic?.dropped.read() ?? [],
    };
  }

  /** What a peer says of itself. */
  #heardAddress(peer: NodeId, address: string, record: PeerRecord): void {
    try {
      if (this.#connections.has(peer)) this.suggestAddress(peer, address);
      else this.#connect(peer, address, () => record);
    } catch (error) {
      this.logger.warn({ peer, address, err: error }, "a peer named an address that cannot be used");
      this.#connections.get(peer)?.peerAppeared();
    }
  }
}

/** Followers forward these to the leader under their first sender's name. */
function isPassedOn(message: Message): boolean {
  return message.type === "MsgProp" || message.type === "MsgReadIndex" || message.type === "MsgTransferLeader";
}
