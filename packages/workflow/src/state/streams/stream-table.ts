/**
 * Streams of runs: a head for each, its chunks in batches, and how many of them the body has written in each scope.
 *
 * ST1. Offsets of a stream begin at 0 and have no gaps. The batches that are kept hold the chunks in `[first, next)`.
 * ST2. A stream keeps at most what its last command allowed, whole batches at a time, and always its newest batch. A command drops at most
 *      MAX_TRIMMED_AT_ONCE batches of a stream, which is more than it can bring.
 * ST3. The counts of scopes are of all chunks that the body has ever written, also of those that are not kept any more.
 * ST4. A stream's records stay until its run is pruned; then they go in pieces (run-table.ts T4).
 */
import type { StateKey, StateReader, StateStore } from "@raftoral/raft-core";
import type { Epoch } from "../../model/runs/ownership.ts";
import { chunksIn, MAX_CHUNK_BYTES_PER_ENTRY, MAX_CHUNKS_PER_ENTRY, type StreamSpan } from "../../model/stream.ts";
import {
  KEY_PREFIX,
  numberKey,
  pathHash,
  rangeOf,
  streamBatchKey,
  streamKey,
  streamScopeKey,
  suffixRange,
} from "../../records/state-keys.ts";
import type { RunRecord } from "../runs/run-record.ts";
import type { RecordSink } from "../runs/run-records.ts";
import {
  batchCodec,
  headCodec,
  readFrom,
  type StreamBatch,
  type StreamHead,
  type StreamScope,
  scopeCodec,
  sizeOfBatch,
  written,
} from "./stream-codec.ts";

/** What a chunk counts for beside its value, and a batch beside its chunks, in bytes. */
const CHUNK_OVERHEAD_BYTES = 32;
const BATCH_OVERHEAD_BYTES = 256;
/** Batches of a stream that one command drops. */
export const MAX_TRIMMED_AT_ONCE =
  Math.ceil((MAX_CHUNK_BYTES_PER_ENTRY + MAX_CHUNKS_PER_ENTRY * CHUNK_OVERHEAD_BYTES) / BATCH_OVERHEAD_BYTES) + 1;

/** What a stream gets. */
export interface StreamAddition {
  readonly spans: readonly StreamSpan[];
  readonly ends: boolean;
  readonly epoch: Epoch;
  readonly keep: { readonly chunks: number; readonly bytes: number };
}

/** A run as far as its streams need it. */
type StreamsOf = Pick<RunRecord, "startKey" | "startIndex">;

/** All streams of all runs, in the store. It keeps nothing in memory. */
export class StreamTable {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  find(run: StreamsOf, name: string): StreamHead | undefined {
    return findStream(this.#store, run, name);
  }

