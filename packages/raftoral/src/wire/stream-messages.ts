/** Chunks of streams between generated messages and the types of the API, both ways. Values pass through as bytes. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Payload } from "../api/payloads/payload.ts";
import type { StreamChunk } from "../api/streams.ts";
import type { StreamChunkSchema, StreamChunk as WireChunk } from "../gen/raftoral/v1/run_messages_pb.ts";
import { safeNumber } from "./numbers.ts";

/** A chunk as a message. */
export function chunkToWire(chunk: StreamChunk<Payload>): MessageInitShape<typeof StreamChunkSchema> {
  const { offset, value, step, attempt, epoch } = chunk;
  return {
    offset: BigInt(offset),
    value: value.bytes,
    ...(step === undefined ? {} : { step }),
    attempt: attempt ?? 0,
    epoch: BigInt(epoch),
  };
}

/** The chunk of a message. `stream` names the stream in errors. Throws REQUEST_INVALID for numbers beyond 2^53 - 1. */
export function chunkFromWire(chunk: WireChunk, stream: string): StreamChunk<Payload> {
  const { value, step, attempt } = chunk;
  const offset = safeNumber(chunk.offset, "offset");
  return {
    offset,
    value: Payload.ofBytes(value, `chunk ${offset} of stream ${stream}`),
    ...(step === undefined ? {} : { step, attempt }),
    epoch: safeNumber(chunk.epoch, "epoch"),
  };
}
