/**
 * The receiving end of SendSnapshot: checks who sends what, then hands the chunks to the group as it reads them.
 *
 * Invariants:
 * S1. A chunk reaches the group only if its offset and checksum are right; the content ends only where its end record says so,
 *     with the right length and checksum. Everything else is an error to the group and a refusal to the sender.
 * S2. Memory held is one chunk and the stream's window: the next chunk is read when the group asks for it.
 */
import type { ServerHttp2Stream } from "node:http2";
import { crc32 } from "node:zlib";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { decodePeerMessage, type Message, RaftoralError, TransportError } from "@raftoral/raft-core";
import {
  type Refusal,
  type SendSnapshotRequest,
  SendSnapshotRequestSchema,
  SendSnapshotResponseSchema,
  type SnapshotBegin,
  SnapshotStoredSchema,
} from "../gen/raftoral/v1/peer_pb.ts";
import type { LocalPeer } from "../local-peer.ts";
import { FrameReader, frameOf } from "../wire/grpc-framing.ts";
import { GRPC_OK, GrpcAnswer } from "../wire/h2.ts";
import { checkHello, isRefusal, reasonOf, refusal } from "../wire/hello.ts";
import type { RefusalLog } from "./refusal-log.ts";

/** What was sent is not a snapshot; `refused` goes back to the sender. */
class SnapshotRefused extends TransportError {
  readonly refused: Refusal;
  constructor(refused: Refusal) {
    super("TRANSPORT_FRAME_INVALID", refused.message, { details: { reason: reasonOf(refused) } });
    this.refused = refused;
  }
}

/** Reads, hands over and answers. Never rejects. */
export async function handleSnapshot(stream: ServerHttp2Stream, local: LocalPeer, refusals: RefusalLog): Promise<void> {
  const { counters, settings } = local;
  const answer = new GrpcAnswer(stream);
  stream.on("error", () => {});
  stream.setTimeout(settings.snapshotIdleTimeoutMs, () => stream.close());
  const parts = readParts(stream, settings.maxFrameBytes);
  let outcome: MessageInitShape<typeof SendSnapshotResponseSchema>["outcome"];
  try {
    const totalBytes = await receive(parts, local);
    counters.snapshotsReceived += 1;
    outcome = { case: "stored", value: create(SnapshotStoredSchema, { totalBytes: BigInt(totalBytes) }) };
  } catch (error) {
    const refused = asRefusal(error);
    counters.snapshotsFailed += 1;
    const remote = stream.session?.socket?.remoteAddress;
    refusals.report({ peer: undefined, remote, reason: reasonOf(refused), message: refused.message });
    outcome = { case: "refusal", value: refused };
  }
  if (stream.destroyed) return;
  const response = create(SendSnapshotResponseSchema, outcome === undefined ? {} : { outcome });
  answer.write(frameOf(toBinary(SendSnapshotResponseSchema, response)));
  answer.end(GRPC_OK);
  // The sender closes once it has read the answer. What it still sends is thrown away, and not for long.
  stream.resume();
  const stop = local.clock.after(settings.connectTimeoutMs, () => stream.close());
  stream.once("close", stop);
}

/** Bytes of the content that the group has stored. */
async function receive(parts: AsyncGenerator<SendSnapshotRequest>, local: LocalPeer): Promise<number> {
  const first = await parts.next();
  const begin = first.done === true ? undefined : first.value.part;
  if (begin?.case !== "begin") throw violation("a snapshot begins with a begin record");
  const message = announcement(begin.value, local);
  const groupId = Number(begin.value.groupId);
  const receiver = local.receiver(groupId);
  if (receiver === undefined) {
    throw new SnapshotRefused(refusal("GROUP_UNKNOWN", `node ${local.nodeId} has no group ${groupId} open`));
  }
  const progress = { bytes: 0 };
  await receiver.receiveSnapshot(message, checkedContent(parts, progress));
  return progress.bytes;
}

function announcement({ hello, message: bytes }: SnapshotBegin, local: LocalPeer): Message {
  if (hello === undefined) throw violation("a snapshot begins with a hello");
  const accepted = checkHello(hello, local.identity(), (peer) => local.lastIncarnation(peer));
  if (isRefusal(accepted)) throw new SnapshotRefused(accepted);
  const message = decodeAnnouncement(bytes);
  if (message.type !== "MsgSnap" || message.from !== accepted.from || message.to !== local.nodeId) {
    throw violation(
      `a ${message.type} from ${message.from} to ${message.to} does not announce a snapshot of this stream`,
    );
  }
  local.peerAppeared(accepted);
  return message;
}

function decodeAnnouncement(bytes: Uint8Array): Message {
  try {
    return decodePeerMessage(bytes);
  } catch (error) {
    throw violation(error instanceof Error ? error.message : String(error));
  }
}

async function* checkedContent(
  parts: AsyncGenerator<SendSnapshotRequest>,
  progress: { bytes: number },
): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const { part } of parts) {
    if (part.case === "data") {
      const { offset, data, crc32: expected } = part.value;
      if (offset !== BigInt(progress.bytes)) {
        throw corrupt(`a chunk is for offset ${offset}, but ${progress.bytes} bytes came before it`);
      }
      if (crc32(data) !== expected) throw corrupt(`the chunk at offset ${offset} has another checksum than was sent`);
      total = crc32(data, total);
      progress.bytes += data.length;
      if (data.length > 0) yield data;
    } else if (part.case === "end") {
      const { totalBytes, crc32: expected } = part.value;
      if (totalBytes !== BigInt(progress.bytes)) throw corrupt(`${progress.bytes} of ${totalBytes} bytes arrived`);
      if (expected !== total) throw corrupt("the content has another checksum than was sent");
      return;
    } else {
      throw violation(`a snapshot has a part "${part.case ?? "unknown"}" in the middle`);
    }
  }
  throw corrupt(`the stream ended after ${progress.bytes} bytes without an end record`);
}

/** The call's messages, read only as fast as they are asked for. */
async function* readParts(stream: ServerHttp2Stream, maxBytes: number): AsyncGenerator<SendSnapshotRequest> {
  const reader = new FrameReader(maxBytes);
  const frames: Uint8Array[] = [];
  // The stream is not destroyed when reading stops early: the answer still has to go out on it.
  for await (const piece of stream.iterator({ destroyOnReturn: false })) {
    reader.push(piece as Buffer, (frame) => frames.push(frame));
    for (const frame of frames.splice(0)) yield decodePart(frame);
  }
  if (!reader.isBetweenMessages()) throw violation("the stream ended in the middle of a frame");
}

function decodePart(frame: Uint8Array): SendSnapshotRequest {
  try {
    return fromBinary(SendSnapshotRequestSchema, frame);
  } catch {
    throw violation("a frame is not protobuf");
  }
}

function violation(message: string): SnapshotRefused {
  return new SnapshotRefused(refusal("PROTOCOL_VIOLATION", message));
}

function corrupt(message: string): SnapshotRefused {
  return new SnapshotRefused(refusal("SNAPSHOT_CORRUPT", message));
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof SnapshotRefused) return error.refused;
  if (error instanceof TransportError && error.code === "TRANSPORT_FRAME_TOO_LARGE") {
    return refusal("FRAME_TOO_LARGE", error.message);
  }
  if (error instanceof TransportError && error.code === "TRANSPORT_FRAME_INVALID") {
    return refusal("PROTOCOL_VIOLATION", error.message);
  }
  const message = error instanceof Error ? error.message : String(error);
  return refusal("SNAPSHOT_REJECTED", message, error instanceof RaftoralError ? error.code : "");
}
