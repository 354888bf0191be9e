/**
 * Queues: their limits, and which of their runs are where. Who is let through is decided in admission.ts.
 *
 * QT1. What a run counts for follows from its head: one that waits or is delayed counts for its queue and key, one that was let through for these and for its seat. It is
 *      told of every change of place ({@link QueueTable.enter}, {@link QueueTable.leave}), so the counts are those of the runs.
 * QT2. A key is known while runs of it wait or were let through. A lane is known while runs of it wait, or cannot be placed.
 * QT3. A key with waiting runs has an entry among the ready ones of each of their lanes, unless it has as many runs as one may have: then it is parked.
 * QT4. A queue is due after anything that may let a run through, until somebody has looked. That is stored, so a restarted node looks, too.
 * QT5. Nothing here walks over the runs or keys of a queue, or over more than the queues there may be.
 * QT6. A queue exists as long as a run of it has not ended, wherever that is: limits that a run began under are not forgotten while it may come back.
 */
import { invariant } from "@raftoral/raft-core";
import { needsText, type RunNeeds } from "../../model/runs/run-needs.ts";
import type { QueueLimits, QueuePlace, RunQueue } from "../../model/runs/run-queue.ts";
import type { Seat } from "../../nodes/seat.ts";
import { KEY_PREFIX, kindRange } from "../../records/state-keys.ts";
import type { RunRecord } from "../runs/run-record.ts";
import { readFrom, written } from "../streams/stream-codec.ts";
import { awayFrom, type Queue } from "./queue.ts";
import { QueueKeys, type QueueStore, withWaiting } from "./queue-keys.ts";
import {
  deduped,
  dedupedCodec,
  dedupeEntryKey,
  type Lane,
  newKey,
  newQueue,
  type QueueKey,
  queueRecordKey,
  storedQueueCodec,
} from "./queue-records.ts";

/** Queues that a cluster has at most: a node has all of them in memory. */
export const MAX_QUEUES = 1_000;

/** The queues of one state machine, over its store (QT1 to QT5). */
export class QueueTable {
  /** The keys of all queues. */
  readonly keys: QueueKeys;
  readonly #store: QueueStore;
  readonly #byName = new Map<string, Queue>();
  readonly #byId = new Map<number, Queue>();
  readonly #due = new Set<Queue>();
  readonly #changed = new Set<Queue>();
  /** Queues of which something has happened that the leader is to hear. */
  readonly #told = new Set<Queue>();

  constructor(store: QueueStore) {
    this.#store = store;
    this.keys = new QueueKeys(store);
    for (const [, value] of store.scan(...kindRange(KEY_PREFIX.queue))) {
      const { lanes, seats, declared, ...facts } = readFrom(storedQueueCodec, value);
      const counts = new Map(seats.map(({ seat, runs }) => [seat, runs]));
      this.#add({ ...facts, declared, lanes: lanes.map((lane) => ({ ...lane })), seats: counts });
    }
  }

  /** How many there are. */
  get size(): number {
    return this.#byName.size;
  }

  /** Whether any is due (QT4). */
  get isDue(): boolean {
    return this.#due.size > 0;
  }

  get(name: string): Queue | undefined {
    return this.#byName.get(name);
  }

  withId(queueId: number): Queue | undefined {
    return this.#byId.get(queueId);
  }

