/**
 * Queues and their keys as the store has them, and the keys of all that stands in a queue.
 *
 * QR1. Entries of runs follow from the run's record, entries of keys from the key's record; queue and key are named by numbers there, so that entries are short.
 * QR2. Waiting runs of a key and lane sort by priority, then by creation; ready keys of a lane by the priority of their first run, then by turn.
 */
import type { StateKey } from "@raftoral/raft-core";
import type { WireReader } from "@raftoral/raft-core/wire";
import type { RunNeeds } from "../../model/runs/run-needs.ts";
import {
  MAX_PRIORITY_NUMBER,
  NO_LIMITS,
  type QueueLimits,
  type QueuePlace,
  queueLimitsCodec,
} from "../../model/runs/run-queue.ts";
import { KEY_PREFIX, lengthAndText, numberIn, numberKey, textKey } from "../../records/state-keys.ts";
import { readerOf } from "../../wire/command-wire.ts";
import { bool, message, messages, optional, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import type { MessageCodec } from "../../wire/wire-types.ts";
import { createdPlace } from "../lists/run-index.ts";
import type { RunRecord } from "../runs/run-record.ts";
import { invalid } from "../snapshots/snapshot-format.ts";

/** Which of the records below one is: its first field. */
const SORT = Object.freeze({ queue: 1, key: 2, ready: 3, parked: 4, dedupe: 5 });

/** Runs of a queue that need the same of a node. */
export interface Lane extends RunNeeds {
  readonly laneId: number;
  waiting: number;
  /** Runs that were let through and that no node can take. */
  unplaced: number;
}

/** Runs of a queue on one seat. */
interface SeatCount {
  readonly seat: number;
  readonly runs: number;
}

/** A queue as it is stored. */
export interface StoredQueue {
  readonly sort: number;
  readonly queueId: number;
  readonly name: string;
  readonly limits: QueueLimits;
  /** The limits that code declared last; absent when none did. */
  readonly declared?: QueueLimits;
  readonly isPaused: boolean;
  readonly waiting: number;
  readonly delayed: number;
  readonly running: number;
  /** Its runs that count in none of these, for they are stuck, paused or not to begin yet: they come back to it. */
  readonly away: number;
  /** Runs that were let through so far, and how many of them no window of the rate counts any more. */
  readonly admitted: number;
  readonly expired: number;
  /** The turn of the key that was served last. */
  readonly turn: number;
  readonly nextLaneId: number;
  readonly lanes: readonly Lane[];
  readonly seats: readonly SeatCount[];
  /** Whether a run may have become ready. */
  readonly isDue: boolean;
  /** One more than the id of the last parked key that was looked at since a limit was raised; 0 while none is to be looked at. */
  readonly unparkFrom: number;
}

/** A key of a queue that has runs in it. */
export interface QueueKey {
  readonly sort: number;
  readonly queueId: number;
  readonly key: string;
  readonly keyId: number;
  /** Runs that were let through. */
  readonly running: number;
  /** The turn at which it is served next. */
  readonly turn: number;
  readonly lanes: readonly KeyLane[];
  /** Whether it has as many runs as it may have, and so no entry among the ready ones. */
  readonly isParked: boolean;
}

/** Waiting runs of a key in one lane. */
export interface KeyLane {
  readonly laneId: number;
  readonly waiting: number;
  /** The priority and turn of its entry among the ready keys, the first one more than it is; 0 without an entry. */
  readonly readyAt: number;
  readonly readyTurn: number;
}

/** A key that may be served. */
export interface ReadyKey {
  readonly sort: number;
  readonly queueId: number;
  readonly laneId: number;
  readonly priority: number;
  readonly turn: number;
  readonly keyId: number;
  readonly key: string;
}

/** A key that may not be served until one of its runs ends. */
export interface ParkedKey {
  readonly sort: number;
  readonly queueId: number;
  readonly keyId: number;
  readonly key: string;
}

const laneCodec = messageCodec<Lane>(
  {
    laneId: uint(1),
    type: string(2),
    version: uint(3),
    behaviourLevel: uint(4),
    waiting: uint(5),
    unplaced: uint(6),
  },
  {},
);
const seatCodec = messageCodec<SeatCount>({ seat: uint(1), runs: uint(2) }, {});

export const storedQueueCodec = messageCodec<StoredQueue>(
  {
    sort: uint(1),
    queueId: uint(2),
    name: string(3),
    limits: message(4, queueLimitsCodec, NO_LIMITS),
    declared: optional(message(5, queueLimitsCodec, NO_LIMITS)),
    isPaused: bool(6),
    waiting: uint(7),
    delayed: uint(8),
    running: uint(9),
    admitted: uint(10),
    expired: uint(11),
    turn: uint(12),
    nextLaneId: uint(13),
    lanes: messages(14, laneCodec),
    seats: messages(15, seatCodec),
    isDue: bool(16),
    unparkFrom: uint(17),
    away: uint(18),
  },
  {},
);

const keyLaneCodec = messageCodec<KeyLane>(
  { laneId: uint(1), waiting: uint(2), readyAt: uint(3), readyTurn: uint(4) },
  {},
);

export const queueKeyCodec = messageCodec<QueueKey>(
  {
    sort: uint(1),
    queueId: uint(2),
    key: string(3),
    keyId: uint(4),
    running: uint(5),
    turn: uint(6),
    lanes: messages(7, keyLaneCodec),
    isParked: bool(8),
  },
  {},
);

export const readyKeyCodec = messageCodec<ReadyKey>(
  {
    sort: uint(1),
    queueId: uint(2),
    laneId: uint(3),
    priority: uint(4),
    turn: uint(5),
    keyId: uint(6),
    key: string(7),
  },
  {},
);

export const parkedKeyCodec = messageCodec<ParkedKey>(
  { sort: uint(1), queueId: uint(2), keyId: uint(3), key: string(4) },
  {},
);

/** The run that has a key for which another start gives it. */
interface Deduped {
  readonly sort: number;
  readonly name: string;
  readonly dedupeKey: string;
  /** Place of the run's start. */
  readonly start: number;
}

export const dedupedCodec = messageCodec<Deduped>(
  { sort: uint(1), name: string(2), dedupeKey: string(3), start: uint(4) },
  {},
);

/** What is stored of a run that has a dedupe key. */
export function deduped(name: string, dedupeKey: string, start: number): Deduped {
  return { sort: SORT.dedupe, name, dedupeKey, start };
}

/** What a queue is stored as first. */
export function newQueue(queueId: number, name: string, limits: QueueLimits): StoredQueue {
  const counts = { waiting: 0, delayed: 0, running: 0, away: 0, admitted: 0, expired: 0, turn: 0 };
  const empty = { isPaused: false, nextLaneId: 1, lanes: [], seats: [], isDue: false, unparkFrom: 0 };
  return { sort: SORT.queue, queueId, name, limits, ...counts, ...empty };
}

/** What a key is stored as first. */
export function newKey(queueId: number, key: string, keyId: number, turn: number): QueueKey {
  return { sort: SORT.key, queueId, key, keyId, running: 0, turn, lanes: [], isParked: false };
}

/** The entry of a key that may be served. */
export function readyKey(facts: Omit<ReadyKey, "sort">): ReadyKey {
  return { sort: SORT.ready, ...facts };
}

/** The entry of a key that may not. */
export function parkedKey({ queueId, keyId, key }: QueueKey): ParkedKey {
  return { sort: SORT.parked, queueId, keyId, key };
}

/** Where a queue's record stands. */
export function queueRecordKey(name: string): StateKey {
  return KEY_PREFIX.queue + textKey(name);
}

/** Where a key's record stands. */
export function keyRecordKey(queueId: number, key: string): StateKey {
  return KEY_PREFIX.queueKey + numberKey(queueId) + textKey(key);
}

/** What the entries of a lane's ready keys begin with. */
export function readyPrefix(queueId: number, laneId: number): StateKey {
  return KEY_PREFIX.queueReady + numberKey(queueId) + numberKey(laneId);
}

/** Where the entry of a ready key stands (QR2). */
export function readyEntryKey({ queueId, laneId, priority, turn, keyId }: Omit<ReadyKey, "sort" | "key">): StateKey {
  return readyPrefix(queueId, laneId) + priorityKey(priority) + numberKey(turn) + numberKey(keyId);
}

/** Where the entry of a parked key stands. */
export function parkedEntryKey(queueId: number, keyId: number): StateKey {
  return KEY_PREFIX.queueParked + numberKey(queueId) + numberKey(keyId);
}

/** What the entries of the waiting runs of a key and lane begin with. */
export function waitingRunsPrefix(queueId: number, keyId: number, laneId: number): StateKey {
  return KEY_PREFIX.queued + numberKey(queueId) + numberKey(keyId) + numberKey(laneId);
}

/** The priority of the run that an entry of {@link queuePlaceKey} is of. */
export function priorityIn(entry: StateKey): number {
  const at = KEY_PREFIX.queued.length + 3 * 7;
  return MAX_PRIORITY_NUMBER - (entry.charCodeAt(at) * 256 + entry.charCodeAt(at + 1));
}

/** What the entries of a lane's runs begin with that no node can take. */
export function unplacedPrefix(queueId: number, laneId: number): StateKey {
  return KEY_PREFIX.unplaced + numberKey(queueId) + numberKey(laneId);
}

/** The key of a run that is in a queue and on no seat (QR1). */
export function queuePlaceKey(run: RunRecord, { stage, queueId, keyId, laneId, dueAtMs }: QueuePlace): StateKey {
  if (stage === "admitted") return unplacedPrefix(queueId, laneId) + createdPlace(run);
  if (stage === "delayed") return KEY_PREFIX.putOff + numberKey(dueAtMs) + run.startKey;
  const order = priorityKey(run.queue?.priority ?? 0) + numberKey(run.family);
  return waitingRunsPrefix(queueId, keyId, laneId) + order + run.startKey;
}

/** When the first of the delayed runs is due, by its entry. */
export function dueIn(entry: StateKey): number {
  return numberIn(entry, KEY_PREFIX.putOff.length);
}

/** Where the run is named that has a key for which another start gives it. */
export function dedupeEntryKey(name: string, dedupeKey: string): StateKey {
  return KEY_PREFIX.queueDedupe + lengthAndText(name) + textKey(dedupeKey);
}

/** The key of a record of a queue, out of its content, as a snapshot has it. Throws SNAPSHOT_INVALID for another one. */
export function queueStateKey(content: WireReader): StateKey {
  const bytes = content.rest();
  const read = <T>(codec: MessageCodec<T>): T => codec.read(readerOf(bytes));
  const from = readerOf(bytes);
  const sort = from.field() === 1 ? from.uint() : 0;
  switch (sort) {
    case SORT.queue:
      return queueRecordKey(read(storedQueueCodec).name);
    case SORT.key: {
      const { queueId, key } = read(queueKeyCodec);
      return keyRecordKey(queueId, key);
    }
    case SORT.ready:
      return readyEntryKey(read(readyKeyCodec));
    case SORT.parked: {
      const { queueId, keyId } = read(parkedKeyCodec);
      return parkedEntryKey(queueId, keyId);
    }
    case SORT.dedupe: {
      const { name, dedupeKey } = read(dedupedCodec);
      return dedupeEntryKey(name, dedupeKey);
    }
    default:
      throw invalid(`there is no record of a queue of sort ${sort}`);
  }
}

/** Higher ones first. */
function priorityKey(priority: number): StateKey {
  const inverted = MAX_PRIORITY_NUMBER - Math.min(priority, MAX_PRIORITY_NUMBER);
  return String.fromCharCode(inverted >>> 8, inverted & 0xff);
}
