/**
 * The receiving end of Ask: hands a member's request to the application of a group, and answers.
 *
 * AK1. Nothing reaches the application before the hello was accepted.
 * AK2. Whatever bytes come, and whatever the application does, the worst is a refusal and the end of this call.
 */
import type { ServerHttp2Stream } from "node:http2";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { MAX_PEER_REQUEST_BYTES } from "@raftoral/raft-core/transport";
import { type AskRequest, AskRequestSchema, AskResponseSchema } from "../gen/raftoral/v1/peer_pb.ts";
import type { LocalPeer } from "../local-peer.ts";
import { MAX_BYTES_AROUND_REQUEST } from "../peer/peer-requests.ts";
import type { Caller } from "../security/caller.ts";
import { frameOf, frameWithField } from "../wire/grpc-framing.ts";
import { GRPC_OK, GrpcAnswer, remoteOf } from "../wire/h2.ts";
import { reasonOf, refusal } from "../wire/hello.ts";
import { readOneRequest } from "./one-request.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { acceptCaller } from "./snapshot-handler.ts";
import { SnapshotRefused, snapshotRefused } from "./snapshot-refused.ts";

type Outcome = MessageInitShape<typeof AskResponseSchema>["outcome"];

/** Of AskResponse. */
const ANSWER_FIELD: number = AskResponseSchema.field.answer.number;
const NOTHING: Uint8Array = new Uint8Array(0);

/** Reads, asks the application, and answers. Never rejects. */
export async function handleRequest(
  stream: ServerHttp2Stream,
  local: LocalPeer,
  refusals: RefusalLog,
  caller: Caller,
): Promise<void> {
  const answer = new GrpcAnswer(stream);
  const outcome = await outcomeOf(stream, local, refusals, caller);
  answer.write(frameOfOutcome(outcome));
  answer.end(GRPC_OK);
}

function frameOfOutcome(outcome: NonNullable<Outcome>): Buffer {
  if (outcome.case === "answer") return frameWithField(NOTHING, ANSWER_FIELD, outcome.value);
  return frameOf(toBinary(AskResponseSchema, create(AskResponseSchema, { outcome })));
}

async function outcomeOf(
  stream: ServerHttp2Stream,
  local: LocalPeer,
  refusals: RefusalLog,
  caller: Caller,
): Promise<NonNullable<Outcome>> {
  try {
    const maxBytes = MAX_PEER_REQUEST_BYTES + MAX_BYTES_AROUND_REQUEST;
    const timeoutMs = local.settings.snapshotIdleTimeoutMs;
    const request = decoded(await readOneRequest(stream, local, { maxBytes, timeoutMs }));
    // AK1.
    const accepted = acceptCaller(request.hello, local, caller);
    local.peerAppeared(accepted);
    const groupId = Number(request.groupId);
    const receiver = local.receiver(groupId);
    if (receiver?.receiveRequest === undefined)
      throw snapshotRefused("GROUP_UNKNOWN", `node ${local.nodeId} has no group ${groupId} open that answers requests`);
    return { case: "answer", value: await receiver.receiveRequest(accepted.from, request.request) };
  } catch (error) {
    // AK2.
    if (!(error instanceof SnapshotRefused)) {
      const message = error instanceof Error ? error.message : String(error);
      return { case: "refusal", value: refusal("REQUEST_REFUSED", message) };
    }
    const { refused } = error;
    local.counters.framesRejected += 1;
    const remote = remoteOf(stream);
    refusals.report({ peer: undefined, remote, reason: reasonOf(refused), message: refused.message });
    return { case: "refusal", value: refused };
  }
}

function decoded(bytes: Uint8Array): AskRequest {
  try {
    return fromBinary(AskRequestSchema, bytes);
  } catch (error) {
    throw snapshotRefused("PROTOCOL_VIOLATION", error instanceof Error ? error.message : String(error));
  }
}
