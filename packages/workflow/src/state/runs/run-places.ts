/**
 * Where the runs are that have not ended: on a seat, among those that wait for a type and version, or among the stuck ones; and how many are where.
 *
 * RP1. Every run that has not ended is in exactly one place: on the seat of its head, or, without one, among those that are stuck, those in its queue, or those that wait for
 *      what it needs.
 */
import { invariant, type LogIndex, type StateKey, type StateStore } from "@raftoral/raft-core";
import { needsOf, needsText, type RunNeeds } from "../../model/runs/run-needs.ts";
import type { Seat } from "../../nodes/seat.ts";
import { KEY_PREFIX, rangeOf, suffixRange, waitingPrefix } from "../../records/state-keys.ts";
import { inOrder, type RunCounts, type WaitingRuns } from "../lists/run-counts.ts";
import type { QueueTable } from "../queues/queue-table.ts";
import { firstKeys } from "./first-keys.ts";
import { startsHeldBefore } from "./held-places.ts";
import type { RunRecord } from "./run-record.ts";
import { placeKey, startInPlace } from "./run-records.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** The places of one state machine, over its store (RP1). */
export class RunPlaces {
  readonly #store: StateStore;
  readonly #loads: Map<Seat, number>;
  readonly #waiting: Map<string, WaitingRuns>;
  #waitingCount = 0;
  #stuck: number;
  #paused: number;
  #delayed: number;
  readonly #queues: QueueTable;

  /** `queues` hears of the places of their runs. */
  constructor(store: StateStore, counts: RunCounts, queues: QueueTable) {
    this.#store = store;
    this.#queues = queues;
    this.#loads = new Map(counts.loads);
    this.#waiting = new Map(counts.waiting);
    for (const { runs } of this.#waiting.values()) this.#waitingCount += runs;
    this.#stuck = counts.stuck;
    this.#paused = counts.paused;
    this.#delayed = counts.delayed;
  }

  /** What the header keeps of them. */
  get counts(): Omit<RunCounts, "finished" | "finishedBytes" | "tombstones"> {
    const counts = { stuck: this.#stuck, paused: this.#paused, delayed: this.#delayed };
    return { loads: this.#loads, waiting: this.#waiting, ...counts };
  }

  /** Runs that wait for a node that can execute them. */
  get waitingCount(): number {
    return this.#waitingCount;
  }

  /** Runs that are stuck, paused and delayed ones included. */
  get stuckCount(): number {
    return this.#stuck;
  }

  /** Runs that are paused. */
  get pausedCount(): number {
    return this.#paused;
  }

  /** Runs that are not to begin yet. */
  get delayedCount(): number {
    return this.#delayed;
  }

  /** Runs that wait in a queue for their turn or their time. */
  get queuedCount(): number {
    return this.#queues.all().reduce((runs, { waiting, delayed }) => runs + waiting + delayed, 0);
  }

  /** Runs that were let through a queue, and that no node can take. */
  get unplacedCount(): number {
    let runs = 0;
    for (const { lanes } of this.#queues.all()) for (const { unplaced } of lanes) runs += unplaced;
    return runs;
  }

  /** Runs that have not ended. */
  get runningCount(): number {
    let running = this.#waitingCount + this.#stuck + this.queuedCount + this.unplacedCount;
    for (const load of this.#loads.values()) running += load;
    return running;
  }

  /** Runs on a seat. */
  loadOf(seat: Seat): number {
    return this.#loads.get(seat) ?? 0;
  }

  /** What runs wait for, in the order of their versions, types and behaviours. */
  waiting(): readonly WaitingRuns[] {
    return [...this.#waiting.values()].sort(inOrder);
  }

  /** Places in the log of at most `limit` of a seat's runs, in the order of their creation. */
  startsOn(seat: Seat, limit = Number.POSITIVE_INFINITY): readonly number[] {
    return this.#starts(rangeOf(KEY_PREFIX.seated, seat), limit);
  }

  /** Places in the log of at most `limit` of the runs that wait for this, in the order of their creation. */
  startsWaitingFor(needs: RunNeeds, limit = Number.POSITIVE_INFINITY): readonly number[] {
    return this.#starts(suffixRange(waitingPrefix(needs.type, needs.version, needs.behaviourLevel)), limit);
  }

  /** As {@link startsHeldBefore}. */
  startsHeldBefore(needs: RunNeeds, index: LogIndex, limit: number): readonly number[] {
    return this.#stuck === 0 ? [] : startsHeldBefore(this.#store, needs, index, limit);
  }

  /** The run is where its head says. */
  enter(run: RunRecord): void {
    this.#store.insert(placeKey(run), NOTHING);
    this.#count(run, 1);
    this.#queues.enter(run, needsOf(run));
  }

  /** The run leaves the place that its head says. */
  leave(run: RunRecord): void {
    this.#store.delete(placeKey(run));
    this.#count(run, -1);
    this.#queues.leave(run, needsOf(run));
  }

  #starts([start, end]: readonly [StateKey, StateKey], limit: number): readonly number[] {
    const starts: number[] = [];
    if (limit <= 0) return starts;
    for (const key of firstKeys(this.#store.scan(start, end), limit)) starts.push(startInPlace(key));
    return starts;
  }

  #count(run: RunRecord, change: number): void {
    const { runId, head } = run;
    invariant(head.status === "running", () => `run ${runId} has ended`);
    if (head.seat !== 0) {
      const load = this.loadOf(head.seat) + change;
      invariant(load >= 0, () => `seat ${head.seat} would have ${load} runs`);
      if (load === 0) this.#loads.delete(head.seat);
      else this.#loads.set(head.seat, load);
      return;
    }
    if (head.stuck !== undefined) {
      this.#stuck += change;
      if (head.stuck === "paused") this.#paused += change;
      if (head.stuck === "delayed") this.#delayed += change;
      return;
    }
    if (head.queued !== undefined) return;
    const needs = needsOf(run);
    const wanted = needsText(needs);
    const runs = (this.#waiting.get(wanted)?.runs ?? 0) + change;
    invariant(runs >= 0, () => `${runs} runs would wait for ${wanted}`);
    this.#waitingCount += change;
    if (runs === 0) this.#waiting.delete(wanted);
    else this.#waiting.set(wanted, { ...needs, runs });
  }
}
