/**
 * Where a run's records stand in the store. It knows keys and codecs and nothing of what commands mean, so that the tables and a snapshot
 * that is being restored write alike.
 */
import type { StateKey, StateReader } from "@raftoral/raft-core";
import { isUndone } from "../../model/mending.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { RunOutcome } from "../../model/runs/run-outcome.ts";
import { seatGroup, waitingGroup } from "../../records/index-keys.ts";
import {
  delayedPrefix,
  heldPrefix,
  historyKey,
  idKey,
  KEY_PREFIX,
  lastNumberIn,
  numberIn,
  numberKey,
  pathHash,
  rangeOf,
} from "../../records/state-keys.ts";
import { readerOf } from "../../wire/command-wire.ts";
import { decodeArchive } from "../archive.ts";
import { runNames } from "../blobs/blob-references.ts";
import { createdPlace, endedKey } from "../lists/run-index.ts";
import { queuePlaceKey } from "../queues/queue-records.ts";
import { firstKeys } from "./first-keys.ts";
import {
  type DecodedHistoryRecord,
  decodeHistoryRecord,
  decodeNumber,
  decodeOutcome,
  decodeRun,
  decodeSignal,
  encodeHistoryRecord,
  encodeNumber,
  encodeOutcome,
  encodeRun,
  encodeSignal,
} from "./record-codec.ts";
import type { BufferedSignal, RunRecord } from "./run-record.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** As much of a store as is needed to write: a replacement has only this. */
export interface RecordSink {
  get(key: StateKey): Uint8Array | undefined;
  put(key: StateKey, value: Uint8Array): void;
  /** As `put`, for a key that is not there. */
  insert?(key: StateKey, value: Uint8Array): void;
}

/** Writes a run's record, and with the first one where it is found. */
export function putRun(to: RecordSink, run: RunRecord): void {
  to.put(KEY_PREFIX.run + run.startKey, encodeRun(run));
}

/** Makes a run known by its id. */
export function putId(to: RecordSink, run: RunRecord): void {
  to.put(idKey(run.runId), encodeNumber(run.startIndex));
}

/** The key under which a run is found while it runs, by its seat, by what it waits for, by when it is due or as a stuck one, and by its end afterwards. */
export function placeKey(run: RunRecord): StateKey {
  const { head, startKey, workflowType, version, behaviourLevel } = run;
  if (head.status === "finished") return endedKey(run, head);
  if (head.mismatch !== undefined)
    return heldPrefix(workflowType, version) + numberKey(behaviourLevel) + numberKey(head.mismatch.heldAt) + startKey;
  if (head.stuck === "delayed") return delayedPrefix(run.isDelay) + numberKey(run.startAtMs) + startKey;
  if (head.stuck !== undefined) return KEY_PREFIX.stuck + startKey;
  if (head.seat === 0 && head.queued !== undefined) return queuePlaceKey(run, head.queued);
  if (head.seat === 0) return waitingGroup({ type: workflowType, version, behaviourLevel }) + createdPlace(run);
  return seatGroup(head.seat) + createdPlace(run);
}

/** Start index of the run that a key of {@link placeKey} is of. */
export function startInPlace(key: StateKey): number {
  return lastNumberIn(key);
}

/** Stores the archive of a run that has ended. */
export function putArchive(to: RecordSink, { startKey }: RunRecord, archive: Uint8Array): void {
  to.put(KEY_PREFIX.archive + startKey, archive);
}

/** Stores a run's input. A run without input has no such record. */
export function putInput(to: RecordSink, run: RunRecord, input: Uint8Array): void {
  if (input.length > 0) to.put(KEY_PREFIX.input + run.startKey, input);
  putNamed(to, run, input);
}

/** Stores how a run ended. Gives how many bytes that takes. */
export function putOutcome(to: RecordSink, run: RunRecord, outcome: RunOutcome): number {
  const bytes = encodeOutcome(outcome);
  to.put(KEY_PREFIX.outcome + run.startKey, bytes);
  if (outcome.status === "completed") putNamed(to, run, outcome.result);
  return bytes.length;
}

