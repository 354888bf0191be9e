/**
 * Sends one snapshot: asks the receiver where to go on, sends the rest, and after a cut asks again.
 *
 * Invariants:
 * T1. The content is read no faster than the receiver takes it, and always released.
 * T2. It resolves only on the receiver's word that the snapshot is stored.
 * T3. A turn of the event loop sends one chunk, however quickly content comes: consensus shares the loop.
 * T4. After a cut it goes on only while that gets further: without progress for `snapshotResumeTimeoutMs` it is given up.
 */
import zlib from "node:zlib";
import { type GroupId, type RaftoralError, TransportError } from "@raftoral/raft-core";
import { encodeMessage, joinedCrc32, type Message, type SnapshotStream } from "@raftoral/raft-core/transport";
import { type Refusal, RefusalCode } from "../gen/raftoral/v1/peer_pb.ts";
import type { LocalNode } from "../local-node.ts";
import { type Compression, compressionNamed } from "../wire/compression.ts";
import { helloTo, reasonOf, refusedError } from "../wire/hello.ts";
import { encodeChunkHeader, encodePart } from "../wire/snapshot-codec.ts";
import { backoffMs } from "./backoff.ts";
import type { DialTarget } from "./dial-target.ts";
import { SnapshotCall } from "./snapshot-call.ts";
import { SnapshotCursor } from "./snapshot-cursor.ts";
import type { SnapshotPace } from "./snapshot-pace.ts";

// Not imported by its name, which Node 18 does not have: node-version.ts of raft-core says why.
const { crc32 } = zlib;

/** Compressing more at once would hold up the event loop (T3). */
const MAX_COMPRESSED_CHUNK_BYTES = 64 * 1024;

/** One snapshot to send. */
export interface SnapshotTransfer {
  readonly local: LocalNode;
  /** Where the receiver is, as far as is known now; it may move between two attempts. */
  readonly target: () => DialTarget;
  readonly groupId: GroupId;
  readonly message: Message;
  readonly content: SnapshotStream;
  readonly pace: SnapshotPace;
  /** Gives it up: the group or the transport closes. */
  readonly stop: AbortSignal;
}

/**
 * Rejects with TRANSPORT_PEER_UNREACHABLE, TRANSPORT_PEER_REFUSED, TRANSPORT_SNAPSHOT_REJECTED, TRANSPORT_CLOSED, or with what
 * the content's own reading failed with.
 */
export async function sendSnapshot(transfer: SnapshotTransfer): Promise<void> {
  const { local, stop } = transfer;
  const { counters, clock, settings } = local;
  const cursor = new SnapshotCursor(transfer.content);
  let furthest = -1;
  let advancedMs = clock.monotonicMs();
  let cuts = 0;
  try {
    for (;;) {
      const cut = await attempt(transfer, cursor, (offset) => {
        if (offset <= furthest) return;
        furthest = offset;
        advancedMs = clock.monotonicMs();
        cuts = 0;
      });
      if (cut === undefined) break;
      const patienceMs = advancedMs + settings.snapshotResumeTimeoutMs - clock.monotonicMs();
      // T4. Without a word of the receiver's there is nothing to go on from.
      if (furthest < 0 || cursor.fixed === undefined || patienceMs <= 0 || stop.aborted) throw cut;
      cuts += 1;
      counters.snapshotsResumed += 1;
      local.logger.debug({ err: cut, to: transfer.message.to }, "a snapshot was cut and is resumed");
      await pause(transfer, Math.min(patienceMs, backoffMs(cuts, settings, local.rng)));
    }
    counters.snapshotsSent += 1;
  } catch (error) {
    counters.snapshotsFailed += 1;
    throw error;
  } finally {
    await cursor.release();
  }
}

/** One call. Resolves to the failure of a connection, undefined when the snapshot is stored; rejects with all else. */
async function attempt(
  transfer: SnapshotTransfer,
  cursor: SnapshotCursor,
  onProceed: (offset: number) => void,
): Promise<TransportError | undefined> {
  const { local, message, stop } = transfer;
  const call = new SnapshotCall(local, message.to, transfer.target());
  const stopped = new TransportError(
    "TRANSPORT_CLOSED",
    `The snapshot for node ${message.to} was given up, because node ${local.nodeId} stops. Another node sends it.`,
  );
  const onStop = () => call.fail(stopped);
  if (stop.aborted) onStop();
  stop.addEventListener("abort", onStop);
  let givenUp: Uint8Array | undefined;
  try {
    await sendAll(transfer, call, cursor, onProceed);
    const verdict = await call.ended();
    if (verdict.kind === "refused") throw rejectedError(transfer, verdict.refusal);
    return undefined;
  } catch (error) {
    if (error === call.failure && error !== stopped) return call.failure;
    givenUp = encodePart({ case: "abort", value: { message: error instanceof Error ? error.message : String(error) } });
    throw error;
  } finally {
    stop.removeEventListener("abort", onStop);
    call.close(givenUp);
  }
}

