/**
 * The receiving end of an Exchange stream: hello first, then frames, handed to the node's groups.
 *
 * Invariants:
 * R1. Nothing reaches a group before the hello was accepted.
 * R2. Whatever bytes come, the worst that happens is a refusal and the end of this stream; it is counted, and logged once per
 *     peer and reason.
 */
import type { ServerHttp2Stream } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type NodeId, RaftError, TransportError } from "@raftoral/raft-core";
import {
  type Accepted,
  AcceptedSchema,
  ExchangeRequestSchema,
  ExchangeResponseSchema,
  type Hello,
  type Refusal,
} from "../gen/raftoral/v1/peer_pb.ts";
import type { LocalPeer } from "../local-peer.ts";
import { decodeBatches } from "../wire/batch-codec.ts";
import { FrameReader, frameOf } from "../wire/grpc-framing.ts";
import { GRPC_FAILED_PRECONDITION, GRPC_INVALID_ARGUMENT, GRPC_UNAVAILABLE, GrpcAnswer } from "../wire/h2.ts";
import { checkHello, isRefusal, type RefusalReason, reasonOf, refusal } from "../wire/hello.ts";
import type { RefusalLog } from "./refusal-log.ts";

export interface InboundStream {
  /** Tells the peer that this node stops, and ends the stream. */
  shutDown(): void;
}

export function handleExchange(stream: ServerHttp2Stream, local: LocalPeer, refusals: RefusalLog): InboundStream {
  const { settings, counters } = local;
  const answer = new GrpcAnswer(stream);
  const reader = new FrameReader(settings.maxFrameBytes);
  let from: NodeId | undefined;
  let isOver = false;

  const stopHelloTimer = local.clock.after(settings.connectTimeoutMs, () => {
    refuse(refusal("PROTOCOL_VIOLATION", `no hello within ${settings.connectTimeoutMs} ms`));
  });

  const refuse = (refused: Refusal) => {
    if (isOver) return;
    isOver = true;
    stopHelloTimer();
    const reason = reasonOf(refused);
    if (reason !== "SHUTTING_DOWN") {
      counters.framesRejected += 1;
      refusals.report({ peer: from, remote: stream.session?.socket?.remoteAddress, reason, message: refused.message });
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

  const onHello = (hello: Hello | undefined) => {
    if (hello === undefined) {
      refuse(refusal("PROTOCOL_VIOLATION", "the first frame is no hello"));
      return;
    }
    const outcome = checkHello(hello, local.identity(), (peer) => local.lastIncarnation(peer));
    if (isRefusal(outcome)) {
      refuse(outcome);
      return;
    }
    stopHelloTimer();
    from = outcome.from;
    answer.write(acceptanceFrame(local, outcome.formatVersion));
    refusals.forget(outcome.from);
    local.peerAppeared(outcome);
  };

  const onFrame = (frame: Uint8Array) => {
    if (isOver) return;
    if (from === undefined) {
      onHello(decodeHello(frame));
      return;
    }
    const peer = from;
    counters.framesReceived += 1;
    counters.bytesReceived += frame.length;
    decodeBatches(frame, (groupId, messages) => local.receive(peer, groupId, messages));
  };

  stream.on("data", (piece: Buffer) => {
    if (isOver) return;
    try {
      reader.push(piece, onFrame);
    } catch (error) {
      const reason = violation(error);
      if (reason === undefined) throw error;
      refuse(refusal(reason, (error as Error).message));
    }
  });
  stream.on("end", () => {
    isOver = true;
    stopHelloTimer();
    answer.end(0);
  });
  // The peer, or the connection, went away; its own side reconnects.
  stream.on("error", () => {});
  stream.on("close", () => {
    isOver = true;
    stopHelloTimer();
  });
  return { shutDown: () => refuse(refusal("SHUTTING_DOWN", `node ${local.nodeId} is shutting down`)) };
}

/** What to answer to bytes that could not be read; undefined for an error that is not about bytes, and must not be hidden. */
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
    throw new TransportError("TRANSPORT_FRAME_INVALID", "the first frame is not protobuf", { cause });
  }
}

function grpcStatus(reason: RefusalReason | "UNKNOWN"): number {
  if (reason === "SHUTTING_DOWN") return GRPC_UNAVAILABLE;
  return reason === "PROTOCOL_VIOLATION" || reason === "FRAME_TOO_LARGE"
    ? GRPC_INVALID_ARGUMENT
    : GRPC_FAILED_PRECONDITION;
}

function acceptanceFrame(local: LocalPeer, formatVersion: number): Buffer {
  const value: Accepted = create(AcceptedSchema, {
    formatVersion,
    incarnation: BigInt(local.settings.incarnation),
    maxFrameBytes: local.settings.maxFrameBytes,
  });
  return frameOf(
    toBinary(ExchangeResponseSchema, create(ExchangeResponseSchema, { answer: { case: "accepted", value } })),
  );
}
