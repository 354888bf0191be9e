/**
 * The replicated state machine of workflows: a pure function of the commands applied so far.
 *
 * Role: applies commands in log order, answers reads, captures and restores itself. It must not look at a clock, at
 * randomness or at anything but its commands: time comes from them.
 *
 * S1. `apply` never throws for a command: a refusal is a result, and changes nothing but the log clock.
 * S2. The log clock never goes back.
 * S3. Epochs are handed out once each, ascending, over all runs: the latest owner of a run has the highest of its epochs,
 *     also when a run's id is used again after pruning.
 * Invariants of the parts: C1-C6 (commands/command.ts), T1-T3 (state/run-table.ts).
 */
import { type LogIndex, MemoryStateStore, type NodeId, type StateKey, type StateStore } from "@raftoral/raft-core";
import { type CommandResult, definitionOf, type WorkflowCommand } from "../commands/registry.ts";
import type { HistoryRecord } from "../model/record.ts";
import type { KnownProgress } from "../model/step-progress.ts";
import { type HistoryPage, HistoryPages, type HistoryQuery } from "../state/history/history-pages.ts";
import { type VariablePage, type VariableQuery, variablePage } from "../state/history/latest-variables.ts";
import { checkIndex, type IndexCheck } from "../state/lists/check-index.ts";
import { listRuns } from "../state/lists/list-runs.ts";
import type { RunCount } from "../state/lists/run-counters.ts";
import type { WaitingRuns } from "../state/lists/run-counts.ts";
import type { RunPage, RunQuery } from "../state/lists/run-query.ts";
import { checkLocks, type LockProblems } from "../state/locks/check-locks.ts";
import { grantBeside } from "../state/locks/granting.ts";
import {
  type LockQuery,
  type LockView,
  type LockWatch,
  lockViews,
  lockWatch,
  type RunLockView,
  runLocks,
  tellLocks,
} from "../state/locks/lock-view.ts";
import type { AuditedCommand, AuditPage, AuditQuery } from "../state/operators/audit-log.ts";
import type { PausedType } from "../state/operators/paused-types.ts";
import { ADMITTED_WITH_A_COMMAND, admitPiece } from "../state/queues/admission.ts";
import { checkQueues, type QueueProblems } from "../state/queues/check-queues.ts";
import {
  describedQueue,
  type QueueOverview,
  type QueueView,
  queueOverview,
  queueViews,
  tellQueues,
} from "../state/queues/queue-view.ts";
import { type Agenda, firstBeginnings } from "../state/runs/delayed-runs.ts";
import { findHistoryRecord, inputOf } from "../state/runs/run-records.ts";
import {
  type ChildView,
  childrenOf,
  endOf,
  type NodeView,
  progressIn,
  type RunEnd,
  type RunSummary,
  type RunView,
  summary,
  type UnreportedEnd,
  unreportedEnds,
  view,
} from "../state/runs/run-view.ts";
import { type RunsToHandOver, runsToHandOver } from "../state/runs/runs-to-hand-over.ts";
import type { Tombstone } from "../state/runs/tombstones.ts";
import type { ScheduleView } from "../state/schedules/schedule-table.ts";
import { encodeSnapshot } from "../state/snapshots/encode-snapshot.ts";
import { type StateSize, stateSize } from "../state/state-size.ts";
import { type StreamPage, type StreamQuery, streamPage } from "../state/streams/stream-view.ts";
import { Tables } from "../state/tables.ts";
import type { OwedAnswer } from "../state/updates/owed-answers.ts";
import type { WorkflowEvent } from "../state/workflow-event.ts";

/** Runs that are kept decoded beside the store, in bytes, unless told otherwise: some 16,000. */
export const DEFAULT_CACHE_BYTES = 16 * 1024 * 1024;

/** The chunks of a snapshot, and the way to end before all are taken. */
export interface CapturedChunks extends IterableIterator<Uint8Array> {
  return(): IteratorResult<Uint8Array>;
}

