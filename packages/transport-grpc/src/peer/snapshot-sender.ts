/**
 * Sends one snapshot on a connection of its own, so that it is never in the way of messages: not in a queue, not in a socket.
 *
 * Invariants:
 * T1. The content is read no faster than the receiver takes it, and always released.
 * T2. It resolves only on the receiver's word that the snapshot is stored.
 */
import type { ClientHttp2Stream } from "node:http2";
import { crc32 } from "node:zlib";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { encodeMessage, type GroupId, type Message, TransportError } from "@raftoral/raft-core";
import { formatAddress, type HostPort } from "../address.ts";
import {
  type Refusal,
  RefusalCode,
  SendSnapshotRequestSchema,
  type SendSnapshotResponse,
  SendSnapshotResponseSchema,
} from "../gen/raftoral/v1/peer_pb.ts";
import type { LocalPeer } from "../local-peer.ts";
import { FrameReader, frameOf } from "../wire/grpc-framing.ts";
import { beginCall, callFailure, connectSession, SEND_SNAPSHOT_PATH, trailerFailure } from "../wire/h2.ts";
import { helloTo, reasonOf, refusedError } from "../wire/hello.ts";

const MAX_ANSWER_BYTES = 64 * 1024;
/** Bytes handed to the stream and not yet sent, above which the content waits. The stream's own mark is 16 KiB: too little. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

export interface SnapshotTransfer {
  readonly local: LocalPeer;
  readonly address: HostPort;
  readonly groupId: GroupId;
  readonly message: Message;
  readonly content: AsyncIterable<Uint8Array>;
  /** Gives it up: the group or the transport closes. */
  readonly stop: AbortSignal;
}

/**
 * Rejects with TRANSPORT_PEER_UNREACHABLE, TRANSPORT_PEER_REFUSED, TRANSPORT_SNAPSHOT_REJECTED, TRANSPORT_CLOSED, or with what
 * the content's own reading failed with.
 */
export async function sendSnapshot(transfer: SnapshotTransfer): Promise<void> {
  const { local, address, message, stop } = transfer;
  const { counters, settings } = local;
  const content = transfer.content[Symbol.asyncIterator]();
  const session = connectSession(address);
  const unreachable = (why: string) =>
    new TransportError(
      "TRANSPORT_PEER_UNREACHABLE",
      `the snapshot for node ${message.to} at ${formatAddress(address)} did not arrive: ${why}`,
      { retryable: true, details: { nodeId: message.to } },
    );
  const failed = Promise.withResolvers<never>();
  // Whoever waits for it hears of it; without this line nobody waiting would end the process.
  failed.promise.catch(() => {});
  const fail = (why: string) => failed.reject(unreachable(why));
  const onStop = () =>
    failed.reject(
      new TransportError(
        "TRANSPORT_CLOSED",
        `the snapshot for node ${message.to} was given up: node ${local.nodeId} stops`,
      ),
    );
  stop.addEventListener("abort", onStop);
  session.on("error", (error) => fail(error.message));
  session.on("close", () => fail("the connection was closed"));
  session.setTimeout(settings.snapshotIdleTimeoutMs, () =>
    fail(`no progress for ${settings.snapshotIdleTimeoutMs} ms`),
  );
  const stopConnectTimer = local.clock.after(settings.connectTimeoutMs, () => {
    if (session.connecting) fail(`no connection within ${settings.connectTimeoutMs} ms`);
  });
  try {
    const stream = beginCall(session, SEND_SNAPSHOT_PATH);
    const answer = Promise.race([answerOf(stream, fail), failed.promise]);
    answer.catch(() => {});
    const outcome = (await sendAll(transfer, stream, content, answer)) ?? (await answer);
    if (outcome.outcome.case !== "stored") throw rejectedError(transfer, outcome.outcome.value);
    counters.snapshotsSent += 1;
  } catch (error) {
    counters.snapshotsFailed += 1;
    throw error;
  } finally {
    stopConnectTimer();
    stop.removeEventListener("abort", onStop);
    session.destroy();
    await content.return?.();
  }
}

