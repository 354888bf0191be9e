/**
 * The receiving end of an Exchange stream: hello first, then frames, handed to the node's groups.
 *
 * Nothing waits here: a frame is decoded and stepped into its groups in the turn of the event loop in which its last byte came.
 * So what a stream holds is at most one frame that is not yet whole and the window of HTTP/2; behind that the sender waits, and
 * drops. What groups have accepted and not yet written is bounded by Raft's own windows (`maxInflightMessages`).
 *
 * Invariants:
 * R1. Nothing reaches a group before the hello was accepted.
 * R2. Whatever bytes come, the worst that happens is a refusal and the end of this stream; it is counted, and logged once per
 *     peer and reason.
 *     A fault of this side while it handles a frame ends the stream too, and is logged as an error.
 * R3. A peer that falls silent without closing is noticed here as well as there: its connection is cut.
 */
import type { ServerHttp2Stream } from "node:http2";
import http2 from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { RaftError, TransportError } from "@raftoral/raft-core";
import {
  type Accepted,
  AcceptedSchema,
  ExchangeRequestSchema,
  ExchangeResponseSchema,
  type Hello,
  type Refusal,
} from "../gen/raftoral/v1/peer_pb.ts";
import type { LocalPeer } from "../local-peer.ts";
import type { PeerTraffic } from "../peer-stats.ts";
import type { Caller } from "../security/caller.ts";
import { decodeBatches } from "../wire/batch-codec.ts";
import { compressionNamed } from "../wire/compression.ts";
import { FrameReader, frameOf, PREFIX_BYTES } from "../wire/grpc-framing.ts";
import {
  GRPC_FAILED_PRECONDITION,
  GRPC_INVALID_ARGUMENT,
  GRPC_OK,
  GRPC_UNAVAILABLE,
  GrpcAnswer,
  remoteOf,
} from "../wire/h2.ts";
import { type AcceptedHello, isRefusal, type RefusalReason, reasonOf, refusal } from "../wire/hello.ts";
import { Keepalive } from "../wire/keepalive.ts";
import { impostor } from "./impostor.ts";
import type { AcceptedStream } from "./inbound-streams.ts";
import type { RefusalLog } from "./refusal-log.ts";

/** A hello is some hundred bytes. Strangers must not make this node hold more than that for the time that it waits for one. */
const MAX_HELLO_BYTES = 16 * 1024;

/** An Exchange stream that a peer has opened. */
export interface InboundStream {
  /** Tells the peer that this node stops, and ends the stream. */
  shutDown(): void;
}

/** A call as it comes from the port. */
export interface InboundCall {
  readonly stream: ServerHttp2Stream;
  readonly caller: Caller;
  /** The call's `grpc-encoding`, whatever it says. */
  readonly encoding: string | undefined;
}

