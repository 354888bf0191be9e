/**
 * Where a run's records stand in the store. It knows keys and codecs and nothing of what commands mean, so that the tables and a snapshot
 * that is being restored write alike.
 */
import type { StateKey, StateReader } from "@raftoral/raft-core";
import type { CheckpointRecord } from "../command/command-result.ts";
import { WireReader } from "../command/wire-reader.ts";
import type { RunOutcome } from "../command/workflow-command.ts";
import { decodeArchive } from "./archive.ts";
import {
  type DecodedCheckpoint,
  decodeCheckpoint,
  decodeNumber,
  decodeOutcome,
  decodeRun,
  decodeSignal,
  encodeCheckpoint,
  encodeNumber,
  encodeOutcome,
  encodeRun,
  encodeSignal,
} from "./record-codec.ts";
import type { BufferedSignal, RunRecord } from "./run-record.ts";
import { checkpointKey, idKey, numberIn, numberKey, pathHash, RECORD_KIND, rangeOf } from "./state-keys.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** As much of a store as is needed to write: a replacement has no more. */
export interface RecordSink {
  get(key: StateKey): Uint8Array | undefined;
  put(key: StateKey, value: Uint8Array): void;
  /** As `put`, for a key that is not there. */
  insert?(key: StateKey, value: Uint8Array): void;
}

/** Writes a run's record, and with the first one where it is found. */
export function putRun(to: RecordSink, run: RunRecord): void {
  to.put(RECORD_KIND.run + run.startKey, encodeRun(run));
}

/** Makes a run known by its id, and by its owner or its end. */
export function putPlace(to: RecordSink, run: RunRecord): void {
  to.put(idKey(run.runId), encodeNumber(run.startIndex));
  if (to.insert === undefined) to.put(placeKey(run), NOTHING);
  else to.insert(placeKey(run), NOTHING);
}

/** The key under which a run is found by its owner while it runs, and by its end afterwards. */
export function placeKey({ head, startKey }: RunRecord): StateKey {
  return head.status === "Running"
    ? RECORD_KIND.owned + numberKey(head.owner) + startKey
    : RECORD_KIND.ended + numberKey(head.endIndex) + startKey;
}

/** Start index of the run that a key of {@link placeKey} is of. */
export function startInPlace(key: StateKey): number {
  return numberIn(key, 8);
}

export function putArchive(to: RecordSink, { startKey }: RunRecord, archive: Uint8Array): void {
  to.put(RECORD_KIND.archive + startKey, archive);
}

export function putInput(to: RecordSink, { startKey }: RunRecord, input: Uint8Array): void {
  if (input.length > 0) to.put(RECORD_KIND.input + startKey, input);
}

export function putOutcome(to: RecordSink, { startKey }: RunRecord, outcome: RunOutcome): void {
  to.put(RECORD_KIND.outcome + startKey, encodeOutcome(outcome));
}

export function putSignal(to: RecordSink, { startKey }: RunRecord, signal: BufferedSignal): void {
  to.put(signalKey(startKey, signal), encodeSignal(signal));
}

export function signalKey(startKey: StateKey, { number }: BufferedSignal): StateKey {
  return RECORD_KIND.signal + startKey + numberKey(number);
}

/** Records a checkpoint at a path that has none, or gives the one that stands there. */
export function putCheckpoint(
  to: RecordSink,
  { startKey, hashes }: RunRecord,
  path: string,
  checkpoint: CheckpointRecord,
): CheckpointRecord | undefined {
  const hash = pathHash(path);
  const isNew = hashes !== undefined && !hashes.has(hash);
  for (let probe = 0; ; probe++) {
    const key = checkpointKey(startKey, hash, probe);
    const found = isNew ? undefined : to.get(key);
    if (found === undefined) {
      const content = encodeCheckpoint(path, checkpoint);
      if (isNew) hashes.set(hash, content);
      if (to.insert === undefined) to.put(key, content);
      else to.insert(key, content);
      return undefined;
    }
    const standing = decodeCheckpoint(new WireReader(found));
    if (standing.path === path) return standing.checkpoint;
  }
}

export function findCheckpoint(
  from: RecordSink | StateReader,
  { startKey, hashes }: RunRecord,
  path: string,
): CheckpointRecord | undefined {
  const hash = pathHash(path);
  if (hashes !== undefined && !hashes.has(hash)) return undefined;
  for (let probe = 0; ; probe++) {
    const found = from.get(checkpointKey(startKey, hash, probe));
    if (found === undefined) return undefined;
    const standing = decodeCheckpoint(new WireReader(found));
    if (standing.path === path) return standing.checkpoint;
  }
}

/** How many checkpoints a run has. Counted once, then kept. */
export function checkpointCountOf(from: StateReader, run: RunRecord): number {
  if (run.checkpointCount !== undefined) return run.checkpointCount;
  let count = 0;
  for (const _ of from.scan(...rangeOf(RECORD_KIND.checkpoint, run.startIndex))) count += 1;
  run.checkpointCount = count;
  return count;
}

/** A run's checkpoints in the order in which they were committed. */
export function checkpointsOf(from: StateReader, run: RunRecord): DecodedCheckpoint[] {
  if (checkpointCountOf(from, run) === 0) return [];
  const archive = run.head.status === "Finished" ? from.get(RECORD_KIND.archive + run.startKey) : undefined;
  if (archive !== undefined) {
    return decodeArchive(archive).map((content) => decodeCheckpoint(new WireReader(content)));
  }
  const found: DecodedCheckpoint[] = [];
  for (const [, value] of from.scan(...rangeOf(RECORD_KIND.checkpoint, run.startIndex))) {
    found.push(decodeCheckpoint(new WireReader(value)));
  }
  return found.sort((a, b) => a.checkpoint.index - b.checkpoint.index);
}

export function inputOf(from: StateReader, { startKey }: RunRecord): Uint8Array {
  return from.get(RECORD_KIND.input + startKey) ?? NOTHING;
}

/** How a run has ended. */
export function outcomeOf(from: StateReader, { startKey }: RunRecord, status: RunOutcome["status"]): RunOutcome {
  return decodeOutcome(status, from.get(RECORD_KIND.outcome + startKey) ?? NOTHING);
}

export function startOf(from: StateReader | RecordSink, runId: string): number | undefined {
  const found = from.get(idKey(runId));
  return found === undefined ? undefined : decodeNumber(found);
}

/** The run that started at `startIndex`. */
export function loadRun(from: StateReader, startIndex: number): RunRecord | undefined {
  const startKey = numberKey(startIndex);
  const record = from.get(RECORD_KIND.run + startKey);
  if (record === undefined) return undefined;
  const { facts, head, checkpointCount } = decodeRun(new WireReader(record));
  if (head.status === "Finished") {
    return { ...facts, startKey, head, checkpointCount, hashes: undefined, signals: [] };
  }
  const signals: BufferedSignal[] = [];
  for (const [key, value] of from.scan(...rangeOf(RECORD_KIND.signal, startIndex))) {
    signals.push(decodeSignal(new WireReader(value), numberIn(key, 8)));
  }
  return { ...facts, startKey, head, checkpointCount: undefined, hashes: undefined, signals };
}