/** Stores a signal that no wait has received yet. */
export function putSignal(to: RecordSink, run: RunRecord, signal: BufferedSignal): void {
  to.put(signalKey(run.startKey, signal), encodeSignal(signal));
  putNamed(to, run, signal.payload);
}

/** The run names the blob of a value, if the value refers to one; its record tells that it has named some. */
export function putNamed(to: RecordSink, run: RunRecord, value: Uint8Array): void {
  if (!runNames(to, run.startKey, value) || run.hasExtras) return;
  run.hasExtras = true;
  putRun(to, run);
}

/** Where a buffered signal stands: by the run's start, then by its number. */
export function signalKey(startKey: StateKey, { number }: BufferedSignal): StateKey {
  return KEY_PREFIX.signal + startKey + numberKey(number);
}

/** Records a record at a path that has none, or gives the one that stands there. A record that does not count any more gives way (model/mending.ts ME1). */
export function putHistoryRecord(
  to: RecordSink,
  run: RunRecord,
  path: string,
  record: HistoryRecord,
): HistoryRecord | undefined {
  const { startKey, hashes, head } = run;
  const hash = pathHash(path);
  const isNew = hashes !== undefined && !hashes.has(hash);
  for (let probe = 0; ; probe++) {
    const key = historyKey(startKey, hash, probe);
    const found = isNew ? undefined : to.get(key);
    if (found === undefined) {
      const content = encodeHistoryRecord(path, record);
      putNamed(to, run, record.value);
      if (isNew) hashes.set(hash, content);
      if (to.insert === undefined) to.put(key, content);
      else to.insert(key, content);
      return undefined;
    }
    const standing = decodeHistoryRecord(readerOf(found));
    if (standing.path !== path) continue;
    const { kind, position } = standing.record;
    if (!isUndone(head.mending, kind, position)) return standing.record;
    putNamed(to, run, record.value);
    to.put(key, encodeHistoryRecord(path, record));
    return undefined;
  }
}

/** The record at a path of a run; undefined when there is none that counts. Takes one look-up for each path with the same hash. */
export function findHistoryRecord(
  from: RecordSink | StateReader,
  run: RunRecord,
  path: string,
): HistoryRecord | undefined {
  const found = findAnyRecord(from, run, path);
  return found === undefined || isUndone(run.head.mending, found.kind, found.position) ? undefined : found;
}

/** As {@link findHistoryRecord}, also one that does not count any more (model/mending.ts ME1). */
export function findAnyRecord(
  from: RecordSink | StateReader,
  { startKey, hashes }: RunRecord,
  path: string,
): HistoryRecord | undefined {
  const hash = pathHash(path);
  if (hashes !== undefined && !hashes.has(hash)) return undefined;
  for (let probe = 0; ; probe++) {
    const found = from.get(historyKey(startKey, hash, probe));
    if (found === undefined) return undefined;
    const standing = decodeHistoryRecord(readerOf(found));
    if (standing.path === path) return standing.record;
  }
}

/** The record at a path of a run, also of one that has ended. */
export function recordAt(from: StateReader, run: RunRecord, path: string): HistoryRecord | undefined {
  const archive = run.head.status === "finished" ? from.get(KEY_PREFIX.archive + run.startKey) : undefined;
  if (archive === undefined) return findHistoryRecord(from, run, path);
  for (const content of decodeArchive(archive)) {
    const found = decodeHistoryRecord(readerOf(content));
    if (found.path === path) return found.record;
  }
  return undefined;
}

/** A record of a run's history, by its content. */
export function recordIn(content: Uint8Array): readonly [path: string, record: HistoryRecord] {
  const { path, record } = decodeHistoryRecord(readerOf(content));
  return [path, record];
}

/** The records of an archive with their paths, in their order. */
export function* archivedRecords(archive: Uint8Array): Generator<readonly [path: string, record: HistoryRecord]> {
  for (const content of decodeArchive(archive)) yield recordIn(content);
}

/** How many checkpoints a run has. Counted once, then kept. */
export function recordCountOf(from: StateReader, run: RunRecord): number {
  if (run.head.status === "finished" && run.head.archived > 0) return run.head.archived;
  if (run.recordCount !== undefined) return run.recordCount;
  let count = 0;
  const all = run.head.mending.undone.length === 0;
  for (const [, content] of from.scan(...rangeOf(KEY_PREFIX.history, run.startIndex))) {
    if (all || counts(run, content)) count += 1;
  }
  run.recordCount = count;
  return count;
}

