/**
 * The keys of queues: which of them may be served, and which are parked.
 *
 * QK1. A key with waiting runs has an entry among the ready ones of each of their lanes, unless it has as many runs as one may have: then it is parked.
 * QK2. Where the entries of a key are, its record says, so that they are replaced without a look for them.
 */
import { invariant, type StateKey, type StateRecord } from "@raftoral/raft-core";
import { PRIORITY_ZERO } from "../../model/runs/run-queue.ts";
import { KEY_PREFIX, numberKey, rangeOf } from "../../records/state-keys.ts";
import { firstKeys } from "../runs/first-keys.ts";
import { readFrom, written } from "../streams/stream-codec.ts";
import { isFull, type Queue } from "./queue.ts";
import {
  type KeyLane,
  keyRecordKey,
  parkedEntryKey,
  parkedKey,
  parkedKeyCodec,
  priorityIn,
  type QueueKey,
  queueKeyCodec,
  type ReadyKey,
  readyEntryKey,
  readyKey,
  readyKeyCodec,
  readyPrefix,
  waitingRunsPrefix,
} from "./queue-records.ts";

/** What queues are kept in. */
export interface QueueStore {
  get(key: StateKey): Uint8Array | undefined;
  scan(start: StateKey, end: StateKey): Iterable<StateRecord>;
  put(key: StateKey, value: Uint8Array): void;
  delete(key: StateKey): void;
}

/** The keys of the queues of one state machine, over its store (QK1, QK2). */
export class QueueKeys {
  readonly #store: QueueStore;

  constructor(store: QueueStore) {
    this.#store = store;
  }

  /** A key that has runs in the queue. */
  of({ queueId }: Queue, key: string): QueueKey | undefined {
    const found = this.#store.get(keyRecordKey(queueId, key));
    return found === undefined ? undefined : readFrom(queueKeyCodec, found);
  }

  /** The first ready key of a lane. */
  firstReady({ queueId }: Queue, laneId: number): ReadyKey | undefined {
    const prefix = readyPrefix(queueId, laneId);
    for (const [, value] of this.#store.scan(prefix, `${prefix}\u00ff`)) return readFrom(readyKeyCodec, value);
    return undefined;
  }

  /** Entry of the first of the waiting runs of a key in a lane. */
  firstWaiting({ queueId }: Queue, keyId: number, laneId: number): StateKey | undefined {
    const prefix = waitingRunsPrefix(queueId, keyId, laneId);
    return firstKeys(this.#store.scan(prefix, `${prefix}\u00ff`), 1)[0];
  }

  /** Looks again whether a key is ready or parked (QK1). */
  refresh(queue: Queue, key: string): void {
    const known = this.of(queue, key);
    if (known !== undefined) this.put(queue, known);
  }

  /** Looks at the next parked key; false when none is left. The queue changes. */
  unparkNext(queue: Queue): boolean {
    const [, end] = rangeOf(KEY_PREFIX.queueParked, queue.queueId);
    const from = KEY_PREFIX.queueParked + numberKey(queue.queueId) + numberKey(queue.unparkFrom - 1);
    for (const [, value] of this.#store.scan(from, end)) {
      const { keyId, key } = readFrom(parkedKeyCodec, value);
      queue.unparkFrom = keyId + 2;
      this.refresh(queue, key);
      return true;
    }
    queue.unparkFrom = 0;
    return false;
  }

  /** Stores a key with its entries (QK1, QK2). Its entries as the record has them so far are replaced. */
  put(queue: Queue, key: QueueKey): void {
    const { queueId } = queue;
    const { keyId, key: name } = key;
    const lanes = key.lanes.filter(({ waiting, readyAt }) => waiting > 0 || readyAt > 0);
    const isEmpty = key.running === 0 && lanes.every(({ waiting }) => waiting === 0);
    const isParked = !isEmpty && isFull(queue, key) && lanes.some(({ waiting }) => waiting > 0);
    const isBack = key.isParked || lanes.every(({ readyAt }) => readyAt === 0);
    // One that was not ready begins at the turn where the queue is.
    const turn = isBack && !isParked ? Math.max(key.turn, queue.turn) : key.turn;
    const placed: KeyLane[] = [];
    for (const lane of lanes) {
      const { laneId, waiting, readyAt, readyTurn } = lane;
      const at = { queueId, laneId, keyId };
      const first = waiting > 0 && !isParked ? this.firstWaiting(queue, keyId, laneId) : undefined;
      const priority = first === undefined ? PRIORITY_ZERO : priorityIn(first);
      const isSame = first !== undefined && readyAt === priority + 1 && readyTurn === turn;
      if (readyAt > 0 && !isSame) this.#store.delete(readyEntryKey({ ...at, priority: readyAt - 1, turn: readyTurn }));
      if (first !== undefined && !isSame) {
        const ready = readyKey({ ...at, priority, turn, key: name });
        this.#store.put(readyEntryKey(ready), written(readyKeyCodec, ready));
      }
      const entry = first === undefined ? { readyAt: 0, readyTurn: 0 } : { readyAt: priority + 1, readyTurn: turn };
      if (waiting > 0) placed.push({ laneId, waiting, ...entry });
    }
    if (isParked !== key.isParked) {
      if (isParked) this.#store.put(parkedEntryKey(queueId, keyId), written(parkedKeyCodec, parkedKey(key)));
      else this.#store.delete(parkedEntryKey(queueId, keyId));
    }
    const at = keyRecordKey(queueId, name);
    if (isEmpty) this.#store.delete(at);
    else this.#store.put(at, written(queueKeyCodec, { ...key, turn, isParked, lanes: placed }));
  }
}

/** A key with another number of waiting runs in a lane. */
export function withWaiting(key: QueueKey, laneId: number, change: number): QueueKey {
  const known = key.lanes.find((lane) => lane.laneId === laneId) ?? { laneId, waiting: 0, readyAt: 0, readyTurn: 0 };
  const lane = { ...known, waiting: known.waiting + change };
  invariant(lane.waiting >= 0, () => `key ${key.key} would have ${lane.waiting} waiting runs`);
  const lanes = [...key.lanes.filter((other) => other !== known), lane].sort((a, b) => a.laneId - b.laneId);
  return { ...key, lanes };
}
