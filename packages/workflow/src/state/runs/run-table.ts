/**
 * All runs, by id, by place and by end: in the store, with those that were looked at lately in memory.
 *
 * T1. Every run that has not ended is in exactly one place (run-places.ts RP1).
 * T2. Finished runs are in the order in which they ended, and in no place.
 * T3. The store has every change when it is made. What is in the cache says the same, so no result depends on it.
 * T4. A run that is pruned is gone at once; what it has many of follows in pieces (run-remains.ts RM1).
 * T5. A head says of how many steps the store has progress, so that a run without any looks for none.
 * T7. The sum of what the finished runs take has every change of a finished head (run-sizes.ts SZ2), and no id has a run and a tombstone (tombstones.ts TS2).
 * T6. Index and counters have every change, too (lists/run-index.ts RI1).
 */
import { invariant, type LogIndex, type StateReader, type StateStore } from "@raftoral/raft-core";
import type { Attributes } from "../../model/attributes.ts";
import type { HistoryRecord, RecordPosition } from "../../model/record.ts";
import type { RunOutcome } from "../../model/runs/run-outcome.ts";
import type { KnownProgress } from "../../model/step-progress.ts";
import { ALL_ENDED, BEYOND_PLACES, endGroup } from "../../records/index-keys.ts";
import { idKey, KEY_PREFIX, numberKey } from "../../records/state-keys.ts";
import { archiveOf } from "../archive.ts";
import { attributesAt, putAttributeChange } from "../history/attribute-changes.ts";
import { putLatest } from "../history/latest-variables.ts";
import { findProgress, recordWith } from "../history/step-progress-records.ts";
import { RunCounters } from "../lists/run-counters.ts";
import type { RunCounts } from "../lists/run-counts.ts";
import { RunIndex } from "../lists/run-index.ts";
import { RUN_STATUSES, statusNumber } from "../lists/run-status.ts";
import { QueueTable } from "../queues/queue-table.ts";
import { RunCache } from "./run-cache.ts";
import { RunPlaces } from "./run-places.ts";
import type { BufferedSignal, FinishedHead, RunFacts, RunHead, RunningHead, RunRecord } from "./run-record.ts";
import {
  archivedRecords,
  counts,
  loadRun,
  placeKey,
  putArchive,
  putHistoryRecord,
  putId,
  putInput,
  putOutcome,
  putRun,
  putSignal,
  signalKey,
  startInPlace,
  startOf,
} from "./run-records.ts";
import { RunRemains } from "./run-remains.ts";
import { type EndedParts, RunSizes } from "./run-sizes.ts";
import { Tombstones } from "./tombstones.ts";

/** What knowing a record takes in memory beside its value, roughly. */
const HASH_BYTES = 128;
const NOTHING: Uint8Array = new Uint8Array(0);
/** The part of a finished head that a command gives. */
type GivenEnd = Omit<FinishedHead, "archived" | "bytes" | "unmeasured" | "isHandedOver" | "stepsInProgress">;

/** The runs of one state machine. A `RunRecord` that it gives is the only object of its run: callers change it through the table's methods (T1 to T4). */
export class RunTable {
  /** Where those are that have not ended. */
  readonly places: RunPlaces;
  /** Queues, and which runs are where in them. */
  readonly queues: QueueTable;
  /** How many there are of each type and status. */
  readonly counters: RunCounters;
  /** What is left of those that were pruned. */
  readonly tombstones: Tombstones;
  readonly #store: StateStore;
  readonly #cache: RunCache;
  readonly #index: RunIndex;
  readonly #remains: RunRemains;
  readonly #sizes: RunSizes;
  #finished: number;

  constructor(store: StateStore, counts: RunCounts, cacheBytes: number) {
    this.#store = store;
    this.#cache = new RunCache(cacheBytes);
    this.queues = new QueueTable(store);
    this.places = new RunPlaces(store, counts, this.queues);
    this.counters = new RunCounters(store);
    this.#index = new RunIndex(store);
    this.#remains = new RunRemains(store);
    this.#sizes = new RunSizes(store, counts.finishedBytes);
    this.tombstones = new Tombstones(store, counts.tombstones);
    this.#finished = counts.finished;
  }

  /** For what is not a run's own: its input, its outcome, its checkpoints. */
  get records(): StateReader {
    return this.#store;
  }

