/** Streams as readers and owners see them: copies, structured-cloneable. */
import type { LogIndex, StateReader } from "@raftoral/raft-core";
import type { Epoch } from "../../model/runs/ownership.ts";
import type { RunRecord } from "../runs/run-record.ts";
import type { StreamBatch, StreamHead } from "./stream-codec.ts";
import { batchesFrom, findStream, scopesOf, streamsOf } from "./stream-table.ts";

/** One chunk of a stream. */
export interface RecordedChunk {
  readonly offset: number;
  readonly value: Uint8Array;
  /** Path of the step whose function wrote it; undefined for a chunk of the body. */
  readonly step: string | undefined;
  /** The step's attempt, from 1; undefined for a chunk of the body. */
  readonly attempt: number | undefined;
  /** The ownership under which it was written. */
  readonly epoch: Epoch;
}

/** Which chunks of which stream to read. */
export interface StreamQuery {
  readonly runId: string;
  readonly stream: string;
  /** Offset of the first chunk; the first one that is kept unless given. */
  readonly from?: number | undefined;
  /** The page ends once its values have so many bytes (1 MiB). */
  readonly maxBytes?: number;
}

/** Chunks of a stream that follow each other. */
export interface StreamPage {
  /** Place of the run's start in the log: another one is another run, even of the same id. */
  readonly startIndex: LogIndex;
  readonly chunks: readonly RecordedChunk[];
  /** Offset of the first chunk that is kept. */
  readonly firstOffset: number;
  /** Where to read on. */
  readonly nextOffset: number;
  /** Whether more chunks than these are there now. */
  readonly hasMore: boolean;
  /** Whether nothing will follow what is there now: the stream or its run has ended. */
  readonly isOver: boolean;
}

/** A stream as the run's owner begins with it. */
export interface OwnedStream {
  readonly name: string;
  /** Offset of the chunk that will follow. */
  readonly nextOffset: number;
  readonly hasEnded: boolean;
  /** How many chunks the body has written in each scope. */
  readonly scopes: readonly (readonly [scope: string, chunks: number])[];
}

const DEFAULT_MAX_BYTES = 1024 * 1024;
const NO_STREAM: StreamHead = { number: 0, name: "", first: 0, next: 0, bytes: 0, hasEnded: false };

/** One page of a stream. A stream that has no chunks yet is empty; an offset that is not kept any more gives no chunks, and `firstOffset` tells. */
export function streamPage(records: StateReader, run: RunRecord, query: StreamQuery): StreamPage {
  const head = findStream(records, run, query.stream) ?? NO_STREAM;
  const { first, next } = head;
  const from = query.from ?? first;
  const maxBytes = query.maxBytes ?? DEFAULT_MAX_BYTES;
  const chunks: RecordedChunk[] = [];
  let bytes = 0;
  if (from >= first && from < next) {
    for (const batch of batchesFrom(records, run, head, from)) {
      if (chunks.length > 0 && bytes >= maxBytes) break;
      for (const chunk of chunksOf(batch)) if (chunk.offset >= from) chunks.push(chunk);
      bytes += batch.bytes;
    }
  }
  const nextOffset = from + chunks.length;
  const isOver = head.hasEnded || run.head.status === "finished";
  const { startIndex } = run;
  return { startIndex, chunks, firstOffset: first, nextOffset, hasMore: nextOffset < next, isOver };
}

/** A run's streams, for its owner. */
export function ownedStreams(records: StateReader, run: RunRecord): readonly OwnedStream[] {
  const heads = [...streamsOf(records, run)];
  if (heads.length === 0) return [];
  const scopes = [...scopesOf(records, run)];
  return heads.map(({ number, name, next, hasEnded }) => ({
    name,
    nextOffset: next,
    hasEnded,
    scopes: scopes.filter(({ stream }) => stream === number).map(({ scope, chunks }) => [scope, chunks] as const),
  }));
}

function* chunksOf({ offset: first, epoch, spans }: StreamBatch): Generator<RecordedChunk> {
  let offset = first;
  for (const { place, attempt, values } of spans) {
    const [step, of] = attempt === 0 ? [undefined, undefined] : [place, attempt];
    for (const value of values) {
      yield { offset, value, step, attempt: of, epoch };
      offset += 1;
    }
  }
}
