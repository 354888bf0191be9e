/** Asks another member to send its snapshot in this node's place, and waits for how it goes. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type GroupId, type LogIndex, type NodeId, TransportError } from "@raftoral/raft-core";
import { encodeMessage, type Message } from "@raftoral/raft-core/transport";
import { formatAddress } from "../address.ts";
import {
  DelegateSnapshotRequestSchema,
  type DelegateSnapshotResponse,
  DelegateSnapshotResponseSchema,
} from "../gen/raftoral/v1/peer_pb.ts";
import type { LocalNode } from "../local-node.ts";
import { failureText } from "../security/tls-failure.ts";
import { FrameReader, frameOf } from "../wire/grpc-framing.ts";
import { beginCall, callFailure, connectSession, DELEGATE_SNAPSHOT_PATH, trailerFailure } from "../wire/h2.ts";
import { helloTo, reasonOf } from "../wire/hello.ts";
import type { DialTarget } from "./dial-target.ts";

const MAX_ANSWER_BYTES = 64 * 1024;

/** One request that another member sends a snapshot. */
export interface Delegation {
  readonly local: LocalNode;
  readonly delegate: NodeId;
  readonly target: DialTarget;
  readonly groupId: GroupId;
  readonly message: Message;
  readonly minIndex: LogIndex;
  readonly stop: AbortSignal;
}

/**
 * Resolves when the receiver has the snapshot. Rejects with TRANSPORT_PEER_UNREACHABLE, also when nothing is heard for
 * `snapshotIdleTimeoutMs`, TRANSPORT_SNAPSHOT_REJECTED when the delegate refuses or fails, TRANSPORT_CLOSED.
 */
export async function delegateSnapshot(delegation: Delegation): Promise<void> {
  const { local, delegate, stop } = delegation;
  const { address, knownAddress } = delegation.target;
  const { settings } = local;
  const session = connectSession(address, settings.security, { nodeId: delegate, knownAddress });
  const answer = Promise.withResolvers<void>();
  const fail = (why: string) =>
    answer.reject(
      new TransportError(
        "TRANSPORT_PEER_UNREACHABLE",
        `Node ${delegate} at ${formatAddress(address)} cannot be asked to send a snapshot: ${why}`,
        { retryable: true, details: { nodeId: delegate } },
      ),
    );
  const failIf = (why: string | undefined) => {
    if (why !== undefined) fail(why);
  };
  const onStop = () =>
    answer.reject(
      new TransportError("TRANSPORT_CLOSED", `Node ${local.nodeId} stops; no node is asked for a snapshot any more.`),
    );
  if (stop.aborted) onStop();
  stop.addEventListener("abort", onStop);
  session.on("error", (error) => fail(failureText(error, formatAddress(address))));
  session.on("close", () => fail("the connection was closed"));
  session.setTimeout(settings.snapshotIdleTimeoutMs, () =>
    fail(`nothing heard for ${settings.snapshotIdleTimeoutMs} ms`),
  );
  const stopConnectTimer = local.clock.after(settings.connectTimeoutMs, () => {
    if (session.connecting) fail(`no connection within ${settings.connectTimeoutMs} ms`);
  });
  try {
    const stream = beginCall(session, { address, path: DELEGATE_SNAPSHOT_PATH });
    const reader = new FrameReader(MAX_ANSWER_BYTES);
    stream.on("response", (headers) => failIf(callFailure(headers)));
    stream.on("trailers", (trailers) => failIf(trailerFailure(trailers)));
    stream.on("error", (error) => fail(error.message));
    stream.on("close", () => fail("the call ended without an answer"));
    stream.on("data", (piece: Buffer) => {
      try {
        reader.push(piece, (bytes) => {
          const outcome = outcomeOf(fromBinary(DelegateSnapshotResponseSchema, bytes), delegation);
          if (outcome === "stored") answer.resolve();
          else if (outcome !== "progress") answer.reject(outcome);
        });
      } catch (error) {
        fail(`the answer is not what it should be: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
    stream.end(requestFrame(delegation));
    await answer.promise;
  } finally {
    stopConnectTimer();
    stop.removeEventListener("abort", onStop);
    session.destroy();
  }
}

function requestFrame({ local, delegate, groupId, message, minIndex }: Delegation): Buffer {
  const request = create(DelegateSnapshotRequestSchema, {
    hello: helloTo(delegate, local.identity()),
    groupId: BigInt(groupId),
    message: encodeMessage(message),
    minIndex: BigInt(minIndex),
  });
  return frameOf(toBinary(DelegateSnapshotRequestSchema, request));
}

function outcomeOf(
  { outcome }: DelegateSnapshotResponse,
  { delegate, groupId, message }: Delegation,
): "stored" | "progress" | TransportError {
  if (outcome.case === "stored") return "stored";
  if (outcome.case === "progress") return "progress";
  const why = outcome.value?.message ?? "it answered with nothing that this version knows.";
  const reason = outcome.value === undefined ? "UNKNOWN" : outcome.value.errorCode || reasonOf(outcome.value);
  return new TransportError(
    "TRANSPORT_SNAPSHOT_REJECTED",
    `Node ${delegate} did not send a snapshot of group ${groupId} to node ${message.to}: ${why}`,
    { retryable: true, details: { nodeId: delegate, groupId, reason } },
  );
}