  /** How many streams a run has. */
  countOf(run: StreamsOf): number {
    let count = 0;
    for (const _ of this.#store.scan(...rangeOf(KEY_PREFIX.stream, run.startIndex))) count += 1;
    return count;
  }

  /** The run goes on after its end: what it had ended may be written to again. */
  reopen(run: StreamsOf): void {
    for (const head of [...streamsOf(this.#store, run)]) {
      if (head.hasEnded) putStream(this.#store, run, { ...head, hasEnded: false });
    }
  }

  /** Appends chunks to a stream, which exists from then on. Gives what it is then. */
  append(run: StreamsOf, name: string, { spans, ends, epoch, keep }: StreamAddition): StreamHead {
    const before = this.find(run, name) ?? {
      number: this.countOf(run) + 1,
      name,
      first: 0,
      next: 0,
      bytes: 0,
      hasEnded: false,
    };
    const { number: stream, next: offset } = before;
    const chunks = chunksIn(spans);
    let added = 0;
    if (chunks > 0) {
      added = BATCH_OVERHEAD_BYTES;
      for (const { values } of spans) for (const value of values) added += value.length + CHUNK_OVERHEAD_BYTES;
      putBatch(this.#store, run, { stream, offset, chunks, bytes: added, epoch, spans });
      for (const [scope, count] of countsOf(spans)) this.#count(run, { stream, scope, chunks: count });
    }
    const head = { ...before, next: offset + chunks, bytes: before.bytes + added, hasEnded: before.hasEnded || ends };
    const trimmed = this.#trimmed(run, head, keep);
    putStream(this.#store, run, trimmed);
    return trimmed;
  }

  /** ST2. */
  #trimmed({ startKey }: StreamsOf, head: StreamHead, keep: StreamAddition["keep"]): StreamHead {
    let { first, bytes } = head;
    const { next } = head;
    const keys: StateKey[] = [];
    if (next - first <= keep.chunks && bytes <= keep.bytes) return head;
    for (const [key, value] of this.#store.scan(...batchRange(startKey, head.number))) {
      if ((next - first <= keep.chunks && bytes <= keep.bytes) || keys.length === MAX_TRIMMED_AT_ONCE) break;
      const batch = sizeOfBatch(value);
      const end = batch.offset + batch.chunks;
      if (end === next) break;
      keys.push(key);
      first = end;
      bytes -= batch.bytes;
    }
    for (const key of keys) this.#store.delete(key);
    return { ...head, first, bytes };
  }

  #count(run: StreamsOf, { stream, scope, chunks }: StreamScope): void {
    const { key, counted } = scopeAt(this.#store, run, stream, scope);
    this.#store.put(key, written(scopeCodec, { stream, scope, chunks: counted + chunks }));
  }
}

/** The stream of this name. */
export function findStream(
  from: StateReader | RecordSink,
  { startKey }: StreamsOf,
  name: string,
): StreamHead | undefined {
  const found = from.get(streamKey(startKey, name));
  return found === undefined ? undefined : readFrom(headCodec, found);
}

/** All streams of a run, in the order of their names. */
export function* streamsOf(from: StateReader, { startIndex }: StreamsOf): Generator<StreamHead> {
  for (const [, value] of from.scan(...rangeOf(KEY_PREFIX.stream, startIndex))) yield readFrom(headCodec, value);
}

/** How many chunks of each stream the body of a run has written in each scope. */
export function* scopesOf(from: StateReader, { startIndex }: StreamsOf): Generator<StreamScope> {
  for (const [, value] of from.scan(...rangeOf(KEY_PREFIX.streamScope, startIndex))) yield readFrom(scopeCodec, value);
}

/** Batches that hold chunks from an offset on, which must be kept. */
export function* batchesFrom(
  from: StateReader,
  { startKey }: StreamsOf,
  { number, first }: StreamHead,
  offset: number,
): Generator<StreamBatch> {
  // The batch that holds an offset begins less than MAX_CHUNKS_PER_ENTRY before it.
  const isStart = from.get(streamBatchKey(startKey, number, offset)) !== undefined;
  const begin = isStart ? offset : Math.max(first, offset - MAX_CHUNKS_PER_ENTRY + 1);
  const [, end] = batchRange(startKey, number);
  for (const [, value] of from.scan(streamBatchKey(startKey, number, begin), end)) {
    const size = sizeOfBatch(value);
    if (size.offset + size.chunks > offset) yield readFrom(batchCodec, value);
  }
}

/** Writes a stream's head. */
export function putStream(to: RecordSink, { startKey }: StreamsOf, head: StreamHead): void {
  to.put(streamKey(startKey, head.name), written(headCodec, head));
}

/** Writes a batch of a stream. */
export function putBatch(to: RecordSink, { startKey }: StreamsOf, batch: StreamBatch): void {
  to.put(streamBatchKey(startKey, batch.stream, batch.offset), written(batchCodec, batch));
}

/** Where the count of a scope stands, and what it is. */
export function scopeAt(
  from: StateReader | RecordSink,
  { startKey }: StreamsOf,
  stream: number,
  scope: string,
): { readonly key: StateKey; readonly counted: number } {
  const hash = pathHash(scope);
  for (let probe = 0; ; probe++) {
    const key = streamScopeKey(startKey, stream, hash, probe);
    const found = from.get(key);
    if (found === undefined) return { key, counted: 0 };
    const standing = readFrom(scopeCodec, found);
    if (standing.scope === scope) return { key, counted: standing.chunks };
  }
}

function batchRange(startKey: StateKey, stream: number): readonly [start: StateKey, end: StateKey] {
  return suffixRange(KEY_PREFIX.streamBatch + startKey + numberKey(stream));
}

/** Chunks of the body by scope. */
function countsOf(spans: readonly StreamSpan[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { place, attempt, values } of spans) {
    if (attempt === 0) counts.set(place, (counts.get(place) ?? 0) + values.length);
  }
  return counts;
}
