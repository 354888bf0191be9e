/** Exchange by hand, from either side: peers that say, and do, what a Raftoral node would not. */
import { once } from "node:events";
import http2, { type ClientHttp2Stream, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { NodeId } from "@raftoral/raft-core";
import {
  AcceptedSchema,
  ExchangeRequestSchema,
  type ExchangeResponse,
  ExchangeResponseSchema,
  type Hello,
  HelloSchema,
  RefusalSchema,
} from "../gen/raftoral/v1/peer_pb.ts";
import { FrameReader, frameOf } from "../wire/grpc-framing.ts";
import { EXCHANGE_PATH } from "../wire/h2.ts";
import { helloTo } from "../wire/hello.ts";

/** A hello of node `from` to node `to`, with some of it otherwise. */
export function helloFrame(from: NodeId, to: NodeId, changes: MessageInitShape<typeof HelloSchema> = {}): Buffer {
  const self = { clusterId: "default", nodeId: from, incarnation: 0, address: undefined };
  const hello = create(HelloSchema, { ...helloTo(to, self), ...changes });
  return frameOf(toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, { hello })));
}

/** A call to a node, and what it answers. */
export class RawCall {
  readonly stream: ClientHttp2Stream;
  readonly answers: ExchangeResponse[] = [];
  /** The gRPC status, once the node has ended the call. */
  readonly trailers: Promise<IncomingHttpHeaders>;
  readonly #session: http2.ClientHttp2Session;
  #wake: () => void = () => {};

  constructor(address: string, headers: Record<string, string> = {}) {
    this.#session = http2.connect(`http://${address}`);
    this.#session.on("error", () => {});
    this.stream = this.#session.request({
      ":method": "POST",
      ":path": EXCHANGE_PATH,
      "content-type": "application/grpc+proto",
      ...headers,
    });
    this.stream.on("error", () => {});
    const reader = new FrameReader(65_536);
    this.stream.on("data", (piece: Buffer) => {
      reader.push(piece, (bytes) => this.answers.push(fromBinary(ExchangeResponseSchema, bytes)));
      this.#wake();
    });
    this.stream.on("close", () => this.#wake());
    this.trailers = once(this.stream, "trailers").then(([trailers]) => trailers as IncomingHttpHeaders);
    this.trailers.catch(() => {});
  }

  write(...frames: readonly Buffer[]): void {
    for (const frame of frames) this.stream.write(frame);
  }

  /** The next answer that has not been taken. Rejects when the call ends without one. */
  async answer(): Promise<ExchangeResponse["answer"]> {
    while (this.answers.length === 0) {
      if (this.stream.closed) throw new Error("the call ended without an answer");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.answers.shift()?.answer ?? { case: undefined };
  }

  close(): void {
    this.#session.destroy();
  }
}

/** A stream that a node has opened to a {@link RawPeer}. */
export interface RawInbound {
  readonly hello: Hello;
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** Frames after the hello, prefix included in the first number: flags and content. */
  readonly frames: { readonly flags: number; readonly bytes: Buffer }[];
}

/** How a raw peer answers. */
export interface RawPeerOptions {
  /** What is answered to a hello; undefined for nothing ever. */
  readonly answer?: (hello: Hello) => MessageInitShape<typeof AcceptedSchema> | undefined;
  /** Refuses every hello so. */
  readonly refusal?: MessageInitShape<typeof RefusalSchema>;
  /** Called once per stream, after the hello. To stop reading, pause the stream. */
  readonly opened?: (inbound: RawInbound) => void;
}

/** A server in a peer's place. */
export class RawPeer {
  readonly streams: RawInbound[] = [];
  readonly #server = http2.createServer();
  readonly #sockets = new Set<Socket>();

  static async start(options: RawPeerOptions = {}): Promise<RawPeer> {
    const peer = new RawPeer(options);
    peer.#server.listen(0, "127.0.0.1");
    await once(peer.#server, "listening");
    return peer;
  }

  private constructor(options: RawPeerOptions) {
    this.#server.on("connection", (socket: Socket) => this.#sockets.add(socket));
    this.#server.on("sessionError", () => {});
    this.#server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on("error", () => {});
      stream.respond({ ":status": 200 });
      let held = Buffer.alloc(0);
      let inbound: RawInbound | undefined;
      stream.on("data", (piece: Buffer) => {
        held = Buffer.concat([held, piece]);
        while (held.length >= 5 && held.length >= 5 + held.readUInt32BE(1)) {
          const end = 5 + held.readUInt32BE(1);
          const bytes = held.subarray(5, end);
          if (inbound === undefined) inbound = this.#opened(stream, headers, bytes, options);
          else inbound.frames.push({ flags: held[0] ?? 0, bytes });
          held = held.subarray(end);
        }
      });
    });
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #opened(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    bytes: Buffer,
    { answer = () => ({ formatVersion: 1 }), refusal, opened }: RawPeerOptions,
  ): RawInbound {
    const hello = fromBinary(ExchangeRequestSchema, bytes).hello ?? create(HelloSchema);
    const inbound: RawInbound = { hello, stream, headers, frames: [] };
    this.streams.push(inbound);
    const accepted = answer(hello);
    const value =
      refusal !== undefined
        ? { case: "refusal" as const, value: create(RefusalSchema, refusal) }
        : accepted !== undefined
          ? { case: "accepted" as const, value: create(AcceptedSchema, accepted) }
          : undefined;
    if (value !== undefined) {
      const response = create(ExchangeResponseSchema, { answer: value });
      stream.write(frameOf(toBinary(ExchangeResponseSchema, response)));
    }
    opened?.(inbound);
    return inbound;
  }
}
