/**
 * All runs, by id, by place and by end: in the store, with those that were looked at lately in memory.
 *
 * T1. Every run that has not ended is in exactly one place: on the seat of its head, or, without one, among those that are stuck, or those that wait for
 *     what it needs.
 * T2. Finished runs are in the order in which they ended, and in no place.
 * T3. The store has every change when it is made. What is in the cache says the same, so no result depends on it.
 * T4. A run that is pruned is gone at once, and of its records as many as a command may delete; the others follow with later commands. They are in no
 *     snapshot, and nothing finds them meanwhile.
 * T5. A head says of how many steps the store has progress, so that a run without any looks for none.
 */
import { invariant, type LogIndex, type StateKey, type StateReader, type StateStore } from "@raftoral/raft-core";
import type { HistoryRecord } from "../model/record.ts";
import type { RunNeeds } from "../model/run-needs.ts";
import type { RunOutcome } from "../model/run-outcome.ts";
import type { KnownProgress } from "../model/step-progress.ts";
import type { Seat } from "../nodes/seat.ts";
import {
  idKey,
  KEY_PREFIX,
  kindRange,
  lastNumberIn,
  numberKey,
  rangeOf,
  suffixRange,
  waitingPrefix,
} from "../records/state-keys.ts";
import { archiveOf } from "./archive.ts";
import { firstKeys, isEmpty } from "./first-keys.ts";
import { startsHeldBefore } from "./held-places.ts";
import { putLatest } from "./latest-variables.ts";
import { RunCache } from "./run-cache.ts";
import { inOrder, type RunCounts, type WaitingRuns } from "./run-counts.ts";
import type { BufferedSignal, FinishedHead, RunFacts, RunningHead, RunRecord } from "./run-record.ts";
import {
  archivedRecords,
  counts,
  loadRun,
  placeKey,
  putArchive,
  putHistoryRecord,
  putInput,
  putOutcome,
  putPlace,
  putRun,
  putSignal,
  signalKey,
  startInPlace,
  startOf,
} from "./run-records.ts";
import { RunTally } from "./run-tally.ts";
import { findProgress, recordWith } from "./step-progress-records.ts";

/** What knowing a record takes in memory beside its value, roughly. */
const HASH_BYTES = 128;
const NOTHING: Uint8Array = new Uint8Array(0);
/** Records of pruned runs that one command deletes beside its own work. */
const MAX_SWEPT_AT_ONCE = 32;
/** Kinds of records that a run may have many of, and that are swept. */
const SWEPT = [
  KEY_PREFIX.history,
  KEY_PREFIX.progress,
  KEY_PREFIX.stream,
  KEY_PREFIX.streamBatch,
  KEY_PREFIX.streamScope,
  KEY_PREFIX.latest,
  KEY_PREFIX.update,
  KEY_PREFIX.updatePlace,
];

/**
 * The runs of one state machine. A `RunRecord` that it gives is the only object of its run: callers change it through the table's methods (T1 to T4).
 */
export class RunTable {
  readonly #store: StateStore;
  readonly #cache: RunCache;
  readonly #tally: RunTally;
  /** Whether there may be records of pruned runs. */
  #hasRemains: boolean;

  constructor(store: StateStore, counts: RunCounts, cacheBytes: number) {
    this.#store = store;
    this.#cache = new RunCache(cacheBytes);
    this.#tally = new RunTally(counts);
    this.#hasRemains = !isEmpty(store.scan(...kindRange(KEY_PREFIX.remains)));
  }

  /** For what is not a run's own: its input, its outcome, its checkpoints. */
  get records(): StateReader {
    return this.#store;
  }

  get counts(): RunCounts {
    return this.#tally.counts;
  }

  /** Runs that wait for a node that can execute them. */
  get waitingCount(): number {
    return this.#tally.waiting;
  }

  /** Runs that are stuck, paused ones included. */
  get stuckCount(): number {
    return this.counts.stuck;
  }

  /** Runs that have not ended. */
  get runningCount(): number {
    return this.#tally.running;
  }