  get counts(): RunCounts {
    const { finishedBytes, tombstones } = this;
    return { finished: this.#finished, finishedBytes, tombstones: tombstones.count, ...this.places.counts };
  }

  get finishedCount(): number {
    return this.#finished;
  }

  /** What those that have ended take, in bytes, as far as they were measured. */
  get finishedBytes(): number {
    return this.#sizes.total;
  }

  /** Whether runs that were pruned have left records that are to be swept. */
  get hasRemains(): boolean {
    return this.#remains.exist;
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
  start(facts: RunFacts, head: RunningHead, input: Uint8Array, attributes: Attributes = facts.initialAttributes): void {
    invariant(this.#cache.get(facts.runId) === undefined, () => `run ${facts.runId} exists`);
    this.tombstones.remove(facts.runId);
    const place = { startKey: numberKey(facts.startIndex), queue: this.queues.known(facts.queue) };
    const noRecords = { recordCount: 0, hashes: new Map<number, Uint8Array>(), signals: [] };
    const run: RunRecord = { ...facts, ...place, head, attributes, hasExtras: false, hasAsked: false, ...noRecords };
    putRun(this.#store, run);
    putId(this.#store, run);
    putInput(this.#store, run, input);
    this.queues.claim(run);
    this.places.enter(run);
    this.#index.add(run);
    this.counters.add(run.workflowType, statusNumber(head), 1);
    this.#cache.add(run);
  }

  /** The run has another generation: of the old one nothing is left but what is swept. Signals that wait are the new one's. */
  continue(run: RunRecord, facts: RunFacts, head: RunningHead, input: Uint8Array): RunRecord {
    const { signals, startKey } = run;
    this.places.leave(run);
    this.queues.unclaim(run);
    this.#index.remove(run);
    this.counters.add(run.workflowType, statusNumber(run.head), -1);
    for (const signal of signals) this.#store.delete(signalKey(startKey, signal));
    this.#remains.leave(run);
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
    const moves = before.seat !== head.seat || before.stuck !== head.stuck || before.queued !== head.queued;
    if (moves) this.places.leave(run);
    this.#setHead(run, head);
    if (moves) this.places.enter(run);
    putRun(this.#store, run);
  }

  /** A run that has not begun has another input. */
  replaceInput(run: RunRecord, input: Uint8Array, digest: Uint8Array): void {
    this.#store.delete(KEY_PREFIX.input + run.startKey);
    putInput(this.#store, run, input);
    run.inputDigest = digest;
    putRun(this.#store, run);
  }

  /** The run has these attributes from a place of its record on. */
  setAttributes(run: RunRecord, attributes: Attributes, position: RecordPosition): void {
    putAttributeChange(this.#store, run, position, run.attributes);
    run.hasExtras = true;
    this.#replaceAttributes(run, attributes);
    putRun(this.#store, run);
  }

  /** The run has ended. */
  finish(run: RunRecord, head: GivenEnd, outcome: RunOutcome): void {
    const { stepsInProgress } = run.head;
    this.places.leave(run);
    this.queues.unclaim(run);
    for (const signal of run.signals) this.#store.delete(signalKey(run.startKey, signal));
    const { archived, ...parts } = this.#archive(run);
    const size = this.#sizes.initial(run, { outcome: putOutcome(this.#store, run, outcome), ...parts });
    const finished = { ...head, archived, stepsInProgress, ...size, isHandedOver: false };
    this.#setHead(run, finished);
    run.signals = [];
    putRun(this.#store, run);
    this.#store.put(placeKey(run), NOTHING);
    this.#sizes.add(finished);
    this.#finished += 1;
  }

  /** The archive hook has taken the run, as it ended at this place. Gives whether that is news. */
  handOver(run: RunRecord, endIndex: LogIndex): boolean {
    const { head } = run;
    if (head.status !== "finished" || head.endIndex !== endIndex || head.isHandedOver) return false;
    this.#setHead(run, { ...head, isHandedOver: true });
    putRun(this.#store, run);
    return true;
  }

  /**
   * A run that had ended goes on, on no seat: its head is given, and what was put together is apart again (archive.ts). `from`: where its records do not count any more, if
   * some do not; its attributes are those of that place.
   */
  reopen(
    run: RunRecord,
    facts: Pick<RunFacts, "deadlineAtMs">,
    head: RunningHead,
    from: RecordPosition | undefined,
  ): RunRecord {
    const store = this.#store;
    const before = run.head;
    invariant(before.status === "finished", () => `run ${run.runId} has not ended`);
    this.#sizes.remove(run, before);
    store.delete(placeKey(run));
    store.delete(KEY_PREFIX.outcome + run.startKey);
    this.#finished -= 1;
    const archive = store.get(KEY_PREFIX.archive + run.startKey);
    const queue = this.queues.known(run.queue);
    this.#cache.delete(run.runId);
    const opened: RunRecord = { ...run, ...facts, queue, head, recordCount: undefined, hashes: undefined, signals: [] };
    if (archive !== undefined) {
      store.delete(KEY_PREFIX.archive + run.startKey);
      for (const [path, record] of archivedRecords(archive)) putHistoryRecord(store, opened, path, record);
    }
    this.#cache.add(opened);
    this.#index.remove(run);
    this.#index.add(opened);
    this.#recount(statusNumber(before), opened);
    this.queues.claim(opened);
    this.places.enter(opened);
    if (from !== undefined) this.#replaceAttributes(opened, attributesAt(store, opened, from));
    putRun(store, opened);
    return opened;
  }

  /** The run has another time limit from now on. Gives its object: the one that was given is not its own any more. */
  rebase(run: RunRecord, deadlineAtMs: number): RunRecord {
    if (deadlineAtMs === run.deadlineAtMs) return run;
    this.#cache.delete(run.runId);
    const rebased: RunRecord = { ...run, deadlineAtMs };
    this.#cache.add(rebased);
    putRun(this.#store, rebased);
    return rebased;
  }

  prune(run: RunRecord): void {
    const { head, startKey, runId } = run;
    invariant(head.status === "finished", () => `run ${runId} is running`);
    const store = this.#store;
    if (head.archived > 0) store.delete(KEY_PREFIX.archive + startKey);
    this.#sizes.remove(run, head);
    this.#remains.leave(run);
    store.delete(KEY_PREFIX.outcome + startKey);
    store.delete(placeKey(run));
    store.delete(idKey(runId));
    this.#index.remove(run);
    this.counters.add(run.workflowType, statusNumber(head), -1);
    this.#cache.delete(runId);
    this.#finished -= 1;
  }

  /** Records a record at a path that has none, or gives the one that stands there. */
  record(run: RunRecord, path: string, record: HistoryRecord): HistoryRecord | undefined {
    const standing = putHistoryRecord(this.#store, run, path, record);
    if (standing !== undefined) return standing;
    if (record.kind === "variable") {
      this.mark(run, "hasExtras");
      putLatest(this.#store, run, path);
    }
    if (run.recordCount !== undefined) run.recordCount += 1;
    if (run.hashes !== undefined) this.#cache.charge(HASH_BYTES + record.value.length);
    return undefined;
  }

  /** From now on the run has what this tells of. */
  mark(run: RunRecord, what: "hasExtras" | "hasAsked"): void {
    if (run[what]) return;
    run[what] = true;
    putRun(this.#store, run);
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

  /** Oldest end first: all, or those of a type that ended in one way. They may be pruned while they are walked. */
  *finished(only?: { readonly workflowType: string; readonly status: RunOutcome["status"] }): Generator<RunRecord> {
    const group = only === undefined ? ALL_ENDED : endGroup(RUN_STATUSES.indexOf(only.status), only.workflowType);
    for (const [key] of this.#store.scan(group, group + BEYOND_PLACES)) yield this.at(startInPlace(key));
  }

  /** Deletes some of the records that pruned runs have left, and measures some of those that have ended (T4, T7). To be called with every command. */
  sweep(): void {
    this.#remains.sweep();
    this.#sizes.measure(
      (start) => this.at(start),
      (run, head) => {
        this.#setHead(run, head);
        putRun(this.#store, run);
      },
    );
  }

  /** Stores what is stored with a commit. */
  save(): void {
    this.counters.save(this.#store);
    this.queues.save();
  }

  /** T6. */
  #replaceAttributes(run: RunRecord, attributes: Attributes): void {
    const before = run.attributes;
    if (before === attributes) return;
    run.attributes = attributes;
    this.#index.attributesChanged(before, run);
  }

  /** T6. */
  #setHead(run: RunRecord, head: RunHead): void {
    const before = run.head;
    run.head = head;
    this.#statusChanged(before, run);
  }

  #statusChanged(before: RunHead, run: RunRecord): void {
    const from = statusNumber(before);
    if (from === statusNumber(run.head)) return;
    this.#index.statusChanged(before, run);
    this.#recount(from, run);
  }

  #recount(from: number, run: RunRecord): void {
    this.counters.add(run.workflowType, from, -1);
    this.counters.add(run.workflowType, statusNumber(run.head), 1);
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

  /** Nothing is added to a run that ends: what it has goes into one record, where that is worth while. Gives the number of records in it, and their size. */
  #archive(run: RunRecord): Omit<EndedParts, "outcome"> & { readonly archived: number } {
    const archived = archiveOf(this.#store, run, (content) => counts(run, content));
    if (archived === undefined) return { archived: 0, archive: 0, hasHistory: true };
    for (const key of archived.keys) this.#store.delete(key);
    if (archived.count > 0) putArchive(this.#store, run, archived.archive);
    return { archived: archived.count, archive: archived.archive.length, hasHistory: false };
  }
}
