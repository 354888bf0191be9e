/** Records of streams as bytes, in the store and in snapshots. */
import type { WireReader } from "@raftoral/raft-core/wire";
import type { Epoch } from "../../model/runs/ownership.ts";
import { type StreamSpan, spanCodec } from "../../model/stream.ts";
import { readerOf, writerOf } from "../../wire/command-wire.ts";
import { bool, messages, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import type { MessageCodec } from "../../wire/wire-types.ts";

/** One stream of a run. */
export interface StreamHead {
  /** Within the run, from 1. */
  readonly number: number;
  readonly name: string;
  /** Offset of the first chunk that is kept; `next` when none is. */
  readonly first: number;
  /** Offset of the chunk that will follow. */
  readonly next: number;
  /** What the batches that are kept count for, in bytes. */
  readonly bytes: number;
  readonly hasEnded: boolean;
}

/** Chunks that one entry of the log brought. */
export interface StreamBatch {
  /** Number of the stream. */
  readonly stream: number;
  /** Of the first chunk. */
  readonly offset: number;
  readonly chunks: number;
  /** What it counts for, in bytes: its values, and something for what is kept around them. */
  readonly bytes: number;
  /** Under which ownership it was written. */
  readonly epoch: Epoch;
  readonly spans: readonly StreamSpan[];
}

/** How many chunks of a stream the body has written in one scope. */
export interface StreamScope {
  /** Number of the stream. */
  readonly stream: number;
  /** The scope's prefix of paths. */
  readonly scope: string;
  readonly chunks: number;
}

export const headCodec = messageCodec<StreamHead>(
  { number: uint(1), name: string(2), first: uint(3), next: uint(4), bytes: uint(5), hasEnded: bool(6) },
  {},
);

export const batchCodec = messageCodec<StreamBatch>(
  { stream: uint(1), offset: uint(2), chunks: uint(3), bytes: uint(4), epoch: uint(5), spans: messages(6, spanCodec) },
  {},
);

export const scopeCodec = messageCodec<StreamScope>({ stream: uint(1), scope: string(2), chunks: uint(3) }, {});

const writer = writerOf(4096);

/** A record of the store. */
export function written<T>(codec: MessageCodec<T>, value: T): Uint8Array {
  writer.reset();
  codec.write(writer, value);
  return writer.finish();
}

/** What a record of the store says. */
export function readFrom<T>(codec: MessageCodec<T>, bytes: Uint8Array): T {
  return codec.read(readerOf(bytes));
}

/** A batch's size and place, without its chunks. */
export function sizeOfBatch(bytes: Uint8Array): Omit<StreamBatch, "spans" | "epoch"> {
  const from: WireReader = readerOf(bytes);
  let [stream, offset, chunks, size] = [0, 0, 0, 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) stream = from.uint();
    else if (field === 2) offset = from.uint();
    else if (field === 3) chunks = from.uint();
    else if (field === 4) size = from.uint();
    else break;
  }
  return { stream, offset, chunks, bytes: size };
}