/** Sends everything, or stops when the call is over. */
async function sendAll(
  transfer: SnapshotTransfer,
  call: SnapshotCall,
  cursor: SnapshotCursor,
  onProceed: (offset: number) => void,
): Promise<void> {
  const { local, pace } = transfer;
  call.write(beginFrame(transfer, cursor));
  await call.proceeded();
  if (call.proceed === undefined || call.isOver) return;
  const offset = Number(call.proceed.offset);
  if (!cursor.canSeek(offset)) throw outOfRange(transfer, offset);
  await cursor.seek(offset);
  onProceed(offset);
  const compression = agreedCompression(local, call.proceed.compression);
  const maxBytes = Math.min(
    local.settings.snapshotChunkBytes,
    compression === undefined ? Number.MAX_SAFE_INTEGER : MAX_COMPRESSED_CHUNK_BYTES,
  );
  let total = 0;
  for (;;) {
    const at = cursor.offset;
    const chunk = await call.orOver(cursor.next(maxBytes));
    if (call.isOver) return;
    if (chunk === undefined) break;
    await pace.take(chunk.length);
    const checksum = crc32(chunk);
    total = joinedCrc32(total, checksum, chunk.length);
    const { data, plainBytes } = compressed(chunk, compression);
    await call.writeChunk(encodeChunkHeader({ offset: at, crc32: checksum, plainBytes }, data.length), data);
    local.counters.snapshotBytesSent += chunk.length;
    await nextTurn(local);
  }
  // Of fixed content the whole checksum is known; of other content everything was sent in this call.
  call.end(
    encodePart({
      case: "end",
      value: { totalBytes: BigInt(cursor.offset), crc32: cursor.fixed?.crc32 ?? total },
    }),
  );
}

function beginFrame({ local, groupId, message }: SnapshotTransfer, { fixed }: SnapshotCursor): Uint8Array {
  const { compression } = local.settings;
  return encodePart({
    case: "begin",
    value: {
      hello: helloTo(message.to, local.identity()),
      groupId: BigInt(groupId),
      message: encodeMessage(message),
      compression: compression === "off" ? "" : compression,
      ...(fixed === undefined ? {} : { content: { totalBytes: BigInt(fixed.totalBytes), crc32: fixed.crc32 } }),
    },
  });
}

function agreedCompression(local: LocalNode, accepted: string): Compression | undefined {
  return accepted !== "" && accepted === local.settings.compression ? compressionNamed(accepted) : undefined;
}

/** As it goes out: plain where compression does not make it smaller. */
function compressed(chunk: Uint8Array, compression: Compression | undefined): { data: Uint8Array; plainBytes: number } {
  const smaller = compression?.compress(chunk);
  return smaller === undefined || smaller.length >= chunk.length
    ? { data: chunk, plainBytes: 0 }
    : { data: smaller, plainBytes: chunk.length };
}

/** T3. */
function nextTurn(local: LocalNode): Promise<void> {
  return new Promise((resolve) => local.clock.soon(resolve));
}

function pause({ local, stop }: SnapshotTransfer, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      stop.removeEventListener("abort", done);
      resolve();
    };
    const cancel = local.clock.after(delayMs, done);
    stop.addEventListener("abort", done);
  });
}

function outOfRange({ message, groupId }: SnapshotTransfer, offset: number): TransportError {
  return new TransportError(
    "TRANSPORT_SNAPSHOT_REJECTED",
    `Node ${message.to} wants a snapshot of group ${groupId} from offset ${offset}, which is not in it. Run the same version on both nodes.`,
    { retryable: true, details: { nodeId: message.to, groupId, reason: "PROTOCOL_VIOLATION" } },
  );
}

const ABOUT_SNAPSHOT: readonly RefusalCode[] = [
  RefusalCode.GROUP_UNKNOWN,
  RefusalCode.SNAPSHOT_REJECTED,
  RefusalCode.SNAPSHOT_CORRUPT,
  RefusalCode.SNAPSHOT_BUSY,
];

/** A refusal of this snapshot, or of this node altogether. */
function rejectedError({ message, groupId }: SnapshotTransfer, refusal: Refusal | undefined): RaftoralError {
  if (refusal !== undefined && !ABOUT_SNAPSHOT.includes(refusal.code)) return refusedError(message.to, refusal);
  const index = message.snapshot?.metadata.index ?? 0;
  const why = refusal?.message ?? "it answered with nothing that this version knows.";
  const reason = refusal === undefined ? "UNKNOWN" : refusal.errorCode || reasonOf(refusal);
  return new TransportError(
    "TRANSPORT_SNAPSHOT_REJECTED",
    `Node ${message.to} did not take the snapshot at index ${index} of group ${groupId}: ${why}`,
    { retryable: true, details: { nodeId: message.to, groupId, reason } },
  );
}
