/**
 * Who is let through a queue, and onto which node: decided when commands are applied, from the state alone.
 *
 * Q1. No run is let through while its queue has as many runs as its `concurrency`, its key as many as `perKey`, or as many have begun in the window of the rate as may.
 * Q2. No run of a queue comes onto a seat that has as many of its runs as `perNode`, be it let through or moved there. A run that no node can take for that reason, or at all,
 *     stays let through, and is placed before others are let through.
 * Q3. No run waits that may be let through, but for what bounded pieces have left: then its queue is due, and the leader goes on.
 * Q4. Of the runs that may be let through, one of the highest priority goes first; of those, one of the key whose turn it is; of a key's, the one that was created first.
 * Q5. Keys take turns: a key that is served goes behind the others that wait, and one that comes new, or had as many runs as it may have, does not go before keys that waited.
 * Q6. A run that waits in a queue has begun nothing, or does nothing until it is let through: it has no owner.
 */
import { needsOf } from "../../model/runs/run-needs.ts";
import type { NodeRecord } from "../../nodes/node-record.ts";
import { KEY_PREFIX, kindRange, lastNumberIn } from "../../records/state-keys.ts";
import { firstKeys } from "../runs/first-keys.ts";
import type { RunRecord } from "../runs/run-record.ts";
import type { Tables } from "../tables.ts";
import { nodeOf } from "./placing.ts";
import { isFull, type Queue } from "./queue.ts";
import { dueIn, type Lane, type ReadyKey, unplacedPrefix } from "./queue-records.ts";

/** Runs that one command lets through beside its own work. */
export const ADMITTED_WITH_A_COMMAND = 16;
/** Runs that AdmitRuns lets through. */
export const ADMITTED_AT_ONCE = 256;
/** Runs of a lane that no node can take, and that are looked at for one that a node can. */
const LOOKS_AT_UNPLACED = 16;

/** Places and lets through runs of the queues that are due, `limit` at most. Gives how many. */
export function admitPiece(tables: Tables, limit: number): number {
  const { queues } = tables;
  const due = queues.due();
  const share = Math.max(1, Math.floor(limit / Math.max(1, due.length)));
  let admitted = 0;
  for (const queue of due.slice(0, limit)) {
    let isLeft = true;
    for (let spent = 0; isLeft && spent < share; spent++) {
      const done = step(tables, queue);
      isLeft = done !== "nothing";
      if (done === "admitted") admitted += 1;
    }
    if (isLeft || isRateClosed(queue)) queues.tell(queue);
    if (!isLeft) queues.rest(queue);
  }
  return admitted;
}

/** Lets delayed runs join their queues that are due by the log clock, `limit` at most. Gives whether as many again may be due. */
export function releaseDelayed(tables: Tables, limit: number): boolean {
  const due: number[] = [];
  for (const entry of firstKeys(tables.runs.records.scan(...kindRange(KEY_PREFIX.putOff)), limit)) {
    if (dueIn(entry) > tables.clock) break;
    due.push(lastNumberIn(entry));
  }
  for (const start of due) tables.undelay(tables.runs.at(start));
  return due.length === limit;
}

/** When the first of the delayed runs is due, in ms of the log clock. */
export function nextDueAt({ runs }: Tables): number | undefined {
  const [first] = firstKeys(runs.records.scan(...kindRange(KEY_PREFIX.putOff)), 1);
  return first === undefined ? undefined : dueIn(first);
}

/** Why no run of the queue is let through, whatever its key; undefined when one may be (Q1). */
export function closedBy({ isPaused, limits, running, admitted, expired }: Queue): QueueWait | undefined {
  if (isPaused) return "paused";
  if (limits.concurrency > 0 && running >= limits.concurrency) return "concurrency";
  return limits.rateLimit > 0 && admitted - expired >= limits.rateLimit ? "rate" : undefined;
}

/** Whether runs wait for a window of the rate alone. */
export function isRateClosed(queue: Queue): boolean {
  return queue.waiting > 0 && closedBy(queue) === "rate";
}

/** What a waiting run waits for. */
export type QueueWait = "paused" | "concurrency" | "rate" | "key" | "node" | "turn" | "delay";

/** Why a waiting or delayed run is not let through; undefined for another run. */
export function waitOf(tables: Tables, run: RunRecord): QueueWait | undefined {
  const place = run.head.status === "running" ? run.head.queued : undefined;
  if (place === undefined || place.stage === "admitted") return undefined;
  if (place.stage === "delayed") return "delay";
  const queue = tables.queues.withId(place.queueId);
  if (queue === undefined) return "turn";
  const closed = closedBy(queue);
  if (closed !== undefined) return closed;
  const key = tables.queues.keys.of(queue, run.queue?.key ?? "");
  if (key !== undefined && isFull(queue, key)) return "key";
  return nodeOf(tables, queue, needsOf(run)) === undefined ? "node" : "turn";
}

function step(tables: Tables, queue: Queue): "admitted" | "placed" | "looked" | "nothing" {
  if (placeNext(tables, queue)) return "placed";
  if (queue.unparkFrom > 0) {
    tables.queues.changed(queue);
    if (tables.queues.keys.unparkNext(queue)) return "looked";
  }
  if (queue.waiting === 0 || closedBy(queue) !== undefined) return "nothing";
  const next = nextReady(tables, queue);
  if (next === undefined) return "nothing";
  const { lane, node, ready } = next;
  const { queues, runs } = tables;
  const key = queues.keys.of(queue, ready.key);
  const entry = queues.keys.firstWaiting(queue, ready.keyId, lane.laneId);
  if (key === undefined || entry === undefined || isFull(queue, key)) {
    // The limit was lowered since the key became ready.
    queues.keys.refresh(queue, ready.key);
    return "looked";
  }
  tables.admit(runs.at(lastNumberIn(entry)), node);
  return "admitted";
}

/** Places a run that was let through and has no node (Q2). */
function placeNext(tables: Tables, queue: Queue): boolean {
  for (const lane of queue.lanes) {
    if (lane.unplaced === 0 || nodeOf(tables, queue, lane) === undefined) continue;
    const prefix = unplacedPrefix(queue.queueId, lane.laneId);
    for (const entry of firstKeys(tables.runs.records.scan(prefix, `${prefix}\u00ff`), LOOKS_AT_UNPLACED)) {
      const run = tables.runs.at(lastNumberIn(entry));
      const tried = run.head.status === "running" ? run.head.tried : [];
      const node = nodeOf(tables, queue, lane, tried);
      if (node === undefined) continue;
      tables.place(run, node);
      return true;
    }
  }
  return false;
}

interface Next {
  readonly lane: Lane;
  readonly node: NodeRecord;
  readonly ready: ReadyKey;
}

/** Q4. */
function nextReady(tables: Tables, queue: Queue): Next | undefined {
  let next: Next | undefined;
  for (const lane of queue.lanes) {
    const ready = lane.waiting === 0 ? undefined : tables.queues.keys.firstReady(queue, lane.laneId);
    if (ready === undefined || (next !== undefined && !goesBefore(ready, next.ready))) continue;
    const node = nodeOf(tables, queue, lane);
    if (node !== undefined) next = { lane, node, ready };
  }
  return next;
}

function goesBefore(a: ReadyKey, b: ReadyKey): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.turn !== b.turn) return a.turn < b.turn;
  return a.keyId < b.keyId;
}
