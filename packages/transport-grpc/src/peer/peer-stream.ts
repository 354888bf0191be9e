/**
 * One of the two streams to a peer, over all its connections: queues, connects when there is something to send, leaves the peer
 * alone after a failure.
 *
 * Role: one state machine. It does not know what messages mean, nor whom to tell of an outage: {@link PeerConnection} does.
 *
 * Invariants:
 * C1. The stream is in exactly one {@link ConnectionState}.
 * C2. While a peer is left alone (`backoff`, `refused`) a message costs one comparison and is dropped; no timer runs.
 * C3. After that the next message is the probe: it makes one attempt, whose success ends the outage. With `mayConnect` only one
 *     of the peer's streams probes; the other waits for its success.
 * C5. The messages of one turn of the event loop leave in one frame, up to its size.
 */
import type { Clock, GroupId, Logger, NodeId, Rng } from "@raftoral/raft-core";
import { type Message, messageSize } from "@raftoral/raft-core/transport";
import type { TransportCounters } from "../counters.ts";
import type { Accepted, Refusal } from "../gen/raftoral/v1/peer_pb.ts";
import type { GrpcTransportSettings } from "../options.ts";
import type { PeerTraffic, StreamStats } from "../peer-stats.ts";
import { type Compression, compressionNamed } from "../wire/compression.ts";
import { compressFrame } from "../wire/grpc-framing.ts";
import { helloTo, type Identity, type RefusalReason, reasonOf } from "../wire/hello.ts";
import { backoffMs } from "./backoff.ts";
import type { ConnectionState } from "./connection-state.ts";
import type { DialTarget } from "./dial-target.ts";
import { ExchangeStream } from "./exchange-stream.ts";
import { MAX_BYTES_AROUND_MESSAGE, SendQueue } from "./send-queue.ts";
import type { StreamKind } from "./stream-kind.ts";

/** What {@link ConnectionState} says, with what belongs to it. */
type StreamState =
  /** Nothing to send so far, or the peer said that it is there: the next message connects. */
  | { readonly kind: "disconnected" }
  /** Appends only: messages wait until the control stream is open, which then connects this one. */
  | { readonly kind: "waiting" }
  /** Being connected. Messages wait in the queue. */
  | { readonly kind: "connecting"; readonly stream: ExchangeStream }
  /** Connected; the peer has not yet answered the hello. Messages wait. */
  | { readonly kind: "handshaking"; readonly stream: ExchangeStream }
  /** Messages flow. */
  | {
      readonly kind: "open";
      readonly stream: ExchangeStream;
      readonly maxFrameBytes: number;
      /** Agreed on for this stream; undefined for none. */
      readonly compression: Compression | undefined;
    }
  /** The last attempt failed, or the connection was lost: no attempt before `untilMs` (monotonic). */
  | { readonly kind: "backoff"; readonly untilMs: number; readonly failures: number }
  /** The peer wants nothing of this node; asked again after `untilMs`, for somebody may have put it right. */
  | { readonly kind: "refused"; readonly untilMs: number; readonly reason: RefusalReason | "UNKNOWN" }
  /** The peer was removed or moved, or the transport closed. For good. */
  | { readonly kind: "closed" };

/** What all streams to one peer share. */
export interface PeerContext {
  readonly peer: NodeId;
  /** Where the next attempt goes. */
  readonly target: () => DialTarget;
  readonly self: () => Identity;
  readonly settings: GrpcTransportSettings;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly counters: TransportCounters;
  readonly traffic: PeerTraffic;
}

/** Why a stream is not, or no longer, open. */
export interface StreamFailure {
  readonly reason: string;
  /** The peer's, if it wants nothing of this node. */
  readonly refusal?: Refusal;
  /** Whether the peer said that it stops: nothing is wrong then. */
  readonly isFarewell?: boolean;
}

/** What happens to a stream, for the owner of both streams to a peer. None is called from inside {@link PeerStream.send}, but for the two questions. */
export interface PeerStreamEvents {
  /** Before an attempt: "later" makes messages wait for {@link PeerStream.connectNow}, "no" drops them. */
  mayConnect(): "now" | "later" | "no";
  opened(): void;
  /** Messages were lost: an attempt failed, or an open stream ended. */
  failed(failure: StreamFailure): void;
  /** A message of the group was dropped: the peer is left alone, or the queue is full. */
  dropped(groupId: GroupId, why: "unreachable" | "full"): void;
  /** The queue has room again. */
  emptied(): void;
}

/** How long a connection that is being closed may take to send what it has. */
const LINGER_MS = 500;

/** One stream to one peer (C1 to C3, C5). */
export class PeerStream {
  readonly kind: StreamKind;
  readonly #context: PeerContext;
  readonly #events: PeerStreamEvents;
  readonly #queue: SendQueue;
  readonly #offered: Compression | undefined;
  #state: StreamState = { kind: "disconnected" };
  /** Failed attempts since the stream was open. */
  #failures = 0;
  #isFlushDue = false;