/**
 * The state machine of one node. The owner calls `apply` in log order, then `commit` in the same turn of the event loop. Every other method reads
 * what is applied so far.
 */
export class WorkflowState {
  readonly #store: StateStore;
  readonly #cacheBytes: number;
  #tables: Tables;
  #histories = new HistoryPages();
  #isCommitted = true;

  /** The state that the store has. Throws STATE_FORMAT_UNSUPPORTED when a later version wrote it. */
  constructor(store: StateStore = new MemoryStateStore(), cacheBytes: number = DEFAULT_CACHE_BYTES) {
    this.#store = store;
    this.#cacheBytes = cacheBytes;
    this.#tables = new Tables(store, cacheBytes);
  }

  /**
   * Applies the command at `index` of the log. What is applied in one turn of the event loop is to be committed in it.
   */
  apply(index: LogIndex, command: WorkflowCommand): CommandResult {
    const tables = this.#tables;
    this.#isCommitted = false;
    tables.index = index;
    tables.locks.parts = 0;
    if (command.atMs > tables.clock) tables.clock = command.atMs;
    const definition = definitionOf(command.kind);
    const result = definition.apply(tables, command);
    if (tables.queues.isDue) admitPiece(tables, ADMITTED_WITH_A_COMMAND);
    if (tables.locks.isDue) grantBeside(tables);
    tellQueues(tables);
    tellLocks(tables);
    if (result.ok && definition.audited !== undefined) this.#audit(command, definition.audited(command), result);
    tables.runs.sweep();
    return result;
  }