/** Serves one Exchange stream (R1 to R3). Gives the way to end it when the server stops. */
export function handleExchange(call: InboundCall, local: LocalPeer, refusals: RefusalLog): InboundStream {
  const { stream } = call;
  const { settings, counters } = local;
  const answer = new GrpcAnswer(stream);
  const reader = new FrameReader(Math.min(MAX_HELLO_BYTES, settings.maxFrameBytes));
  let accepted: AcceptedStream | undefined;
  let traffic: PeerTraffic | undefined;
  let keepalive: Keepalive | undefined;
  let isOver = false;

  const stopHelloTimer = local.clock.after(settings.connectTimeoutMs, () => {
    refuse(refusal("PROTOCOL_VIOLATION", `no hello within ${settings.connectTimeoutMs} ms`));
  });

  /** Nothing that comes from now on is read. */
  const finish = () => {
    isOver = true;
    stopHelloTimer();
    keepalive?.stop();
    if (accepted !== undefined) local.inbound.delete(accepted);
  };

  const refuse = (refused: Refusal) => {
    if (isOver) return;
    finish();
    const reason = reasonOf(refused);
    if (reason !== "SHUTTING_DOWN") {
      counters.framesRejected += 1;
      const remote = remoteOf(stream);
      refusals.report({ peer: accepted?.from, remote, reason, message: refused.message });
    }
    answer.write(
      frameOf(
        toBinary(
          ExchangeResponseSchema,
          create(ExchangeResponseSchema, { answer: { case: "refusal", value: refused } }),
        ),
      ),
    );
    answer.end(grpcStatus(reason), refused.message);
    // The caller closes once it has read the refusal. What it still sends is thrown away, and not for long.
    stream.resume();
    const stop = local.clock.after(settings.connectTimeoutMs, () => stream.close());
    stream.once("close", stop);
  };

  /** A fault of this side: the peer may try again, and the owner has to hear of it. */
  const fail = (error: unknown) => {
    finish();
    local.logger.error({ peer: accepted?.from, err: error }, "a peer's frame could not be handled; its stream ends");
    stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  };

  const onHello = (hello: Hello | undefined) => {
    if (hello === undefined) {
      refuse(refusal("PROTOCOL_VIOLATION", "the first frame is no hello"));
      return;
    }
    const outcome = local.judge(hello);
    if (isRefusal(outcome)) {
      refuse(outcome);
      return;
    }
    const foreign = impostor(call.caller, outcome, local);
    if (foreign !== undefined) {
      refuse(foreign);
      return;
    }
    stopHelloTimer();
    const { from, kind, incarnation } = outcome;
    reader.raiseBound(settings.maxFrameBytes);
    const compression = compressionNamed(call.encoding);
    if (compression !== undefined && outcome.features.includes(compression.feature))
      reader.acceptCompressed(compression);
    answer.write(acceptanceFrame(local, outcome));
    refusals.forget(from);
    traffic = local.peerAppeared(outcome);
    accepted = { from, kind, incarnation, refuse };
    local.inbound.add(accepted);
    keepalive = watch();
  };

  const watch = (): Keepalive | undefined => {
    const { session } = stream;
    if (session === undefined) return undefined;
    return new Keepalive({
      session,
      clock: local.clock,
      intervalMs: settings.keepaliveIntervalMs,
      misses: settings.keepaliveMisses,
      dead: (reason) => {
        if (traffic !== undefined) traffic.inboundLost += 1;
        local.logger.debug({ peer: accepted?.from, reason }, "a peer's connection fell silent and was cut");
        session.destroy();
      },
    });
  };

  const onFrame = (frame: Uint8Array) => {
    if (isOver) return;
    if (accepted === undefined || traffic === undefined) {
      onHello(decodeHello(frame));
      return;
    }
    const { from } = accepted;
    counters.framesReceived += 1;
    counters.bytesReceived += frame.length + PREFIX_BYTES;
    traffic.framesReceived += 1;
    decodeBatches(frame, traffic.received, (groupId, messages) => local.receive(from, groupId, messages));
  };

  stream.on("data", (piece: Buffer) => {
    if (isOver) return;
    if (traffic !== undefined) traffic.bytesReceived += piece.length;
    try {
      reader.push(piece, onFrame);
    } catch (error) {
      const reason = violation(error);
      if (reason === undefined) fail(error);
      else refuse(refusal(reason, (error as Error).message));
    }
  });
  stream.on("end", () => {
    if (!reader.isBetweenMessages()) {
      refuse(refusal("PROTOCOL_VIOLATION", "the stream ended in the middle of a frame"));
      return;
    }
    finish();
    answer.end(GRPC_OK);
  });
  // The peer, or the connection, went away; its own side reconnects.
  stream.on("close", finish);
  return { shutDown: () => refuse(refusal("SHUTTING_DOWN", `node ${local.nodeId} is shutting down`)) };
}

/** What to answer to bytes that could not be read; undefined for an error that is not about bytes. */
function violation(error: unknown): RefusalReason | undefined {
  if (error instanceof TransportError && error.code === "TRANSPORT_FRAME_TOO_LARGE") return "FRAME_TOO_LARGE";
  if (error instanceof TransportError && error.code === "TRANSPORT_FRAME_INVALID") return "PROTOCOL_VIOLATION";
  if (error instanceof RaftError && error.code === "CODEC_INVALID") return "PROTOCOL_VIOLATION";
  return undefined;
}

function decodeHello(frame: Uint8Array): Hello | undefined {
  try {
    return fromBinary(ExchangeRequestSchema, frame).hello;
  } catch (cause) {
    throw new TransportError(
      "TRANSPORT_FRAME_INVALID",
      "The first frame is not protobuf. Check that the caller is a Raftoral node.",
      { cause },
    );
  }
}

function grpcStatus(reason: RefusalReason | "UNKNOWN"): number {
  if (reason === "SHUTTING_DOWN") return GRPC_UNAVAILABLE;
  return reason === "PROTOCOL_VIOLATION" || reason === "FRAME_TOO_LARGE"
    ? GRPC_INVALID_ARGUMENT
    : GRPC_FAILED_PRECONDITION;
}

function acceptanceFrame(local: LocalPeer, { formatVersion, features }: AcceptedHello): Buffer {
  const value: Accepted = create(AcceptedSchema, {
    formatVersion,
    incarnation: BigInt(local.settings.incarnation),
    maxFrameBytes: local.settings.maxFrameBytes,
    features: [...features],
  });
  return frameOf(
    toBinary(ExchangeResponseSchema, create(ExchangeResponseSchema, { answer: { case: "accepted", value } })),
  );
}