  /** By name. */
  all(): readonly Queue[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Those that are due, in the order of their definition. */
  due(): readonly Queue[] {
    return [...this.#due].sort((a, b) => a.queueId - b.queueId);
  }

  /** A new queue. `queueId` is the place in the log of its definition. */
  define(queueId: number, name: string, limits: QueueLimits): Queue {
    const { lanes: _lanes, seats: _seats, ...facts } = newQueue(queueId, name, limits);
    const queue: Queue = { ...facts, declared: undefined, lanes: [], seats: new Map() };
    this.#add(queue);
    this.changed(queue);
    return queue;
  }

  /** The queue has other limits. Keys that are parked are looked at in pieces, if one may have more runs now. */
  limit(queue: Queue, limits: QueueLimits): void {
    const before = queue.limits;
    queue.limits = limits;
    const isRaised = before.perKey !== 0 && (limits.perKey === 0 || limits.perKey > before.perKey);
    if (isRaised) queue.unparkFrom = 1;
    // What was let through under no rate is in no window of one.
    if (before.rateLimit === 0) queue.expired = queue.admitted;
    this.wake(queue);
  }

  /** Forgets an empty queue. */
  delete(queue: Queue): void {
    this.#byName.delete(queue.name);
    this.#byId.delete(queue.queueId);
    this.#due.delete(queue);
    this.#changed.delete(queue);
    this.#told.delete(queue);
    this.#store.delete(queueRecordKey(queue.name));
  }

  /** A run of the queue may have become ready (QT4). */
  wake(queue: Queue): void {
    this.#setDue(queue, true);
  }

  /** As {@link wake}, of all queues of which runs have no seat: nodes have changed. */
  wakeAll(): void {
    for (const queue of this.#byName.values()) if (queue.lanes.length > 0) this.wake(queue);
  }

  /** Nothing of the queue is ready. */
  rest(queue: Queue): void {
    this.#setDue(queue, false);
  }

  /** Queues of which the leader is to hear since the last call: they are due, a window of theirs has one more run or is full, or runs of theirs are delayed. */
  takeTold(): readonly Queue[] {
    const told = [...this.#told].sort((a, b) => a.queueId - b.queueId);
    this.#told.clear();
    return told;
  }

  /** The leader is to hear of the queue. */
  tell(queue: Queue): void {
    this.#told.add(queue);
  }

  /** The queue's record is stored with the next commit. */
  changed(queue: Queue): void {
    this.#changed.add(queue);
  }

  /** Stores what is stored with a commit. */
  save(): void {
    for (const queue of this.#changed) {
      const { seats, declared, ...facts } = queue;
      const counts = Array.from(seats, ([seat, runs]) => ({ seat, runs })).sort((a, b) => a.seat - b.seat);
      const stored = { ...facts, ...(declared === undefined ? {} : { declared }), seats: counts };
      this.#store.put(queueRecordKey(queue.name), written(storedQueueCodec, stored));
    }
    this.#changed.clear();
  }

  /** The queue of a run that starts or goes on: none when it was deleted since the run ended (QT6). */
  known(queue: RunQueue | undefined): RunQueue | undefined {
    return queue !== undefined && this.#byName.has(queue.name) ? queue : undefined;
  }

  /** A place for a run that joins its queue, or comes back to it; undefined for a run without one, and when the queue is gone. */
  placeOf(run: Pick<RunRecord, "queue" | "startIndex"> & { readonly needs: RunNeeds }): QueuePlace | undefined {
    const queue = run.queue === undefined ? undefined : this.#byName.get(run.queue.name);
    if (queue === undefined || run.queue === undefined) return undefined;
    const { queueId } = queue;
    const keyId = this.keys.of(queue, run.queue.key)?.keyId ?? run.startIndex;
    return { stage: "waiting", queueId, keyId, laneId: this.#laneOf(queue, run.needs), dueAtMs: 0, latestAtMs: 0 };
  }

  /** The place of a run that goes on with other needs. */
  relaned(place: QueuePlace, needs: RunNeeds): QueuePlace {
    const queue = this.#byId.get(place.queueId);
    return queue === undefined ? place : { ...place, laneId: this.#laneOf(queue, needs) };
  }

  /** The run is where its head says (QT1). */
  enter(run: RunRecord, needs: RunNeeds): void {
    const { place, seat, queue } = this.#of(run);
    if (queue === undefined || place === undefined) {
      this.#countAway(run, 1);
      return;
    }
    this.wake(queue);
    if (place.stage === "delayed") {
      queue.delayed += 1;
      this.#told.add(queue);
      return;
    }
    const key = this.keys.of(queue, run.queue?.key ?? "") ?? this.#newKey(queue, run, place.keyId);
    if (place.stage === "waiting") {
      queue.waiting += 1;
      this.#lane(queue, place.laneId, needs).waiting += 1;
      this.keys.put(queue, withWaiting(key, place.laneId, 1));
      return;
    }
    queue.running += 1;
    if (seat !== 0) this.#countSeat(queue, seat, 1);
    else this.#lane(queue, place.laneId, needs).unplaced += 1;
    this.keys.put(queue, { ...key, running: key.running + 1 });
  }

  /** The run leaves the place that its head says (QT1). */
  leave(run: RunRecord, needs: RunNeeds): void {
    const { place, seat, queue } = this.#of(run);
    if (queue === undefined || place === undefined) {
      this.#countAway(run, -1);
      return;
    }
    this.changed(queue);
    if (place.stage === "delayed") {
      queue.delayed -= 1;
      return;
    }
    const key = this.keys.of(queue, run.queue?.key ?? "");
    invariant(key !== undefined, () => `run ${run.runId} is in a queue, and its key is not`);
    if (place.stage === "waiting") {
      queue.waiting -= 1;
      this.#leaveLane(queue, place.laneId, needs, { waiting: 1, unplaced: 0 });
      this.keys.put(queue, withWaiting(key, place.laneId, -1));
      return;
    }
    queue.running -= 1;
    if (seat !== 0) this.#countSeat(queue, seat, -1);
    else this.#leaveLane(queue, place.laneId, needs, { waiting: 0, unplaced: 1 });
    this.keys.put(queue, { ...key, running: key.running - 1 });
    this.wake(queue);
  }

  /** A run of a key is let through: the key's turn is over, and the queue is at it. */
  served(queueId: number, key: string): void {
    const queue = this.#byId.get(queueId);
    if (queue === undefined) return;
    const known = this.keys.of(queue, key);
    queue.turn = Math.max(queue.turn, known?.turn ?? 0);
    queue.admitted += 1;
    this.changed(queue);
    if (queue.limits.rateLimit > 0) this.#told.add(queue);
    if (known !== undefined) this.keys.put(queue, { ...known, turn: queue.turn + 1 });
  }

  /** Start of the run that has this key; undefined when none has. */
  deduped(name: string, dedupeKey: string): number | undefined {
    const found = this.#store.get(dedupeEntryKey(name, dedupeKey));
    return found === undefined ? undefined : readFrom(dedupedCodec, found).start;
  }

  /** The run has its dedupe key from now on, unless another one does. */
  claim({ queue, startIndex }: RunRecord): void {
    if (queue === undefined || queue.dedupeKey === "" || this.deduped(queue.name, queue.dedupeKey) !== undefined)
      return;
    const entry = deduped(queue.name, queue.dedupeKey, startIndex);
    this.#store.put(dedupeEntryKey(queue.name, queue.dedupeKey), written(dedupedCodec, entry));
  }

  /** The run gives its dedupe key up. */
  unclaim({ queue, startIndex }: RunRecord): void {
    if (queue === undefined || queue.dedupeKey === "") return;
    if (this.deduped(queue.name, queue.dedupeKey) !== startIndex) return;
    this.#store.delete(dedupeEntryKey(queue.name, queue.dedupeKey));
  }

  #add(queue: Queue): void {
    this.#byName.set(queue.name, queue);
    this.#byId.set(queue.queueId, queue);
    if (queue.isDue) this.#due.add(queue);
  }

  #setDue(queue: Queue, isDue: boolean): void {
    this.changed(queue);
    queue.isDue = isDue;
    if (isDue) this.#due.add(queue);
    else this.#due.delete(queue);
  }

  #of({ runId, head }: RunRecord): { place: QueuePlace | undefined; seat: Seat; queue: Queue | undefined } {
    const place = head.status === "running" ? head.queued : undefined;
    if (head.status !== "running" || place === undefined) return { place, seat: 0, queue: undefined };
    const queue = this.#byId.get(place.queueId);
    invariant(queue !== undefined, () => `run ${runId} is in queue ${place.queueId}, which does not exist`);
    return { place, seat: head.seat, queue };
  }

  /** QT6. */
  #countAway(run: RunRecord, change: number): void {
    const name = awayFrom(run);
    if (name === undefined) return;
    const queue = this.#byName.get(name);
    invariant(queue !== undefined, () => `run ${run.runId} is of queue ${name}, which does not exist`);
    queue.away += change;
    invariant(queue.away >= 0, () => `queue ${name} would have ${queue.away} runs that are stuck, paused or delayed`);
    this.changed(queue);
  }

  #newKey(queue: Queue, { queue: named }: RunRecord, keyId: number): QueueKey {
    return newKey(queue.queueId, named?.key ?? "", keyId, queue.turn);
  }

  #laneOf(queue: Queue, needs: RunNeeds): number {
    const text = needsText(needs);
    const known = queue.lanes.find((lane) => needsText(lane) === text);
    if (known !== undefined) return known.laneId;
    this.changed(queue);
    return queue.nextLaneId++;
  }

