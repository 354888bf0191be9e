/** Streams of a run: what their chunks are, and the bounds of what one command may bring. */
import { string, uint, values } from "../wire/fields.ts";
import { messageCodec } from "../wire/message-codec.ts";
import type { MessageCodec } from "../wire/wire-types.ts";

/** Streams that a run may have. */
export const MAX_STREAMS_PER_RUN = 64;
/** Chunks that one entry of the log may append, over all streams of its run. */
export const MAX_CHUNKS_PER_ENTRY = 512;
/** Bytes of their values. */
export const MAX_CHUNK_BYTES_PER_ENTRY = 256 * 1024;
/** Least time between two entries that append to streams of one run, in ms. */
export const STREAM_ENTRY_INTERVAL_MS = 20;
/** Longest name of a stream, in UTF-16 units. */
export const MAX_STREAM_NAME_LENGTH = 200;

/** Chunks that follow each other and that one piece of code wrote. */
export interface StreamSpan {
  /** Path of the step whose function wrote them; of chunks of the body, the prefix of their scope ("" outside of all scopes). */
  readonly place: string;
  /** The step's attempt, from 1; 0 for chunks of the body. */
  readonly attempt: number;
  /** Their values, in order. */
  readonly values: readonly Uint8Array[];
}

export const spanCodec: MessageCodec<StreamSpan> = messageCodec<StreamSpan>(
  { place: string(1), attempt: uint(2), values: values(3) },
  {},
);

/** How many chunks spans hold. */
export function chunksIn(spans: readonly StreamSpan[]): number {
  return spans.reduce((count, span) => count + span.values.length, 0);
}