/** Sends everything, or stops at an answer that came early and returns it. */
async function sendAll(
  { local, groupId, message }: SnapshotTransfer,
  stream: ClientHttp2Stream,
  content: AsyncIterator<Uint8Array>,
  answer: Promise<SendSnapshotResponse>,
): Promise<SendSnapshotResponse | undefined> {
  const { settings } = local;
  /** Whether there is room for more. */
  const write = (part: MessageInitShape<typeof SendSnapshotRequestSchema>["part"]): boolean => {
    const request = create(SendSnapshotRequestSchema, part === undefined ? {} : { part });
    stream.write(frameOf(toBinary(SendSnapshotRequestSchema, request)));
    return stream.writableLength <= MAX_BUFFERED_BYTES;
  };
  const drained = () => new Promise((resolve) => stream.once("drain", resolve));
  const early = async (step: Promise<unknown>): Promise<SendSnapshotResponse | undefined> => {
    let isStepDone = false;
    const done = step.then((): undefined => {
      isStepDone = true;
    });
    const first = await Promise.race([done, answer]);
    return isStepDone ? undefined : first;
  };
  const hello = helloTo(message.to, local.identity());
  write({ case: "begin", value: { hello, groupId: BigInt(groupId), message: encodeMessage(message) } });
  let offset = 0;
  let total = 0;
  for (;;) {
    const reading = content.next();
    const answered = await early(reading);
    if (answered !== undefined) return answered;
    const next = await reading;
    if (next.done === true) break;
    for (let at = 0; at < next.value.length; at += settings.snapshotChunkBytes) {
      const data = next.value.subarray(at, at + settings.snapshotChunkBytes);
      total = crc32(data, total);
      const hasRoom = write({ case: "data", value: { offset: BigInt(offset), data, crc32: crc32(data) } });
      offset += data.length;
      const refused = hasRoom ? undefined : await early(drained());
      if (refused !== undefined) return refused;
    }
  }
  write({ case: "end", value: { totalBytes: BigInt(offset), crc32: total } });
  stream.end();
  return undefined;
}

/** The one answer of the call. Calls `fail` when the call ends without one. */
function answerOf(stream: ClientHttp2Stream, fail: (why: string) => void): Promise<SendSnapshotResponse> {
  return new Promise((resolve) => {
    const reader = new FrameReader(MAX_ANSWER_BYTES);
    const failIf = (failure: string | undefined) => {
      if (failure !== undefined) fail(failure);
    };
    stream.on("response", (headers) => failIf(callFailure(headers)));
    stream.on("trailers", (trailers) => failIf(trailerFailure(trailers)));
    stream.on("error", (error) => fail(error.message));
    stream.on("close", () => fail("the stream was closed without an answer"));
    stream.on("data", (piece: Buffer) => {
      try {
        reader.push(piece, (bytes) => resolve(fromBinary(SendSnapshotResponseSchema, bytes)));
      } catch (error) {
        fail(`the answer is not what it should be: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
  });
}

function rejectedError({ message, groupId }: SnapshotTransfer, refusal: Refusal | undefined): TransportError {
  const code = refusal?.code;
  const isAboutSnapshot =
    refusal === undefined ||
    code === RefusalCode.GROUP_UNKNOWN ||
    code === RefusalCode.SNAPSHOT_REJECTED ||
    code === RefusalCode.SNAPSHOT_CORRUPT;
  if (!isAboutSnapshot) return refusedError(message.to, refusal);
  const index = message.snapshot?.metadata.index ?? 0;
  const why = refusal?.message ?? "it answered with nothing that this version knows";
  const reason = refusal === undefined ? "UNKNOWN" : refusal.errorCode || reasonOf(refusal);
  return new TransportError(
    "TRANSPORT_SNAPSHOT_REJECTED",
    `node ${message.to} did not take the snapshot at index ${index} of group ${groupId}: ${why}`,
    { retryable: true, details: { nodeId: message.to, groupId, reason } },
  );
}
