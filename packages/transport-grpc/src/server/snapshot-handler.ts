/**
 * The receiving end of SendSnapshot: checks who sends what, says where to go on, and feeds the group's receipt.
 *
 * Invariants:
 * H1. Nothing reaches a group before the hello was accepted and the announcement is for this node.
 * H2. Whatever bytes come, the worst that happens is a refusal and the end of this call; it is counted, and logged once.
 */
import type { ServerHttp2Stream } from "node:http2";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { decodePeerMessage, type Message } from "@raftoral/raft-core/transport";
import { SendSnapshotResponseSchema, type SnapshotBegin } from "../gen/raftoral/v1/peer_pb.ts";
import type { LocalPeer } from "../local-peer.ts";
import type { Caller } from "../security/caller.ts";
import { compressionNamed } from "../wire/compression.ts";
import { frameOf } from "../wire/grpc-framing.ts";
import { GRPC_OK, GRPC_UNAVAILABLE, GrpcAnswer, remoteOf } from "../wire/h2.ts";
import { type AcceptedHello, isRefusal, reasonOf } from "../wire/hello.ts";
import { impostor } from "./impostor.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { SnapshotParts } from "./snapshot-parts.ts";
import type { SnapshotOffer } from "./snapshot-receipt.ts";
import { asRefusal, SnapshotRefused, snapshotRefused } from "./snapshot-refused.ts";

type Outcome = MessageInitShape<typeof SendSnapshotResponseSchema>["outcome"];

/** Reads, hands over and answers. Never rejects. */
export async function handleSnapshot(
  stream: ServerHttp2Stream,
  local: LocalPeer,
  refusals: RefusalLog,
  caller: Caller,
): Promise<void> {
  const { counters, settings } = local;
  const answer = new GrpcAnswer(stream);
  stream.setTimeout(settings.snapshotIdleTimeoutMs, () => stream.close());
  const parts = new SnapshotParts(stream, settings.maxFrameBytes);
  try {
    const totalBytes = await receive(parts, local, caller, (outcome) => answer.write(frameOf(encoded(outcome))));
    // Cut: the sender comes again, or the receipt expires.
    if (totalBytes === undefined) {
      answer.end(GRPC_UNAVAILABLE, "the snapshot goes on where it was cut, on another call");
      return;
    }
    counters.snapshotsReceived += 1;
    answer.write(frameOf(encoded({ case: "stored", value: { totalBytes: BigInt(totalBytes) } })));
  } catch (error) {
    const refused = asRefusal(error);
    counters.snapshotsFailed += 1;
    const remote = remoteOf(stream);
    const reason = reasonOf(refused);
    if (reason === "SNAPSHOT_BUSY") counters.snapshotsPutOff += 1;
    else refusals.report({ peer: undefined, remote, reason, message: refused.message });
    answer.write(frameOf(encoded({ case: "refusal", value: refused })));
  } finally {
    parts.close();
  }
  if (stream.destroyed) return;
  answer.end(GRPC_OK);
  // The sender closes once it has read the answer. What it still sends is thrown away, and not for long.
  stream.resume();
  const stop = local.clock.after(settings.connectTimeoutMs, () => stream.close());
  stream.once("close", stop);
}

/** Who calls. Throws a refusal. */
export function acceptCaller(hello: SnapshotBegin["hello"], local: LocalPeer, caller: Caller): AcceptedHello {
  if (hello === undefined) throw snapshotRefused("PROTOCOL_VIOLATION", "a snapshot begins with a hello");
  const accepted = local.judge(hello);
  if (isRefusal(accepted)) throw new SnapshotRefused(accepted);
  const foreign = impostor(caller, accepted, local);
  if (foreign !== undefined) throw new SnapshotRefused(foreign);
  return accepted;
}

/** The message of an encoded MsgSnap. Throws a refusal. */
export function decodeAnnouncement(bytes: Uint8Array): Message {
  let message: Message;
  try {
    message = decodePeerMessage(bytes);
  } catch (error) {
    throw snapshotRefused("PROTOCOL_VIOLATION", error instanceof Error ? error.message : String(error));
  }
  if (message.type === "MsgSnap" && message.snapshot !== undefined && message.snapshot.data.length === 0)
    return message;
  throw snapshotRefused("PROTOCOL_VIOLATION", `a ${message.type} does not announce a snapshot`);
}

/** Bytes of the content that the group has stored; undefined when the connection was cut before the end. */
async function receive(
  parts: SnapshotParts,
  local: LocalPeer,
  caller: Caller,
  tell: (outcome: Outcome) => void,
): Promise<number | undefined> {
  const first = await parts.next();
  if (first?.case !== "begin") throw snapshotRefused("PROTOCOL_VIOLATION", "a snapshot begins with a begin record");
  const begin = first.value;
  const accepted = acceptCaller(begin.hello, local, caller);
  const offer = offered(begin);
  const { message, groupId } = offer;
  // The leader may have another member send for it, but never this one.
  if (message.to !== local.nodeId || message.from === local.nodeId) {
    throw snapshotRefused(
      "PROTOCOL_VIOLATION",
      `a ${message.type} from ${message.from} to ${message.to} does not announce a snapshot of this stream`,
    );
  }
  local.peerAppeared(accepted);
  const receiver = local.receiver(groupId);
  if (receiver === undefined) {
    throw snapshotRefused("GROUP_UNKNOWN", `node ${local.nodeId} has no group ${groupId} open`);
  }
  const receipt = await local.snapshots.receipts.open(offer, receiver);
  const compression = compressionNamed(begin.compression);
  const stored = receipt.serve(parts, compression);
  tell({ case: "proceed", value: { offset: BigInt(receipt.bytes), compression: compression?.name ?? "" } });
  return await stored;
}

function offered({ groupId, message: bytes, content }: SnapshotBegin): SnapshotOffer {
  const message = decodeAnnouncement(bytes);
  const totalBytes = content === undefined ? undefined : Number(content.totalBytes);
  if (totalBytes !== undefined && !Number.isSafeInteger(totalBytes)) {
    throw snapshotRefused("PROTOCOL_VIOLATION", `a snapshot of ${totalBytes} bytes is none`);
  }
  // The announcement is part of it: of a newer term it is another promise.
  const identity =
    content === undefined ? undefined : `${Buffer.from(bytes).toString("hex")}/${totalBytes}/${content.crc32}`;
  return { groupId: Number(groupId), message, identity, totalBytes };
}

function encoded(outcome: Outcome): Uint8Array {
  return toBinary(
    SendSnapshotResponseSchema,
    create(SendSnapshotResponseSchema, outcome === undefined ? {} : { outcome }),
  );
}
