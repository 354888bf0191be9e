/**
 * One outgoing Exchange stream on a connection of its own: connects, says hello, then writes frames. It lives once; what to do
 * after its end is the business of {@link PeerConnection}.
 *
 * Invariants:
 * X1. Exactly one of `refused` and `ended` is called, once, and nothing after it.
 * X2. No frame is written before `accepted`.
 */
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Cancel, Clock } from "@raftoral/raft-core";
import type { HostPort } from "../address.ts";
import {
  type Accepted,
  ExchangeRequestSchema,
  ExchangeResponseSchema,
  type Hello,
  type Refusal,
} from "../gen/raftoral/v1/peer_pb.ts";
import type { GrpcTransportSettings } from "../options.ts";
import { FrameReader, frameOf } from "../wire/grpc-framing.ts";
import { beginCall, callFailure, connectSession, EXCHANGE_PATH, trailerFailure } from "../wire/h2.ts";

/** Answers are a few dozen bytes; more is not an answer. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Bytes handed to the stream and not yet sent, above which the caller waits for `drained`. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

export interface ExchangeEvents {
  /** The connection stands; the peer has yet to answer the hello. */
  connected(): void;
  accepted(answer: Accepted): void;
  refused(refusal: Refusal): void;
  /** The connection failed, was closed by the peer, or went silent. */
  ended(reason: string): void;
  /** After {@link ExchangeStream.isFull}: there is room again. */
  drained(): void;
}

export class ExchangeStream {
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #events: ExchangeEvents;
  readonly #settings: GrpcTransportSettings;
  readonly #clock: Clock;
  #timer: Cancel;
  #unansweredPings = 0;
  #isOver = false;

  constructor(options: {
    readonly address: HostPort;
    readonly hello: Hello;
    readonly settings: GrpcTransportSettings;
    readonly clock: Clock;
    readonly events: ExchangeEvents;
  }) {
    const { address, hello, settings, clock, events } = options;
    this.#events = events;
    this.#settings = settings;
    this.#clock = clock;
    this.#timer = clock.after(settings.connectTimeoutMs, () =>
      this.#end(`no answer to the hello within ${settings.connectTimeoutMs} ms`),
    );
    this.#session = connectSession(address);
    this.#session.on("connect", () => {
      if (!this.#isOver) events.connected();
    });
    this.#session.on("error", (error) => this.#end(error.message));
    this.#session.on("close", () => this.#end("the connection was closed"));
    this.#stream = beginCall(this.#session, EXCHANGE_PATH);
    this.#stream.write(frameOf(toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, { hello }))));
    this.#stream.on("response", (headers) => this.#endIf(callFailure(headers)));
    this.#stream.on("trailers", (trailers) => this.#endIf(trailerFailure(trailers)));
    this.#stream.on("error", (error) => this.#end(error.message));
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

  /** Takes ownership of `frame`. */
  write(frame: Uint8Array): void {
    this.#stream.write(frame);
  }

  /** Cuts it off, without an event. */
  close(): void {
    this.#isOver = true;
    this.#timer();
    this.#session.destroy();
  }

  /** Sends what was written, then ends it, without an event. Cuts it off after `lingerMs`. */
  async finish(lingerMs: number): Promise<void> {
    this.#isOver = true;
    this.#timer();
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
    if (answer.case === "accepted") {
      this.#timer();
      this.#timer = this.#clock.every(this.#settings.keepaliveIntervalMs, () => this.#ping());
      this.#events.accepted(answer.value);
    } else if (answer.case === "refusal") {
      this.close();
      this.#events.refused(answer.value);
    }
  }

  /** Counts unanswered pings, not time: after a long block of this process's own event loop one ping is late, not four. */
  #ping(): void {
    if (this.#unansweredPings >= this.#settings.keepaliveMisses) {
      this.#end(`no answer to ${this.#unansweredPings} pings`);
      return;
    }
    this.#unansweredPings += 1;
    // An error is no answer: above ten outstanding pings Node sends none and calls back with one.
    this.#session.ping((error) => {
      if (error === null) this.#unansweredPings = 0;
    });
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
