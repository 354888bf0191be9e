/**
 * The way from this node to one peer: one Exchange stream at a time, made when there is something to send.
 *
 * Role: queues, reconnects, tells groups about outages. It does not know what messages mean.
 *
 * Invariants:
 * C1. The connection is in exactly one {@link ConnectionState}.
 * C2. While a peer is left alone (`backoff`, `refused`) a message costs one comparison and is dropped; no timer runs.
 * C3. After that the next message is the probe: it makes one attempt, whose success ends the outage.
 * C4. A group is told of an outage once, whatever it sends; the next outage begins only after a connection was open.
 * C5. The messages of one turn of the event loop leave in one frame, up to its size.
 */
import {
  type Clock,
  type GroupId,
  type Logger,
  type Message,
  messageSize,
  type NodeId,
  type Rng,
} from "@raftoral/raft-core";
import { formatAddress, type HostPort } from "../address.ts";
import type { TransportCounters } from "../counters.ts";
import type { Accepted, Refusal } from "../gen/raftoral/v1/peer_pb.ts";
import type { GrpcTransportSettings } from "../options.ts";
import { helloTo, type Identity, type RefusalReason, reasonOf, refusedError } from "../wire/hello.ts";
import { backoffMs } from "./backoff.ts";
import { ExchangeStream } from "./exchange-stream.ts";
import { MAX_BYTES_AROUND_MESSAGE, SendQueue } from "./send-queue.ts";

export type ConnectionState =
  /** Nothing to send so far, or the peer said that it is there: the next message connects. */
  | { readonly kind: "disconnected" }
  /** Being connected. Messages wait in the queue. */
  | { readonly kind: "connecting"; readonly stream: ExchangeStream }
  /** Connected; the peer has not yet answered the hello. Messages wait. */
  | { readonly kind: "handshaking"; readonly stream: ExchangeStream }
  /** Messages flow. */
  | { readonly kind: "open"; readonly stream: ExchangeStream; readonly maxFrameBytes: number }
  /** The last attempt failed, or the connection was lost: no attempt before `untilMs` (monotonic). */
  | { readonly kind: "backoff"; readonly untilMs: number; readonly failures: number }
  /** The peer wants nothing of this node; asked again after `untilMs`, for somebody may have put it right. */
  | { readonly kind: "refused"; readonly untilMs: number; readonly reason: RefusalReason | "UNKNOWN" }
  /** The peer was removed or moved, or the transport closed. For good. */
  | { readonly kind: "closed" };

export interface PeerConnectionOptions {
  readonly peer: NodeId;
  readonly address: HostPort;
  readonly self: () => Identity;
  readonly settings: GrpcTransportSettings;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly counters: TransportCounters;
  /** Tells a group that the peer cannot be reached. Never called from inside {@link PeerConnection.send}. */
  readonly unreachable: (groupId: GroupId) => void;
}

/** How long a connection that is being closed may take to send what it has. */
const LINGER_MS = 500;

export class PeerConnection {
  readonly address: HostPort;
  readonly #options: PeerConnectionOptions;
  readonly #queue: SendQueue;
  #state: ConnectionState = { kind: "disconnected" };
  /** Failed attempts since a connection was open. */
  #failures = 0;
  /** Groups that sent something to this peer, and those of them that know of the current outage. */
  readonly #senders = new Set<GroupId>();
  readonly #told = new Set<GroupId>();
  /** Groups told that the queue is full; emptied with it. */
  readonly #toldFull = new Set<GroupId>();
  #loggedRefusal: string | undefined;
  #isFlushDue = false;

  constructor(options: PeerConnectionOptions) {
    this.address = options.address;
    this.#options = options;
    this.#queue = new SendQueue(options.settings.maxQueuedMessages, options.settings.maxQueuedBytes);
  }

  get state(): ConnectionState["kind"] {
    return this.#state.kind;
  }