  constructor(kind: StreamKind, context: PeerContext, events: PeerStreamEvents) {
    const { settings } = context;
    this.kind = kind;
    this.#context = context;
    this.#events = events;
    const maxBytes = kind === "control" ? settings.maxQueuedControlBytes : settings.maxQueuedBytes;
    this.#queue = new SendQueue(settings.maxQueuedMessages, maxBytes);
    this.#offered = settings.compression === "off" ? undefined : compressionNamed(settings.compression);
  }

  get state(): ConnectionState {
    return this.#state.kind;
  }

  /** Whether messages were lost since the stream was last open. */
  get isFailing(): boolean {
    return this.#failures > 0 || this.#state.kind === "refused";
  }

  /** Whether no attempt is under way and the stream is not open, but may be. */
  get isIdle(): boolean {
    const { kind } = this.#state;
    return kind === "disconnected" || kind === "waiting" || kind === "backoff" || kind === "refused";
  }

  /** Whether the peer is to be left alone still. */
  isLeftAlone(): boolean {
    const state = this.#state;
    if (state.kind === "closed") return true;
    return (state.kind === "backoff" || state.kind === "refused") && this.#context.clock.monotonicMs() < state.untilMs;
  }

  /** Best effort; never throws. */
  send(groupId: GroupId, message: Message): void {
    const state = this.#state;
    switch (state.kind) {
      case "open":
        if (this.#enqueue(groupId, message)) this.#flushSoon();
        return;
      case "waiting":
      case "connecting":
      case "handshaking":
        this.#enqueue(groupId, message);
        return;
      case "backoff":
      case "refused":
        if (this.#context.clock.monotonicMs() < state.untilMs) this.#drop(groupId, message, "unreachable");
        else this.#begin(groupId, message);
        return;
      case "disconnected":
        this.#begin(groupId, message);
        return;
      case "closed":
        this.#count(message);
    }
  }

  /** Makes an attempt at once unless one is under way, the stream is open, or the peer is left alone. */
  connectNow(): void {
    if (this.isIdle && !this.isLeftAlone()) this.#connect();
  }

  /** What waited for the other stream waits in vain. */
  giveUpWaiting(): void {
    if (this.#state.kind !== "waiting") return;
    this.#state = { kind: "disconnected" };
    this.#dropQueue();
  }

  /** The peer is there after all: the next message need not wait. */
  peerAppeared(): void {
    if (this.#state.kind === "backoff") this.#state = { kind: "disconnected" };
  }

  /**
   * Closes the stream, for good: what is queued still goes out where it is open. Resolves when it is closed, at the latest
   * after {@link LINGER_MS}. Idempotent.
   */
  async close(): Promise<void> {
    const state = this.#state;
    this.#flush();
    this.#state = { kind: "closed" };
    this.#dropQueue();
    if (state.kind === "open") await state.stream.finish(LINGER_MS);
    else if ("stream" in state) state.stream.close();
  }

  stats(): StreamStats {
    const traffic = this.#context.traffic[this.kind];
    return {
      state: this.#state.kind,
      queuedMessages: this.#queue.length,
      queuedBytes: this.#queue.bytes,
      bufferedBytes: "stream" in this.#state ? this.#state.stream.bufferedBytes : 0,
      opened: traffic.opened,
      reconnects: Math.max(0, traffic.opened - 1),
      lost: traffic.lost,
      framesSent: traffic.framesSent,
      bytesSent: traffic.bytesSent,
      framesCompressed: traffic.framesCompressed,
      bytesBeforeCompression: traffic.bytesBeforeCompression,
      bytesAfterCompression: traffic.bytesAfterCompression,
    };
  }

  #begin(groupId: GroupId, message: Message): void {
    const permission = this.#events.mayConnect();
    if (permission === "no") {
      this.#drop(groupId, message, "unreachable");
      return;
    }
    if (!this.#enqueue(groupId, message)) return;
    if (permission === "now") this.#connect();
    else this.#state = { kind: "waiting" };
  }

  #enqueue(groupId: GroupId, message: Message): boolean {
    const { logger, settings, peer } = this.#context;
    let size: number;
    try {
      size = messageSize(message);
    } catch (error) {
      this.#count(message);
      logger.error({ peer, groupId, type: message.type, err: error }, "a message has no bytes and was dropped");
      return false;
    }
    const maxFrameBytes = this.#state.kind === "open" ? this.#state.maxFrameBytes : settings.maxFrameBytes;
    const maxBytes = maxFrameBytes - MAX_BYTES_AROUND_MESSAGE;
    if (size > maxBytes) {
      this.#count(message, size);
      logger.error(
        { peer, groupId, type: message.type, bytes: size, maxFrameBytes: maxBytes },
        "a message is larger than a frame may be and was dropped; raise maxFrameBytes or lower maxMessageBytes",
      );
      return false;
    }
    if (this.#queue.push(groupId, message, size)) return true;
    this.#count(message, size);
    this.#events.dropped(groupId, "full");
    return false;
  }

  #connect(): void {
    const { peer, self, settings, clock, target, traffic } = this.#context;
    const stream = new ExchangeStream({
      ...target(),
      hello: helloTo(peer, self(), this.kind),
      encoding: this.#offered?.name,
      settings,
      clock,
      events: {
        connected: () => {
          this.#state = { kind: "handshaking", stream };
        },
        accepted: (answer) => this.#opened(stream, answer),
        refused: (refusal) => this.#refused(refusal),
        ended: (reason) => this.#lost({ reason }),
        drained: () => this.#flush(),
        roundTrip: (ms) => {
          // Behind appends a ping measures their queue.
          if (this.kind === "control") traffic.measured(ms);
        },
      },
    });
    this.#state = { kind: "connecting", stream };
  }

  #opened(stream: ExchangeStream, answer: Accepted): void {
    const { settings, counters, traffic } = this.#context;
    const maxFrameBytes = Math.min(settings.maxFrameBytes, answer.maxFrameBytes || settings.maxFrameBytes);
    const isAgreed = this.#offered !== undefined && answer.features.includes(this.#offered.feature);
    this.#state = { kind: "open", stream, maxFrameBytes, compression: isAgreed ? this.#offered : undefined };
    counters.connectionsOpened += 1;
    traffic[this.kind].opened += 1;
    this.#failures = 0;
    this.#flush();
    this.#events.opened();
  }

  #refused(refusal: Refusal): void {
    const { clock, settings, traffic } = this.#context;
    const reason = reasonOf(refusal);
    // A peer that stops is gone, and one that has a later stream is there: neither is in disagreement.
    if (reason === "SHUTTING_DOWN" || reason === "SUPERSEDED") {
      const isFarewell = reason === "SHUTTING_DOWN";
      const text = isFarewell ? "the peer is shutting down" : "the peer has too many streams of this node";
      this.#lost({ reason: text, isFarewell });
      return;
    }
    this.#state = { kind: "refused", untilMs: clock.monotonicMs() + settings.refusedBackoffMs, reason };
    traffic[this.kind].lost += 1;
    this.#dropQueue();
    this.#events.failed({ reason: refusal.message, refusal });
  }

  #lost(failure: StreamFailure): void {
    const { clock, rng, settings, counters, traffic } = this.#context;
    this.#failures += 1;
    counters.connectionsLost += 1;
    traffic[this.kind].lost += 1;
    const untilMs = clock.monotonicMs() + backoffMs(this.#failures, settings, rng);
    this.#state = { kind: "backoff", untilMs, failures: this.#failures };
    this.#dropQueue();
    this.#events.failed(failure);
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#context.clock.soon(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushDue = false;
    const state = this.#state;
    if (state.kind !== "open") return;
    const { counters, settings, traffic } = this.#context;
    const targetBytes = Math.min(settings.frameTargetBytes, state.maxFrameBytes);
    while (this.#queue.length > 0 && !state.stream.isFull()) {
      const { frame: plain, messages } = this.#queue.takeFrame(targetBytes, traffic.sent);
      const frame =
        state.compression !== undefined && plain.length >= settings.compressMinBytes
          ? this.#compressed(plain, state.compression)
          : plain;
      counters.framesSent += 1;
      counters.messagesSent += messages;
      counters.bytesSent += frame.length;
      traffic[this.kind].framesSent += 1;
      traffic[this.kind].bytesSent += frame.length;
      state.stream.write(frame);
    }
    if (this.#queue.length === 0) this.#events.emptied();
  }

  #compressed(frame: Buffer, compression: Compression): Buffer {
    const compressed = compressFrame(frame, compression);
    if (compressed !== frame) {
      const traffic = this.#context.traffic[this.kind];
      traffic.framesCompressed += 1;
      traffic.bytesBeforeCompression += frame.length;
      traffic.bytesAfterCompression += compressed.length;
    }
    return compressed;
  }

  #drop(groupId: GroupId, message: Message, why: "unreachable" | "full"): void {
    this.#count(message);
    this.#events.dropped(groupId, why);
  }

  /** Its bytes are 0 where they were not measured: a message to a dead peer must cost nothing. */
  #count(message: Message, bytes = 0): void {
    this.#context.counters.messagesDropped += 1;
    this.#context.traffic.dropped.add(message.type, bytes);
  }

  #dropQueue(): void {
    this.#context.counters.messagesDropped += this.#queue.length;
    this.#queue.clear(this.#context.traffic.dropped);
    this.#events.emptied();
  }
}
