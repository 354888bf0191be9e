/**
 * One outgoing Exchange stream on a connection of its own: connects, says hello, then writes frames. It lives once; what to do
 * after its end is the business of {@link PeerStream}.
 *
 * Invariants:
 * X1. Exactly one of `refused` and `ended` is called, once, and nothing after it.
 * X2. No frame is written before `accepted`.
 */
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Cancel, Clock } from "@raftoral/raft-core";
import { formatAddress, type HostPort } from "../address.ts";
import {
  type Accepted,
  ExchangeRequestSchema,
  ExchangeResponseSchema,
  type Hello,
  type Refusal,
} from "../gen/raftoral/v1/peer_pb.ts";
import type { GrpcTransportSettings } from "../options.ts";
import { failureText } from "../security/tls-failure.ts";
import { FrameReader, frameOf } from "../wire/grpc-framing.ts";
import { beginCall, callFailure, connectSession, EXCHANGE_PATH, trailerFailure } from "../wire/h2.ts";
import { acceptanceFailure } from "../wire/hello.ts";
import { Keepalive } from "../wire/keepalive.ts";

/** Answers are a few dozen bytes; more is not an answer. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Bytes handed to the stream and not yet sent, above which the caller waits for `drained`. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** What an {@link ExchangeStream} reports. */
export interface ExchangeEvents {
  /** The connection stands; the peer has yet to answer the hello. */
  connected(): void;
  accepted(answer: Accepted): void;
  refused(refusal: Refusal): void;
  /** The connection failed, was closed by the peer, or went silent. */
  ended(reason: string): void;
  /** After {@link ExchangeStream.isFull}: there is room again. */
  drained(): void;
  /** A ping was answered. */
  roundTrip(ms: number): void;
}

/** One attempt to reach a peer, and the stream if the peer accepts it (X1, X2). */
export class ExchangeStream {
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #hello: Hello;
  readonly #events: ExchangeEvents;
  readonly #settings: GrpcTransportSettings;
  readonly #clock: Clock;
  #timer: Cancel;
  #keepalive: Keepalive | undefined;
  #isOver = false;

  constructor(options: {
    readonly address: HostPort;
    /** Where this side knows the peer. */
    readonly knownAddress: HostPort;
    readonly hello: Hello;
    /** What compressed frames will be compressed with, if any are sent. */
    readonly encoding: string | undefined;
    readonly settings: GrpcTransportSettings;
    readonly clock: Clock;
    readonly events: ExchangeEvents;
  }) {
    const { address, knownAddress, hello, encoding, settings, clock, events } = options;
    this.#hello = hello;
    this.#events = events;
    this.#settings = settings;
    this.#clock = clock;
    this.#timer = clock.after(settings.connectTimeoutMs, () =>
      this.#end(`no answer to the hello within ${settings.connectTimeoutMs} ms`),
    );
    const expected = { nodeId: Number(hello.toNodeId), knownAddress };
    this.#session = connectSession(address, settings.security, expected);
    this.#session.on("connect", () => {
      if (!this.#isOver) events.connected();
    });
    this.#session.on("error", (error) => this.#end(failureText(error, formatAddress(address))));
    this.#session.on("close", () => this.#end("the connection was closed"));
    this.#stream = beginCall(this.#session, { address, path: EXCHANGE_PATH, encoding });
    this.#stream.write(frameOf(toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, { hello }))));
    this.#stream.on("response", (headers) => this.#endIf(callFailure(headers)));
    this.#stream.on("trailers", (trailers) => this.#endIf(trailerFailure(trailers)));
    this.#stream.on("error", (error) => this.#end(failureText(error, formatAddress(address))));
    this.#stream.on("end", () => this.#end("the peer ended the stream"));
    this.#stream.on("close", () => this.#end("the stream was closed"));
    this.#stream.on("drain", () => {
      if (!this.#isOver) events.drained();
    });
    const answers = new FrameReader(MAX_ANSWER_BYTES);
    this.#stream.on("data", (piece: Buffer) => {
      try {
        answers.push(piece, (answer) => this.#answered(answer));
      } catch (error) {
        this.#end(`an answer is not what it should be: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
  }

  /** Whether the caller should hold back until `drained`. */
  isFull(): boolean {
    return this.#stream.writableLength > MAX_BUFFERED_BYTES;
  }

  /** Bytes that were written and that the network has not taken. */
  get bufferedBytes(): number {
    return this.#stream.writableLength;
  }

  /** Takes ownership of `frame`. */
  write(frame: Uint8Array): void {
    this.#stream.write(frame);
  }

  /** Cuts it off, without an event. */
  close(): void {
    this.#isOver = true;
    this.#timer();
    this.#keepalive?.stop();
    this.#session.destroy();
  }

  /** Sends what was written, then ends it, without an event. Cuts it off after `lingerMs`. */
  async finish(lingerMs: number): Promise<void> {
    this.#isOver = true;
    this.#timer();
    this.#keepalive?.stop();
    if (this.#session.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#timer = this.#clock.after(lingerMs, resolve);
      this.#session.on("close", resolve);
      this.#stream.end();
      this.#session.close();
    });
    this.close();
  }

  #answered(bytes: Uint8Array): void {
    if (this.#isOver) return;
    const { answer } = fromBinary(ExchangeResponseSchema, bytes);
    if (answer.case === "accepted") this.#accepted(answer.value);
    else if (answer.case === "refusal") {
      this.close();
      this.#events.refused(answer.value);
    }
  }

  #accepted(answer: Accepted): void {
    const failure = this.#keepalive === undefined ? acceptanceFailure(this.#hello, answer) : "a second answer";
    if (failure !== undefined) {
      this.#end(`the answer to the hello makes no sense: ${failure}`);
      return;
    }
    this.#timer();
    this.#keepalive = new Keepalive({
      session: this.#session,
      clock: this.#clock,
      intervalMs: this.#settings.keepaliveIntervalMs,
      misses: this.#settings.keepaliveMisses,
      roundTrip: (ms) => this.#events.roundTrip(ms),
      dead: (reason) => this.#end(reason),
    });
    this.#events.accepted(answer);
  }

  #endIf(failure: string | undefined): void {
    if (failure !== undefined) this.#end(failure);
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.close();
    this.#events.ended(reason);
  }
}