  /** Best effort; never throws. */
  send(groupId: GroupId, message: Message): void {
    const state = this.#state;
    switch (state.kind) {
      case "open":
        if (this.#enqueue(groupId, message)) this.#flushSoon();
        return;
      case "connecting":
      case "handshaking":
        this.#enqueue(groupId, message);
        return;
      case "backoff":
      case "refused":
        if (this.#options.clock.monotonicMs() < state.untilMs) {
          this.#options.counters.messagesDropped += 1;
          this.#tellLater(groupId, this.#told);
          return;
        }
        this.#enqueue(groupId, message);
        this.#connect();
        return;
      case "disconnected":
        this.#enqueue(groupId, message);
        this.#connect();
        return;
      case "closed":
        this.#options.counters.messagesDropped += 1;
    }
  }

  /** The peer called this node, so it is there: the next message need not wait. */
  peerAppeared(): void {
    if (this.#state.kind === "backoff") this.#state = { kind: "disconnected" };
  }

  /**
   * Closes the connection, for good: what is queued still goes out where the connection is open. Resolves when it is closed, at
   * the latest after {@link LINGER_MS}. Idempotent.
   */
  async close(): Promise<void> {
    const state = this.#state;
    this.#flush();
    this.#state = { kind: "closed" };
    this.#dropQueue();
    if (state.kind === "open") await state.stream.finish(LINGER_MS);
    else if ("stream" in state) state.stream.close();
  }

  #enqueue(groupId: GroupId, message: Message): boolean {
    this.#senders.add(groupId);
    const { counters, logger, settings, peer } = this.#options;
    let size: number;
    try {
      size = messageSize(message);
    } catch (error) {
      counters.messagesDropped += 1;
      logger.error({ peer, groupId, type: message.type, err: error }, "a message has no bytes and was dropped");
      return false;
    }
    const maxFrameBytes = this.#state.kind === "open" ? this.#state.maxFrameBytes : settings.maxFrameBytes;
    const maxBytes = maxFrameBytes - MAX_BYTES_AROUND_MESSAGE;
    if (size > maxBytes) {
      counters.messagesDropped += 1;
      logger.error(
        { peer, groupId, type: message.type, bytes: size, maxFrameBytes: maxBytes },
        "a message is larger than a frame may be and was dropped; raise maxFrameBytes or lower maxMessageBytes",
      );
      return false;
    }
    if (this.#queue.push(groupId, message, size)) return true;
    counters.messagesDropped += 1;
    this.#tellLater(groupId, this.#toldFull);
    return false;
  }

  #connect(): void {
    const { peer, self, settings, clock } = this.#options;
    const stream = new ExchangeStream({
      address: this.address,
      hello: helloTo(peer, self()),
      settings,
      clock,
      events: {
        connected: () => {
          this.#state = { kind: "handshaking", stream };
        },
        accepted: (answer) => this.#opened(stream, answer),
        refused: (refusal) => this.#refused(refusal),
        ended: (reason) => this.#lost(reason),
        drained: () => this.#flush(),
      },
    });
    this.#state = { kind: "connecting", stream };
  }

  #opened(stream: ExchangeStream, answer: Accepted): void {
    const { settings, logger, counters, peer } = this.#options;
    const maxFrameBytes = Math.min(settings.maxFrameBytes, answer.maxFrameBytes || settings.maxFrameBytes);
    this.#state = { kind: "open", stream, maxFrameBytes };
    counters.connectionsOpened += 1;
    const outage = this.#failures > 0 || this.#loggedRefusal !== undefined;
    if (outage) logger.info({ peer, address: formatAddress(this.address) }, "peer is reachable again");
    else logger.debug({ peer, address: formatAddress(this.address) }, "connected to peer");
    this.#failures = 0;
    this.#loggedRefusal = undefined;
    this.#told.clear();
    this.#flush();
  }

  #refused(refusal: Refusal): void {
    const { peer, clock, settings, logger } = this.#options;
    const reason = reasonOf(refusal);
    // A peer that stops is gone, not in disagreement.
    if (reason === "SHUTTING_DOWN") {
      this.#lost("the peer is shutting down");
      return;
    }
    this.#state = { kind: "refused", untilMs: clock.monotonicMs() + settings.refusedBackoffMs, reason };
    this.#dropQueue();
    if (this.#loggedRefusal !== reason) {
      this.#loggedRefusal = reason;
      const error = refusedError(peer, refusal);
      logger.error({ peer, address: formatAddress(this.address), code: error.code, reason }, error.message);
    }
    this.#tellAll();
  }

  #lost(reason: string): void {
    const { peer, clock, rng, settings, logger, counters } = this.#options;
    this.#failures += 1;
    counters.connectionsLost += 1;
    const untilMs = clock.monotonicMs() + backoffMs(this.#failures, settings, rng);
    this.#state = { kind: "backoff", untilMs, failures: this.#failures };
    this.#dropQueue();
    if (this.#failures === 1) {
      logger.warn({ peer, address: formatAddress(this.address), reason }, "peer cannot be reached");
    }
    this.#tellAll();
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#options.clock.soon(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushDue = false;
    const state = this.#state;
    if (state.kind !== "open") return;
    const { counters, settings } = this.#options;
    while (this.#queue.length > 0 && !state.stream.isFull()) {
      const { frame, messages } = this.#queue.takeFrame(Math.min(settings.frameTargetBytes, state.maxFrameBytes));
      counters.framesSent += 1;
      counters.messagesSent += messages;
      counters.bytesSent += frame.length;
      state.stream.write(frame);
    }
    if (this.#queue.length === 0 && this.#toldFull.size > 0) this.#toldFull.clear();
  }

  #dropQueue(): void {
    this.#options.counters.messagesDropped += this.#queue.length;
    this.#queue.clear();
    this.#toldFull.clear();
  }

  #tellAll(): void {
    for (const groupId of this.#senders) {
      if (this.#told.has(groupId)) continue;
      this.#told.add(groupId);
      this.#options.unreachable(groupId);
    }
  }

  #tellLater(groupId: GroupId, told: Set<GroupId>): void {
    if (told.has(groupId)) return;
    told.add(groupId);
    this.#senders.add(groupId);
    this.#options.clock.soon(() => this.#options.unreachable(groupId));
  }
}