  /** C7. */
  #audit(command: WorkflowCommand, action: AuditedCommand, result: CommandResult): void {
    const { by = "", reason = "" } = command as { readonly by?: string; readonly reason?: string };
    if (by === "" || ("changed" in result && !result.changed)) return;
    const { audit, index, clock: atMs, events } = this.#tables;
    events.push({ type: "operator-acted", ...audit.add({ index, atMs, by, reason, ...action }) });
  }

  /** What was applied so far belongs together: after a crash the store has all of it, or nothing since the commit before. */
  commit(): void {
    if (this.#isCommitted) return;
    this.#isCommitted = true;
    this.#tables.commit();
  }

  /** What happened since the last call. */
  takeEvents(): readonly WorkflowEvent[] {
    const { events } = this.#tables;
    if (events.length > 0) this.#tables.events = [];
    return events;
  }

  /** Place in the log of what was applied last, or was restored. */
  get appliedIndex(): LogIndex {
    return this.#tables.index;
  }

  /** The log clock, in ms since the epoch. */
  get clock(): number {
    return this.#tables.clock;
  }

  get size(): StateSize {
    return stateSize(this.#tables);
  }

  /** A run with its checkpoints. Its cost grows with the run's history; nothing else here does. */
  run(runId: string): RunView | undefined {
    const run = this.#tables.runs.get(runId);
    return run === undefined ? undefined : view(this.#tables, run);
  }

  /** A run without input and checkpoints, with its position in its queue. */
  summary(runId: string): RunSummary | undefined {
    const run = this.#tables.runs.get(runId);
    if (run === undefined) return undefined;
    return { ...summary(this.#tables, run), queue: describedQueue(this.#tables, run) };
  }

  /** Whether and how a run has ended. Does not look at its history. */
  end(runId: string): RunEnd | undefined {
    const run = this.#tables.runs.get(runId);
    return run === undefined ? undefined : endOf(this.#tables.runs, run);
  }

  /** What a run was started with. */
  input(runId: string): Uint8Array | undefined {
    const run = this.#tables.runs.get(runId);
    return run === undefined ? undefined : inputOf(this.#tables.runs.records, run);
  }

  /** How far the steps of a run have come that have no record yet: of at most `limit` of them. Empty for a run that has ended. */
  progress(runId: string, limit: number): readonly KnownProgress[] | undefined {
    const run = this.#tables.runs.get(runId);
    return run === undefined ? undefined : progressIn(this.#tables.runs, run, limit);
  }

  /** One page of a run's records, in the order in which they were committed. */
  history(runId: string, query: HistoryQuery = {}): HistoryPage | undefined {
    const run = this.#tables.runs.get(runId);
    return run === undefined ? undefined : this.#histories.page(this.#tables.runs.records, run, query);
  }

  /** The record at a path of a run that has not ended. */
  record(runId: string, path: string): HistoryRecord | undefined {
    const run = this.#tables.runs.get(runId);
    return run === undefined ? undefined : findHistoryRecord(this.#tables.runs.records, run, path);
  }

  /** At most `limit` of the running children of a run, in the order of their start. */
  children(runId: string, limit: number): readonly ChildView[] | undefined {
    const run = this.#tables.runs.get(runId);
    return run === undefined ? undefined : childrenOf(this.#tables, run, limit);
  }

  /** At most `limit` of the children that have ended and whose parents have not heard of it. */
  unreportedEnds(limit: number): readonly UnreportedEnd[] {
    return unreportedEnds(this.#tables, limit);
  }

  /** At most `limit` of the answers that runs are owed which called other runs. */
  owedAnswers(limit: number): readonly OwedAnswer[] {
    return this.#tables.owed.first(limit);
  }

  /** A schedule by its id. */
  schedule(scheduleId: string): ScheduleView | undefined {
    return this.#tables.schedules.view(scheduleId);
  }

  /** At most `limit` schedules whose ids come after `after`, in the order of their ids. */
  schedules(after: string | undefined, limit: number): readonly ScheduleView[] {
    return this.#tables.schedules.page(after, limit);
  }

  /** At most `limit` schedules that are due until then, the first ones first. */
  dueSchedules(untilMs: number, limit: number): readonly ScheduleView[] {
    return this.#tables.schedules.due(untilMs, limit);
  }

  /** What comes first of what is to happen at a time. */
  agenda(): Agenda {
    const { runs, schedules } = this.#tables;
    return { ...firstBeginnings(runs.records), scheduleDueMs: schedules.firstDueMs() };
  }

  /** Whether parents have ended whose running children have not all been told. */
  get hasClosingParents(): boolean {
    return this.#tables.children.closing() !== undefined;
  }

  /** One page of a stream of a run. */
  stream(query: StreamQuery): StreamPage | undefined {
    const run = this.#tables.runs.get(query.runId);
    return run === undefined ? undefined : streamPage(this.#tables.runs.records, run, query);
  }

  /** One page of a run's variables, or one of them. It does not look at the run's history. */
  variables(query: VariableQuery): VariablePage | undefined {
    const run = this.#tables.runs.get(query.runId);
    return run === undefined ? undefined : variablePage(this.#tables.runs.records, run, query);
  }

  /** What runs wait for that no live node has registered. */
  waiting(): readonly WaitingRuns[] {
    return this.#tables.runs.places.waiting();
  }

  /** One page of the runs that fit a query. */
  list(query: RunQuery): RunPage {
    return listRuns(this.#tables, query);
  }

  /** How the index of lists differs from the runs: not at all. For tests and tools; looks at every run. */
  checkIndex(): IndexCheck {
    this.commit();
    return checkIndex(this.#store);
  }

  /** Queues by name, or the one of this name. */
  queues(name?: string): readonly QueueView[] {
    return queueViews(this.#tables, name);
  }

  /** What the leader looks after of queues. */
  get queueDuties(): QueueOverview {
    return queueOverview(this.#tables);
  }

  /** What is wrong with the queues: nothing is. For tests and tools; looks at every run. */
  checkQueues(): QueueProblems {
    this.commit();
    return checkQueues(this.#store);
  }

  /** Locks and limiters by name. */
  locks(query: LockQuery): readonly LockView[] {
    return lockViews(this.#tables, query);
  }

  /** What a run holds and waits for, by path; undefined when there is no such run. */
  runLocks(runId: string): readonly RunLockView[] | undefined {
    const run = this.#tables.runs.get(runId);
    if (run === undefined) return undefined;
    return run.hasAsked ? runLocks(this.#tables, run.startIndex) : [];
  }

  /** The token with which a request holds a lock; 0 while it does not. */
  lockToken(name: string, requestId: string): number {
    return this.#tables.locks.request(name, requestId)?.token ?? 0;
  }

  /** One page of what a leader goes on from with leases and limiters. */
  lockWatch(after: StateKey): LockWatch {
    return lockWatch(this.#tables, after);
  }

  /** Whether asks for locks may be granted that no command has granted yet. */
  get areLocksDue(): boolean {
    return this.#tables.locks.isDue;
  }

  /** What is wrong with the locks: nothing is. For tests and tools; looks at every ask. */
  checkLocks(): LockProblems {
    this.commit();
    return checkLocks(this.#store);
  }

  /** How many runs there are of each type and status. Counts nothing. */
  counts(): readonly RunCount[] {
    return this.#tables.runs.counters.all();
  }

  /** Runs that a node executes, in the order of their creation. */
  ownedBy(nodeId: NodeId): readonly RunSummary[] {
    const { nodes, runs } = this.#tables;
    const seat = nodes.get(nodeId)?.seat ?? 0;
    return seat === 0 ? [] : runs.places.startsOn(seat).map((start) => summary(this.#tables, runs.at(start)));
  }

  /** Ascending by id. */
  nodes(): readonly NodeView[] {
    const { nodes, runs } = this.#tables;
    return nodes.all().map(({ nodeId, incarnation, status, types, behaviourLevel, seat }) => {
      return { nodeId, incarnation, status, types, behaviourLevel, running: runs.places.loadOf(seat) };
    });
  }

  /** Types that are paused, by name. */
  pausedTypes(): readonly PausedType[] {
    return this.#tables.pausedTypes.all();
  }

  /** What operators have done, the latest first. */
  audit(query: AuditQuery): AuditPage {
    return this.#tables.audit.page(query);
  }

  /** What is left of a run that was pruned, while its id is kept. */
  pruned(runId: string): Tombstone | undefined {
    return this.#tables.runs.tombstones.get(runId);
  }

  /** A page of the finished runs that the archive hook has not taken. `after`: the `next` of the page before, or nothing. */
  toHandOver(after: StateKey, limit: number): RunsToHandOver {
    return runsToHandOver(this.#tables, after, limit);
  }

  /** How long leaders have led, in ms, as far as commands have said. */
  get uptimeMs(): number {
    return this.#tables.uptimeMs;
  }

  /** The uptime at the end of the run that ended first; undefined when none has ended. */
  oldestEndUptime(): number | undefined {
    for (const { head } of this.#tables.runs.finished()) if (head.status === "finished") return head.endedUptimeMs;
    return undefined;
  }

  /**
   * The state now, as chunks of at most `chunkBytes`. The capture happens in this call and costs nothing; encoding happens as the chunks
   * are taken, and what is applied meanwhile does not show. Walk it to its end, or `return` from it, for it keeps a view open.
   */
  capture(chunkBytes: number): CapturedChunks {
    this.commit();
    const view = this.#store.view();
    const chunks = encodeSnapshot(view, chunkBytes);
    const captured: CapturedChunks = {
      [Symbol.iterator]: () => captured,
      next: () => {
        const next = chunks.next();
        if (next.done === true) view.close();
        return next;
      },
      return: () => {
        view.close();
        return { done: true, value: undefined };
      },
    };
    return captured;
  }

  /** The store holds another state: that of a snapshot. */
  restored(): void {
    this.#tables = new Tables(this.#store, this.#cacheBytes);
    this.#histories = new HistoryPages();
    this.#isCommitted = true;
    this.#tables.events.push({ type: "state-restored", index: this.appliedIndex });
  }
}
