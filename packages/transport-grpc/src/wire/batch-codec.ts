/**
 * `raftoral.v1.ExchangeRequest` with batches, written and read by hand: it is on the path of every message, and generated code
 * would make a bigint of each group id and copy each message twice.
 *
 * Invariants:
 * B1. A frame is written once, into a buffer of its exact size, gRPC prefix included.
 * B2. Any bytes decode, or throw RaftError CODEC_INVALID; messages before the bad one may have been handed out by then.
 */
import { type GroupId, RaftError } from "@raftoral/raft-core";
import { decodePeerMessage, type Message, writeMessage } from "@raftoral/raft-core/transport";
import { varintBytes, WireReader, writeVarint } from "@raftoral/raft-core/wire";
import type { KindTally } from "../peer-stats.ts";
import { PREFIX_BYTES, writePrefix } from "./grpc-framing.ts";

/** ExchangeRequest.batches and GroupBatch.messages: field 2, length-delimited. */
const FIELD_2 = 0x12;
/** GroupBatch.group_id: field 1, varint. */
const GROUP_ID = 0x08;

/** Messages of several groups, as parallel arrays: no object per message. `sizes` are those of `messageSize`. */
export interface MessageColumns {
  readonly groupIds: readonly GroupId[];
  readonly messages: readonly Message[];
  readonly sizes: readonly number[];
}

/** The frame of the messages `[lo, hi)`. Neighbours of one group share a batch. */
export function encodeBatches(columns: MessageColumns, lo: number, hi: number): Buffer {
  const { groupIds, messages, sizes } = columns;
  let total = 0;
  for (let at = lo; at < hi; ) {
    const end = runEnd(groupIds, at, hi);
    const size = batchSize(columns, at, end);
    total += 1 + varintBytes(size) + size;
    at = end;
  }
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + total);
  writePrefix(frame, total);
  let to = PREFIX_BYTES;
  for (let at = lo; at < hi; ) {
    const end = runEnd(groupIds, at, hi);
    frame[to++] = FIELD_2;
    to = writeVarint(frame, to, batchSize(columns, at, end));
    frame[to++] = GROUP_ID;
    to = writeVarint(frame, to, groupIds[at] as GroupId);
    for (; at < end; at++) {
      frame[to++] = FIELD_2;
      to = writeVarint(frame, to, sizes[at] as number);
      to = writeMessage(frame, to, messages[at] as Message);
    }
  }
  return frame;
}

/** Calls `onBatch` for each batch of a frame, in order, and counts its messages. Their bytes are views of `frame`. */
export function decodeBatches(
  frame: Uint8Array,
  tally: KindTally,
  onBatch: (groupId: GroupId, messages: Message[]) => void,
): void {
  const reader = new WireReader(frame);
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1)
      throw new RaftError(
        "CODEC_INVALID",
        "A hello came again, on a stream that had one. Check that the caller is a Raftoral node.",
      );
    if (field !== 2) {
      reader.skip();
      continue;
    }
    const outer = reader.enter();
    let groupId = 0;
    const messages: Message[] = [];
    for (let inner = reader.field(); inner !== 0; inner = reader.field()) {
      if (inner === 1) groupId = reader.uint();
      else if (inner === 2) {
        const bytes = reader.view();
        const message = decodePeerMessage(bytes);
        tally.add(message.type, bytes.length);
        messages.push(message);
      } else reader.skip();
    }
    reader.leave(outer);
    if (groupId === 0)
      throw new RaftError(
        "CODEC_INVALID",
        "A batch of messages names no group. Check that the caller is a Raftoral node.",
      );
    onBatch(groupId, messages);
  }
}

// Fields that this version does not know are passed over, in a frame, a batch and a message alike. A message that is passed on (a
// forwarded proposal) is written again from what was read, so such fields of the message itself end here; the data and context of
// its entries are bytes to everybody but their owner, and arrive as they were.

function runEnd(groupIds: readonly GroupId[], from: number, hi: number): number {
  const groupId = groupIds[from];
  let end = from + 1;
  while (end < hi && groupIds[end] === groupId) end++;
  return end;
}

function batchSize({ groupIds, sizes }: MessageColumns, lo: number, hi: number): number {
  let size = 1 + varintBytes(groupIds[lo] as GroupId);
  for (let at = lo; at < hi; at++) {
    const bytes = sizes[at] as number;
    size += 1 + varintBytes(bytes) + bytes;
  }
  return size;
}