/** As {@link recordCountOf}, up to `limit`: the work that counting takes at most. Nothing is kept. */
export function recordCountUpTo(from: StateReader, run: RunRecord, limit: number): number {
  if (run.head.status === "finished" && run.head.archived > 0) return Math.min(run.head.archived, limit);
  if (run.recordCount !== undefined) return Math.min(run.recordCount, limit);
  return firstKeys(from.scan(...rangeOf(KEY_PREFIX.history, run.startIndex)), limit).length;
}

/** A run's checkpoints in the order in which they were committed. */
export function historyOf(from: StateReader, run: RunRecord): DecodedHistoryRecord[] {
  if (recordCountOf(from, run) === 0) return [];
  const archive = run.head.status === "finished" ? from.get(KEY_PREFIX.archive + run.startKey) : undefined;
  if (archive !== undefined) {
    return decodeArchive(archive).map((content) => decodeHistoryRecord(readerOf(content)));
  }
  const found: DecodedHistoryRecord[] = [];
  for (const [, value] of from.scan(...rangeOf(KEY_PREFIX.history, run.startIndex))) {
    if (counts(run, value)) found.push(decodeHistoryRecord(readerOf(value)));
  }
  return found.sort((a, b) => a.record.position - b.record.position);
}

/** Paths of the signals that a running run had received and that do not count any more. */
export function keptSignals(from: StateReader, { startIndex, head }: RunRecord): readonly string[] {
  const paths: string[] = [];
  if (head.status === "finished" || head.mending.undone.length === 0) return paths;
  for (const [, content] of from.scan(...rangeOf(KEY_PREFIX.history, startIndex))) {
    const { path, record } = decodeHistoryRecord(readerOf(content));
    if (record.kind === "signal" && isUndone(head.mending, record.kind, record.position)) paths.push(path);
  }
  return paths;
}

/** Whether a record of a run counts, by its content (model/mending.ts ME1, ME2). */
export function counts({ head }: RunRecord, content: Uint8Array): boolean {
  if (head.mending.undone.length === 0) return true;
  const { kind, position } = decodeHistoryRecord(readerOf(content)).record;
  return !isUndone(head.mending, kind, position);
}

/** The bytes that a run was started with; none for a run without input. */
export function inputOf(from: StateReader, { startKey }: RunRecord): Uint8Array {
  return from.get(KEY_PREFIX.input + startKey) ?? NOTHING;
}

/** How a run has ended. */
export function outcomeOf(from: StateReader, { startKey }: RunRecord, status: RunOutcome["status"]): RunOutcome {
  return decodeOutcome(status, from.get(KEY_PREFIX.outcome + startKey) ?? NOTHING);
}

/** Start index of the run with this id; undefined when no such run is kept. */
export function startOf(from: StateReader | RecordSink, runId: string): number | undefined {
  const found = from.get(idKey(runId));
  return found === undefined ? undefined : decodeNumber(found);
}

/** Start index of a run, out of the record of its id. */
export function startNamedBy(idRecord: Uint8Array): number {
  return decodeNumber(idRecord);
}

/** The run that started at `startIndex`. */
export function loadRun(from: StateReader, startIndex: number): RunRecord | undefined {
  const startKey = numberKey(startIndex);
  const record = from.get(KEY_PREFIX.run + startKey);
  if (record === undefined) return undefined;
  const { facts, head, attributes, hasExtras, hasAsked } = decodeRun(readerOf(record));
  const known = {
    ...facts,
    startKey,
    head,
    attributes,
    hasExtras,
    hasAsked,
    recordCount: undefined,
    hashes: undefined,
  };
  if (head.status === "finished") {
    return { ...known, signals: [] };
  }
  const signals: BufferedSignal[] = [];
  for (const [key, value] of from.scan(...rangeOf(KEY_PREFIX.signal, startIndex))) {
    signals.push(decodeSignal(readerOf(value), numberIn(key, 8)));
  }
  return { ...known, signals };
}
