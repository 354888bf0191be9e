/**
 * Compares queues with their runs, and with what is promised of them (admission.ts Q1 to Q3): for tests and tools. Looks at every run.
 */
import type { StateReader } from "@raftoral/raft-core";
import { needsOf, needsText } from "../../model/runs/run-needs.ts";
import type { Seat } from "../../nodes/seat.ts";
import { KEY_PREFIX, kindRange } from "../../records/state-keys.ts";
import { runsIn } from "../lists/check-index.ts";
import type { RunRecord } from "../runs/run-record.ts";
import { readFrom } from "../streams/stream-codec.ts";
import { awayFrom } from "./queue.ts";
import {
  dedupedCodec,
  type QueueKey,
  queueKeyCodec,
  readyEntryKey,
  readyKeyCodec,
  type StoredQueue,
  storedQueueCodec,
} from "./queue-records.ts";

/** What is wrong with queues, in words; nothing is. */
export type QueueProblems = readonly string[];

/** What the runs of a queue, or of one of its keys, come to. */
class Tally {
  waiting = 0;
  delayed = 0;
  running = 0;
  away = 0;
  readonly seats = new Map<Seat, number>();
  readonly unplaced = new Map<string, number>();
  readonly waitingFor = new Map<string, number>();

  add(run: RunRecord): void {
    const { head } = run;
    const place = head.status === "running" ? head.queued : undefined;
    if (head.status !== "running" || place === undefined) return;
    if (place.stage === "delayed") this.delayed += 1;
    else if (place.stage === "waiting") {
      this.waiting += 1;
      count(this.waitingFor, needsText(needsOf(run)));
    } else {
      this.running += 1;
      if (head.seat === 0) count(this.unplaced, needsText(needsOf(run)));
      else count(this.seats, head.seat);
    }
  }
}

/** Compares the queues of a store with its runs. `committed`: the store has all that was applied. */
export function checkQueues(store: StateReader): QueueProblems {
  const problems: string[] = [];
  const queues = new Map<number, Tally>();
  const keys = new Map<string, Tally>();
  const away = new Map<string, number>();
  for (const run of runsIn(store)) {
    const place = run.head.status === "running" ? run.head.queued : undefined;
    const name = awayFrom(run);
    if (name !== undefined) count(away, name);
    if (place === undefined) continue;
    tallyOf(queues, place.queueId).add(run);
    if (place.stage !== "delayed") tallyOf(keys, keyText(place.queueId, run.queue?.key ?? "")).add(run);
  }
  const stored = [...store.scan(...kindRange(KEY_PREFIX.queue))].map(([, value]) => readFrom(storedQueueCodec, value));
  for (const queue of stored) {
    const tally = queues.get(queue.queueId) ?? new Tally();
    tally.away = away.get(queue.name) ?? 0;
    away.delete(queue.name);
    problems.push(...problemsOf(queue, tally));
  }
  for (const name of away.keys()) problems.push(`runs are of queue ${name}, which is not there`);
  for (const queueId of queues.keys())
    if (!stored.some((queue) => queue.queueId === queueId))
      problems.push(`runs are in queue ${queueId}, which is not there`);
  for (const [, value] of store.scan(...kindRange(KEY_PREFIX.queueKey))) {
    const key = readFrom(queueKeyCodec, value);
    const text = keyText(key.queueId, key.key);
    const queue = stored.find(({ queueId }) => queueId === key.queueId);
    problems.push(...keyProblems(store, queue, key, keys.get(text)));
    keys.delete(text);
  }
  for (const text of keys.keys()) problems.push(`key ${text} has runs and no record`);
  for (const [, value] of store.scan(...kindRange(KEY_PREFIX.queueReady))) {
    const { queueId, key, keyId } = readFrom(readyKeyCodec, value);
    const found = [...store.scan(...kindRange(KEY_PREFIX.queueKey))]
      .map(([, content]) => readFrom(queueKeyCodec, content))
      .find((each) => each.queueId === queueId && each.keyId === keyId && each.key === key);
    if (found === undefined || found.isParked)
      problems.push(`key ${key} is ready in queue ${queueId} and should not be`);
  }
  for (const [, value] of store.scan(...kindRange(KEY_PREFIX.queueDedupe))) {
    const { start, dedupeKey } = readFrom(dedupedCodec, value);
    const run = [...runsIn(store)].find(({ startIndex }) => startIndex === start);
    if (run?.head.status !== "running") problems.push(`dedupe key ${dedupeKey} is of a run that has ended`);
  }
  return problems;
}

function problemsOf(queue: StoredQueue, tally: Tally): readonly string[] {
  const problems: string[] = [];
  const { name } = queue;
  for (const count of ["waiting", "delayed", "running", "away"] as const) {
    if (queue[count] !== tally[count])
      problems.push(`queue ${name} says ${queue[count]} ${count} runs, and has ${tally[count]}`);
  }
  const seats = new Map(queue.seats.map(({ seat, runs }) => [seat, runs]));
  if (!isSame(seats, tally.seats)) problems.push(`queue ${name} miscounts its seats`);
  const summed = (of: "waiting" | "unplaced"): Map<string, number> => {
    const sums = new Map<string, number>();
    for (const lane of queue.lanes) if (lane[of] > 0) count(sums, needsText(lane), lane[of]);
    return sums;
  };
  if (!isSame(summed("waiting"), tally.waitingFor)) problems.push(`queue ${name} miscounts what waits in its lanes`);
  if (!isSame(summed("unplaced"), tally.unplaced)) problems.push(`queue ${name} miscounts what has no node`);
  return problems;
}

function keyProblems(
  store: StateReader,
  queue: StoredQueue | undefined,
  key: QueueKey,
  tally: Tally | undefined,
): readonly string[] {
  if (queue === undefined) return [`key ${key.key} is in queue ${key.queueId}, which is not there`];
  if (tally === undefined) return [`key ${key.key} of queue ${queue.name} has no runs`];
  const problems: string[] = [];
  const waiting = key.lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  if (waiting !== tally.waiting || key.running !== tally.running)
    problems.push(`key ${key.key} of queue ${queue.name} is miscounted`);
  for (const { laneId, readyAt, readyTurn } of key.lanes) {
    if (readyAt === 0 && !key.isParked) problems.push(`key ${key.key} of queue ${queue.name} waits and is not ready`);
    if (readyAt === 0) continue;
    const at = { queueId: queue.queueId, laneId, keyId: key.keyId, priority: readyAt - 1, turn: readyTurn };
    if (store.get(readyEntryKey(at)) === undefined)
      problems.push(`key ${key.key} of queue ${queue.name} has no entry where it says`);
  }
  return problems;
}

function tallyOf<Key>(tallies: Map<Key, Tally>, key: Key): Tally {
  let tally = tallies.get(key);
  if (tally === undefined) {
    tally = new Tally();
    tallies.set(key, tally);
  }
  return tally;
}

function keyText(queueId: number, key: string): string {
  return `${queueId}:${key}`;
}

function count<Key>(counts: Map<Key, number>, key: Key, more = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + more);
}

function isSame<Key>(a: ReadonlyMap<Key, number>, b: ReadonlyMap<Key, number>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
