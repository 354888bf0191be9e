/** How queues look from outside: copies, structured-cloneable, safe to keep. */
import type { NodeId } from "@raftoral/raft-core";
import type { QueueLimits } from "../../model/runs/run-queue.ts";
import { BEYOND_PLACES, placeIn, placeOf, queueGroup } from "../../records/index-keys.ts";
import { RUN_STATUSES } from "../lists/run-status.ts";
import { firstKeys } from "../runs/first-keys.ts";
import type { RunRecord } from "../runs/run-record.ts";
import type { Tables } from "../tables.ts";
import { closedBy, isRateClosed, nextDueAt, type QueueWait, waitOf } from "./admission.ts";
import type { Queue } from "./queue.ts";
import { queuePlaceKey, waitingRunsPrefix } from "./queue-records.ts";

/** A queue. */
export interface QueueView {
  readonly name: string;
  readonly limits: QueueLimits;
  readonly isPaused: boolean;
  /** Runs that wait for their turn. */
  readonly waiting: number;
  /** Runs that wait for their time. */
  readonly delayed: number;
  /** Runs that were let through and have not ended. */
  readonly running: number;
  /** Runs that were let through so far. */
  readonly admitted: number;
  /** When the oldest of the waiting and delayed runs was created, in ms since the epoch of the log clock; undefined when there is none. */
  readonly oldestAtMs: number | undefined;
  /** Why none is let through, whatever its key; undefined when one may be. */
  readonly closedBy: QueueWait | undefined;
  /** Runs on each node. */
  readonly nodes: readonly { readonly nodeId: NodeId; readonly running: number }[];
}

/** A run's queue, and where the run is in it. */
export interface RunQueueView {
  readonly name: string;
  readonly key: string;
  readonly priority: number;
  /** What a waiting run waits for; undefined for one that was let through, or counts in no queue. */
  readonly waitsFor: QueueWait | undefined;
  /** Its place among the waiting runs with its key, from 1; undefined for another run, and beyond the first 1,000. */
  readonly position: number | undefined;
}

/** What the leader looks after. */
export interface QueueOverview {
  readonly isDue: boolean;
  /** Queues of which runs are in a window of a rate. */
  readonly windows: readonly QueueWindow[];
  /** When the first of the delayed runs is due, in ms of the log clock; undefined when none is delayed. */
  readonly nextDueAtMs: number | undefined;
}

/** The window of a rate of one queue. */
export interface QueueWindow {
  readonly queueId: number;
  readonly admitted: number;
  readonly expired: number;
  readonly ratePeriodMs: number;
  readonly isRateClosed: boolean;
}

/** Entries that are counted for a run's position. */
const MAX_POSITION = 1_000;
const QUEUED = RUN_STATUSES.indexOf("queued");

/** Queues by name, or the one of this name. */
export function queueViews(tables: Tables, name?: string): readonly QueueView[] {
  const { queues } = tables;
  if (name === undefined) return queues.all().map((queue) => viewOf(tables, queue));
  const queue = queues.get(name);
  return queue === undefined ? [] : [viewOf(tables, queue)];
}

/** The queue of a run; undefined for a run without one. */
export function runQueueView(tables: Tables, run: RunRecord): RunQueueView | undefined {
  if (run.queue === undefined) return undefined;
  const { name, key, priority } = run.queue;
  return { name, key, priority, waitsFor: waitOf(tables, run), position: undefined };
}

/** As {@link runQueueView}, with the position: walks over at most 1,000 entries. */
export function describedQueue(tables: Tables, run: RunRecord): RunQueueView | undefined {
  const view = runQueueView(tables, run);
  return view === undefined ? undefined : { ...view, position: positionOf(tables, run) };
}

/** What the leader looks after. */
export function queueOverview(tables: Tables): QueueOverview {
  const { queues } = tables;
  const windows = queues.all().filter(({ limits, admitted, expired }) => limits.rateLimit > 0 && admitted > expired);
  return { isDue: queues.isDue, windows: windows.map(windowOf), nextDueAtMs: nextDueAt(tables) };
}

/** Tells of the queues that the leader looks after. */
export function tellQueues(tables: Tables): void {
  for (const queue of tables.queues.takeTold()) {
    const { index, clock: atMs } = tables;
    const { isDue } = queue;
    const nextDueAtMs = nextDueAt(tables);
    tables.events.push({ type: "queue-changed", index, atMs, isDue, nextDueAtMs, ...windowOf(queue) });
  }
}

function windowOf(queue: Queue): QueueWindow {
  const { queueId, admitted, expired, limits } = queue;
  return { queueId, admitted, expired, ratePeriodMs: limits.ratePeriodMs, isRateClosed: isRateClosed(queue) };
}

function viewOf(tables: Tables, queue: Queue): QueueView {
  const { name, limits, isPaused, waiting, delayed, running, admitted, seats } = queue;
  const group = queueGroup(QUEUED, name);
  const [oldest] = firstKeys(tables.runs.records.scan(group, group + BEYOND_PLACES), 1);
  const oldestAtMs = oldest === undefined ? undefined : placeOf(placeIn(oldest)).ms;
  const nodes = tables.nodes
    .all()
    .map(({ nodeId, seat }) => ({ nodeId, running: seat === 0 ? 0 : (seats.get(seat) ?? 0) }))
    .filter((node) => node.running > 0);
  const counts = { waiting, delayed, running, admitted };
  return { name, limits, isPaused, ...counts, oldestAtMs, closedBy: closedBy(queue), nodes };
}

function positionOf({ runs }: Tables, run: RunRecord): number | undefined {
  const place = run.head.status === "running" ? run.head.queued : undefined;
  if (place?.stage !== "waiting") return undefined;
  const own = queuePlaceKey(run, place);
  const prefix = waitingRunsPrefix(place.queueId, place.keyId, place.laneId);
  const before = firstKeys(runs.records.scan(prefix, own), MAX_POSITION).length;
  return before < MAX_POSITION ? before + 1 : undefined;
}
