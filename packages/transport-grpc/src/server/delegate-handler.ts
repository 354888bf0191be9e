/**
 * The receiving end of DelegateSnapshot: a leader wants this node to send its snapshot to another one.
 *
 * Invariants:
 * D1. Only a leader that speaks for itself is listened to: the message's sender is the caller.
 * D2. The caller hears something every few seconds, or takes this node for dead.
 * D3. A leader that goes away does not stop what is being sent: its receiver needs it all the same.
 */
import type { ServerHttp2Stream } from "node:http2";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type DelegateSnapshotRequest,
  DelegateSnapshotRequestSchema,
  DelegateSnapshotResponseSchema,
} from "../gen/raftoral/v1/peer_pb.ts";
import type { LocalPeer } from "../local-peer.ts";
import type { Caller } from "../security/caller.ts";
import { frameOf } from "../wire/grpc-framing.ts";
import { GRPC_OK, GrpcAnswer, remoteOf } from "../wire/h2.ts";
import { reasonOf } from "../wire/hello.ts";
import { readOneRequest } from "./one-request.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { acceptCaller, decodeAnnouncement } from "./snapshot-handler.ts";
import { asRefusal, snapshotRefused } from "./snapshot-refused.ts";

/** Signs of life until the caller's patience is over. */
const SIGNS_OF_LIFE = 6;

type Outcome = MessageInitShape<typeof DelegateSnapshotResponseSchema>["outcome"];

/** Reads, has it sent, and answers. Never rejects. */
export async function handleDelegation(
  stream: ServerHttp2Stream,
  local: LocalPeer,
  refusals: RefusalLog,
  caller: Caller,
): Promise<void> {
  const { counters, settings, clock } = local;
  const answer = new GrpcAnswer(stream);
  const tell = (outcome: Outcome): void => answer.write(frameOf(encoded(outcome)));
  let sentBytes = 0n;
  const stopSigns = clock.every(settings.snapshotIdleTimeoutMs / SIGNS_OF_LIFE, () => {
    if (stream.destroyed) return;
    sentBytes = BigInt(counters.snapshotBytesSent);
    tell({ case: "progress", value: { sentBytes } });
  });
  try {
    await sendFor(await readRequest(stream, local), local, caller);
    tell({ case: "stored", value: {} });
  } catch (error) {
    const refused = asRefusal(error);
    if (refused.errorCode === "") {
      counters.framesRejected += 1;
      const remote = remoteOf(stream);
      refusals.report({ peer: undefined, remote, reason: reasonOf(refused), message: refused.message });
    }
    tell({ case: "refusal", value: refused });
  } finally {
    stopSigns();
  }
  answer.end(GRPC_OK);
}

async function sendFor(request: DelegateSnapshotRequest, local: LocalPeer, caller: Caller): Promise<void> {
  const accepted = acceptCaller(request.hello, local, caller);
  const message = decodeAnnouncement(request.message);
  const groupId = Number(request.groupId);
  const minIndex = Number(request.minIndex);
  if (message.from !== accepted.from || message.to === local.nodeId || !Number.isSafeInteger(minIndex)) {
    throw snapshotRefused(
      "PROTOCOL_VIOLATION",
      `node ${accepted.from} may not ask for a snapshot from ${message.from} to ${message.to} at ${request.minIndex}`,
    );
  }
  local.peerAppeared(accepted);
  const receiver = local.receiver(groupId);
  if (receiver?.sendSnapshotFor === undefined) {
    throw snapshotRefused("GROUP_UNKNOWN", `node ${local.nodeId} has no group ${groupId} open that sends for others`);
  }
  await receiver.sendSnapshotFor(message, minIndex);
}

/** The one message of the call. Rejects with a refusal. */
async function readRequest(stream: ServerHttp2Stream, local: LocalPeer): Promise<DelegateSnapshotRequest> {
  const { maxFrameBytes: maxBytes, connectTimeoutMs: timeoutMs } = local.settings;
  const bytes = await readOneRequest(stream, local, { maxBytes, timeoutMs });
  try {
    return fromBinary(DelegateSnapshotRequestSchema, bytes);
  } catch (error) {
    throw snapshotRefused("PROTOCOL_VIOLATION", error instanceof Error ? error.message : String(error));
  }
}

function encoded(outcome: Outcome): Uint8Array {
  return toBinary(
    DelegateSnapshotResponseSchema,
    create(DelegateSnapshotResponseSchema, outcome === undefined ? {} : { outcome }),
  );
}