  get finishedCount(): number {
    return this.#tally.finished;
  }

  get(runId: string): RunRecord | undefined {
    const cached = this.#cache.get(runId);
    if (cached !== undefined) return cached;
    const start = startOf(this.#store, runId);
    return start === undefined ? undefined : this.at(start);
  }

  /** The run that started at this place of the log, which must be there. */
  at(startIndex: number): RunRecord {
    const run = loadRun(this.#store, startIndex);
    invariant(run !== undefined, () => `the run that started at ${startIndex} is in an index, but not in the table`);
    // There may be one object of a run at a time, for heads are replaced in it.
    const cached = this.#cache.get(run.runId);
    if (cached !== undefined) return cached;
    this.#cache.add(run);
    return run;
  }

  /** A run that has just been started. */
  start(facts: RunFacts, head: RunningHead, input: Uint8Array): void {
    invariant(this.#cache.get(facts.runId) === undefined, () => `run ${facts.runId} exists`);
    const startKey = numberKey(facts.startIndex);
    const nothingYet = { recordCount: 0, hashes: new Map<number, Uint8Array>(), signals: [] };
    const run: RunRecord = { ...facts, startKey, head, ...nothingYet };
    putRun(this.#store, run);
    putPlace(this.#store, run);
    putInput(this.#store, run, input);
    this.#tally.count(run, 1);
    this.#cache.add(run);
  }

  /** The run has another generation: of the old one nothing is left but what is swept. Signals that wait are the new one's. */
  continue(run: RunRecord, facts: RunFacts, head: RunningHead, input: Uint8Array): RunRecord {
    const { signals, startKey } = run;
    this.#leave(run);
    for (const signal of signals) this.#store.delete(signalKey(startKey, signal));
    this.#leaveRemains(run);
    this.#cache.delete(run.runId);
    this.start(facts, head, input);
    const next = this.at(facts.startIndex);
    for (const { number: _, ...signal } of signals) this.addSignal(next, signal);
    return next;
  }

  /** Replaces a running run's head by another running one. */
  update(run: RunRecord, head: RunningHead): void {
    const before = run.head;
    invariant(before.status === "running", () => `run ${run.runId} has ended`);
    const moves = before.seat !== head.seat || before.stuck !== head.stuck;
    if (moves) this.#leave(run);
    run.head = head;
    if (moves) {
      this.#store.insert(placeKey(run), NOTHING);
      this.#tally.count(run, 1);
    }
    putRun(this.#store, run);
  }

  /** The run has ended. */
  finish(run: RunRecord, head: Omit<FinishedHead, "archived" | "stepsInProgress">, outcome: RunOutcome): void {
    const { stepsInProgress } = run.head;
    this.#leave(run);
    for (const signal of run.signals) this.#store.delete(signalKey(run.startKey, signal));
    run.head = { ...head, archived: this.#archive(run), stepsInProgress };
    run.signals = [];
    putRun(this.#store, run);
    this.#store.put(placeKey(run), NOTHING);
    putOutcome(this.#store, run, outcome);
    this.#tally.finished += 1;
  }

  /** A run that had ended goes on, on no seat: its head is given, and what was put together is apart again (archive.ts). */
  reopen(run: RunRecord, facts: Pick<RunFacts, "deadlineAtMs">, head: RunningHead): RunRecord {
    const store = this.#store;
    store.delete(placeKey(run));
    store.delete(KEY_PREFIX.outcome + run.startKey);
    this.#tally.finished -= 1;
    const archive = store.get(KEY_PREFIX.archive + run.startKey);
    this.#cache.delete(run.runId);
    const opened: RunRecord = { ...run, ...facts, head, recordCount: undefined, hashes: undefined, signals: [] };
    if (archive !== undefined) {
      store.delete(KEY_PREFIX.archive + run.startKey);
      for (const [path, record] of archivedRecords(archive)) putHistoryRecord(store, opened, path, record);
    }
    this.#cache.add(opened);
    store.put(placeKey(opened), NOTHING);
    this.#tally.count(opened, 1);
    putRun(store, opened);
    return opened;
  }

  prune(run: RunRecord): void {
    const { head, startKey, runId } = run;
    invariant(head.status === "finished", () => `run ${runId} is running`);
    const store = this.#store;
    if (head.archived > 0) store.delete(KEY_PREFIX.archive + startKey);
    this.#leaveRemains(run);
    store.delete(KEY_PREFIX.outcome + startKey);
    store.delete(placeKey(run));
    store.delete(idKey(runId));
    this.#cache.delete(runId);
    this.#tally.finished -= 1;
  }

  /** Records a record at a path that has none, or gives the one that stands there. */
  record(run: RunRecord, path: string, record: HistoryRecord): HistoryRecord | undefined {
    const standing = putHistoryRecord(this.#store, run, path, record);
    if (standing !== undefined) return standing;
    if (record.kind === "variable") putLatest(this.#store, run, path);
    if (run.recordCount !== undefined) run.recordCount += 1;
    if (run.hashes !== undefined) this.#cache.charge(HASH_BYTES + record.value.length);
    return undefined;
  }

  /** The progress of the step at a path that has no record yet (T5). */
  progressAt(run: RunRecord, path: string): KnownProgress | undefined {
    return run.head.stepsInProgress === 0 ? undefined : findProgress(this.#store, run, path);
  }

  /** Puts the progress of a step in the place of what was known of it. */
  setProgress(run: RunRecord, progress: KnownProgress): void {
    const isNew = this.progressAt(run, progress.path) === undefined;
    this.#putProgress(run, progress.path, progress);
    if (isNew) this.#countProgress(run, 1);
  }

  /** Forgets the progress of a step, if it has any. */
  dropProgress(run: RunRecord, path: string): void {
    if (this.progressAt(run, path) === undefined) return;
    this.#putProgress(run, path, undefined);
    this.#countProgress(run, -1);
  }

  addSignal(run: RunRecord, signal: Omit<BufferedSignal, "number">): void {
    const number = (run.signals.at(-1)?.number ?? 0) + 1;
    const numbered = { ...signal, number };
    run.signals = [...run.signals, numbered];
    putSignal(this.#store, run, numbered);
    this.#cache.charge(signal.payload.length);
  }

  removeSignal(run: RunRecord, signal: BufferedSignal): void {
    run.signals = run.signals.filter((other) => other !== signal);
    this.#store.delete(signalKey(run.startKey, signal));
  }

  /** Runs on a seat. */
  loadOf(seat: Seat): number {
    return this.counts.loads.get(seat) ?? 0;
  }

  /** What runs wait for, in the order of their versions, types and behaviours. */
  waiting(): readonly WaitingRuns[] {
    return [...this.counts.waiting.values()].sort(inOrder);
  }

  /** Places in the log of at most `limit` of a seat's runs, in the order of their start. */
  startsOn(seat: Seat, limit = Number.POSITIVE_INFINITY): readonly number[] {
    return this.#starts(rangeOf(KEY_PREFIX.seated, seat), limit);
  }

  /** Places in the log of at most `limit` of the runs that wait for this, in the order of their start. */
  startsWaitingFor(needs: RunNeeds, limit = Number.POSITIVE_INFINITY): readonly number[] {
    return this.#starts(suffixRange(waitingPrefix(needs.type, needs.version, needs.behaviourLevel)), limit);
  }

  /** As {@link startsHeldBefore}. */
  startsHeldBefore(needs: RunNeeds, index: LogIndex, limit: number): readonly number[] {
    return this.stuckCount === 0 ? [] : startsHeldBefore(this.#store, needs, index, limit);
  }

  /** Places below `before` where stuck runs were started, the latest first. */
  stuckBefore(before: number): readonly number[] {
    return [KEY_PREFIX.stuck, KEY_PREFIX.held]
      .flatMap((kind) => this.#starts(kindRange(kind), Number.POSITIVE_INFINITY))
      .filter((start) => start < before)
      .sort((a, b) => b - a);
  }

  /** Places below `before` where runs that still run were started, the latest first: those on `seats`, and with `waiting` those on none. */
  runningBefore(before: number, seats: Iterable<Seat> = this.counts.loads.keys(), waiting = true): readonly number[] {
    const starts = Array.from(seats, (seat) => this.startsOn(seat));
    if (waiting) starts.push(...this.waiting().map((each) => this.startsWaitingFor(each)));
    return starts
      .flat()
      .filter((start) => start < before)
      .sort((a, b) => b - a);
  }

  /** Seats with runs on them. */
  seats(): Iterable<Seat> {
    return this.counts.loads.keys();
  }

  /** Oldest end first. They may be pruned while they are walked. */
  *finished(): Generator<RunRecord> {
    for (const [key] of this.#store.scan(...kindRange(KEY_PREFIX.ended))) yield this.at(startInPlace(key));
  }

  /** Deletes some of the records that pruned runs have left (T4). To be called with every command. */
  sweep(): void {
    if (!this.#hasRemains) return;
    const store = this.#store;
    const [remains] = firstKeys(store.scan(...kindRange(KEY_PREFIX.remains)), 1);
    if (remains === undefined) {
      this.#hasRemains = false;
      return;
    }
    const start = lastNumberIn(remains);
    let left = MAX_SWEPT_AT_ONCE;
    for (const kind of SWEPT) {
      if (left === 0) return;
      const keys = firstKeys(store.scan(...rangeOf(kind, start)), left);
      for (const key of keys) store.delete(key);
      left -= keys.length;
    }
    if (left > 0) store.delete(remains);
  }

  /** Takes away a run's record and input, and leaves what it has many of to be swept (T4). */
  #leaveRemains(run: RunRecord): void {
    const { startKey } = run;
    const store = this.#store;
    if (this.#hasMany(run)) {
      store.put(KEY_PREFIX.remains + startKey, NOTHING);
      this.#hasRemains = true;
    }
    store.delete(KEY_PREFIX.input + startKey);
    store.delete(KEY_PREFIX.run + startKey);
  }

  /** Whether anything of `SWEPT` is left of a run. Looks for what its head does not say; a stream's batches and scopes come with the stream. */
  #hasMany({ head, startIndex }: RunRecord): boolean {
    if (head.stepsInProgress > 0 || head.updates !== undefined) return true;
    const kinds: string[] = [KEY_PREFIX.stream, KEY_PREFIX.latest];
    if (head.status === "running" || head.archived === 0) kinds.push(KEY_PREFIX.history);
    return kinds.some((kind) => !isEmpty(this.#store.scan(...rangeOf(kind, startIndex))));
  }

  #putProgress(run: RunRecord, path: string, progress: KnownProgress | undefined): void {
    const { key, content } = recordWith(this.#store, run, path, progress);
    if (content === undefined) this.#store.delete(key);
    else this.#store.put(key, content);
  }

  #countProgress(run: RunRecord, change: number): void {
    const { head } = run;
    invariant(head.status === "running", () => `run ${run.runId} has ended`);
    this.update(run, { ...head, stepsInProgress: head.stepsInProgress + change });
  }

  /** Nothing is added to a run that ends: what it has goes into one record, where that is worth while. Gives the number of records in it. */
  #archive(run: RunRecord): number {
    const archived = archiveOf(this.#store, run, (content) => counts(run, content));
    if (archived === undefined) return 0;
    for (const key of archived.keys) this.#store.delete(key);
    if (archived.count > 0) putArchive(this.#store, run, archived.archive);
    return archived.count;
  }

  #starts([start, end]: readonly [StateKey, StateKey], limit: number): readonly number[] {
    const starts: number[] = [];
    if (limit <= 0) return starts;
    for (const key of firstKeys(this.#store.scan(start, end), limit)) starts.push(startInPlace(key));
    return starts;
  }

  #leave(run: RunRecord): void {
    this.#store.delete(placeKey(run));
    this.#tally.count(run, -1);
  }
}
