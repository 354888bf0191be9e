/**
 * The state as a stream of chunks, made of the records of a view.
 *
 * E1. What is captured is the view: whatever is applied meanwhile does not show.
 * E2. Runs come in the order in which they ended, then the running ones in the order of their start; checkpoints in the order in which they
 *     were committed. So equal states are equal bytes, on every node and on every store.
 * E3. A record of the store is written as it is: nothing is decoded that need not be.
 */

import type { StateView } from "@raftoral/raft-core";
import type { WireWriter } from "@raftoral/raft-core/wire";
import { HEADER_KEY, KEY_PREFIX, kindRange, numberKey, rangeOf } from "../../records/state-keys.ts";
import { writerOf } from "../../wire/command-wire.ts";
import { decodeArchive, positionIn } from "../archive.ts";
import { startInPlace } from "../runs/run-records.ts";
import { decodeHeader } from "../state-header.ts";
import { RECORD, SNAPSHOT_FORMAT_VERSION, SNAPSHOT_MAGIC } from "./snapshot-format.ts";
import { SNAPSHOT_RECORDS } from "./snapshot-records.ts";

/** A run's checkpoints are held in memory up to this many bytes, to be put in order; beyond, only their keys are. */
const MAX_HELD_BYTES = 1024 * 1024;
/** Fields of a run's record in a snapshot that have records of their own in the store. */
const INPUT_FIELD = 4;
const SIGNAL_FIELD = 19;
/** What the keys of all runs that have not ended begin with, by where they are. */
const OPEN_PLACES = [
  KEY_PREFIX.seated,
  KEY_PREFIX.waiting,
  KEY_PREFIX.stuck,
  KEY_PREFIX.held,
  KEY_PREFIX.delayed,
] as const;
/** Records of a run's streams, updates and changes of attributes, in the order in which they come. */
const OF_A_RUN = [
  [RECORD.stream, KEY_PREFIX.stream],
  [RECORD.streamBatch, KEY_PREFIX.streamBatch],
  [RECORD.streamScope, KEY_PREFIX.streamScope],
  [RECORD.update, KEY_PREFIX.update],
  [RECORD.attributeChange, KEY_PREFIX.attributeChange],
] as const;

/** Chunks have at most `chunkBytes`, and all but the last few of a large record as many. The view stays the caller's to close. */
export function* encodeSnapshot(view: StateView, chunkBytes: number): Generator<Uint8Array> {
  const out = writerOf(chunkBytes + 4096);
  const flush = function* (): Generator<Uint8Array> {
    const bytes = out.finish();
    out.reset();
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  };
  const emit = (kind: number, content: Uint8Array): void => {
    out.varint(kind);
    out.bareBytes(content);
  };
  const content = writerOf(4096);
  const { clock, lastEpoch, salt, uptimeMs } = decodeHeader(view.get(HEADER_KEY));
  out.raw(Uint8Array.from(SNAPSHOT_MAGIC));
  out.varint(SNAPSHOT_FORMAT_VERSION);
  content.uint(1, clock);
  content.uint(2, lastEpoch);
  content.string(3, salt);
  content.uint(4, uptimeMs);
  emit(RECORD.header, content.view());
  const counts = new Map<number, number>();
  const count = (kind: number): void => void counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (const { number, prefix } of SNAPSHOT_RECORDS) {
    for (const [, record] of view.scan(...kindRange(prefix))) {
      count(number);
      emit(number, record);
      if (out.length >= chunkBytes) yield* flush();
    }
  }
  for (const start of startsOf(view)) {
    count(RECORD.run);
    writeRun(content, view, start);
    emit(RECORD.run, content.view());
    for (const [kind, prefix] of OF_A_RUN) {
      for (const [, record] of view.scan(...rangeOf(prefix, start))) {
        count(kind);
        emit(kind, record);
        if (out.length >= chunkBytes) yield* flush();
      }
    }
    for (const checkpoint of inOrder(view, start)) {
      count(RECORD.checkpoint);
      emit(RECORD.checkpoint, checkpoint);
      if (out.length >= chunkBytes) yield* flush();
    }
    for (const [, progress] of view.scan(...rangeOf(KEY_PREFIX.progress, start))) {
      count(RECORD.progress);
      emit(RECORD.progress, progress);
      if (out.length >= chunkBytes) yield* flush();
    }
    if (out.length >= chunkBytes) yield* flush();
  }
  content.reset();
  // A field for each kind, by its number.
  for (const [kind, found] of [...counts].sort(([a], [b]) => a - b)) content.uint(kind, found);
  emit(RECORD.end, content.view());
  yield* flush();
}

/** E2. */
function* startsOf(view: StateView): Generator<number> {
  for (const [key] of view.scan(...kindRange(KEY_PREFIX.ended))) yield startInPlace(key);
  const running: number[] = [];
  for (const place of OPEN_PLACES) {
    for (const [key] of view.scan(...kindRange(place))) running.push(startInPlace(key));
  }
  yield* running.sort((a, b) => a - b);
}

function writeRun(to: WireWriter, view: StateView, start: number): void {
  const startKey = numberKey(start);
  to.reset();
  to.raw(view.get(KEY_PREFIX.run + startKey) ?? new Uint8Array(0));
  to.raw(view.get(KEY_PREFIX.outcome + startKey) ?? new Uint8Array(0));
  const input = view.get(KEY_PREFIX.input + startKey);
  if (input !== undefined) to.bytes(INPUT_FIELD, input);
  for (const [, signal] of view.scan(...rangeOf(KEY_PREFIX.signal, start))) to.message(SIGNAL_FIELD, signal);
}

/** The records of a run's checkpoints in the order in which they were committed (E2). */
function* inOrder(view: StateView, start: number): Generator<Uint8Array> {
  const archive = view.get(KEY_PREFIX.archive + numberKey(start));
  if (archive !== undefined) {
    yield* decodeArchive(archive);
    return;
  }
  const found: { readonly position: number; readonly key: string; held: Uint8Array | undefined }[] = [];
  let bytes = 0;
  for (const [key, value] of view.scan(...rangeOf(KEY_PREFIX.history, start))) {
    bytes += value.length;
    found.push({ position: positionIn(value), key, held: bytes > MAX_HELD_BYTES ? undefined : value });
  }
  found.sort((a, b) => a.position - b.position);
  for (const { key, held } of found) {
    const value = held ?? view.get(key);
    if (value !== undefined) yield value;
  }
}