  #lane(queue: Queue, laneId: number, { type, version, behaviourLevel }: RunNeeds): Lane {
    const known = queue.lanes.find((lane) => lane.laneId === laneId);
    if (known !== undefined) return known;
    const lane: Lane = { laneId, type, version, behaviourLevel, waiting: 0, unplaced: 0 };
    queue.lanes.push(lane);
    queue.lanes.sort((a, b) => a.laneId - b.laneId);
    return lane;
  }

  #leaveLane(queue: Queue, laneId: number, needs: RunNeeds, less: Pick<Lane, "waiting" | "unplaced">): void {
    const lane = this.#lane(queue, laneId, needs);
    lane.waiting -= less.waiting;
    lane.unplaced -= less.unplaced;
    invariant(lane.waiting >= 0 && lane.unplaced >= 0, () => `lane ${laneId} of queue ${queue.name} is miscounted`);
    if (lane.waiting === 0 && lane.unplaced === 0) queue.lanes = queue.lanes.filter((other) => other !== lane);
  }

  #countSeat(queue: Queue, seat: Seat, change: number): void {
    const runs = (queue.seats.get(seat) ?? 0) + change;
    invariant(runs >= 0, () => `queue ${queue.name} would have ${runs} runs on seat ${seat}`);
    if (runs === 0) queue.seats.delete(seat);
    else queue.seats.set(seat, runs);
  }
}
