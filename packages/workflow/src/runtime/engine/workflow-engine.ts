/**
 * The border between workflow bodies and the engine (raft, storage, transport).
 *
 * P1. Only structured-cloneable data crosses it, in both directions: the engine may live in a worker thread, so that a body
 *     that blocks the event loop does not cost the node its leadership.
 * P2. Events come in log order, each once; what `propose` resolves with is never ahead of the events that led to it.
 */
import type { LogIndex, NodeId, StateKey, Term } from "@raftoral/raft-core";
import type { CommandResult, WorkflowCommand } from "../../commands/registry.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { KnownProgress } from "../../model/step-progress.ts";
import type { HistoryPage, HistoryQuery } from "../../state/history/history-pages.ts";
import type { VariablePage, VariableQuery } from "../../state/history/latest-variables.ts";
import type { RunCount } from "../../state/lists/run-counters.ts";
import type { WaitingRuns } from "../../state/lists/run-counts.ts";
import type { RunPage, RunQuery } from "../../state/lists/run-query.ts";
import type { LockQuery, LockView, LockWatch, RunLockView } from "../../state/locks/lock-view.ts";
import type { AuditPage, AuditQuery } from "../../state/operators/audit-log.ts";
import type { PausedType } from "../../state/operators/paused-types.ts";
import type { QueueOverview, QueueView } from "../../state/queues/queue-view.ts";
import type { Agenda } from "../../state/runs/delayed-runs.ts";
import type { ChildView, NodeView, RunEnd, RunSummary, RunView, UnreportedEnd } from "../../state/runs/run-view.ts";
import type { RunsToHandOver } from "../../state/runs/runs-to-hand-over.ts";
import type { Tombstone } from "../../state/runs/tombstones.ts";
import type { ScheduleView } from "../../state/schedules/schedule-table.ts";
import type { StateSize } from "../../state/state-size.ts";
import type { StreamPage, StreamQuery } from "../../state/streams/stream-view.ts";
import type { OwedAnswer } from "../../state/updates/owed-answers.ts";
import type { WorkflowEvent } from "../../state/workflow-event.ts";

/** What the engine says beside the replicated events: it differs from node to node. */
export type EngineNotice =
  | { readonly type: "leader-changed"; readonly leader: NodeId; readonly term: Term; readonly isLocal: boolean }
  /** On the leader only. */
  | { readonly type: "node-lost"; readonly nodeId: NodeId }
  | { readonly type: "node-returned"; readonly nodeId: NodeId }
  | { readonly type: "members-changed"; readonly members: readonly NodeId[] };

/** Hears of an engine's events and notices, in order. */
export interface EngineListener {
  onEvents(events: readonly WorkflowEvent[]): void;
  onNotice(notice: EngineNotice): void;
}

/** What a leader needs to know to prune and to notice nodes that left. */
export interface EngineOverview {
  readonly leader: NodeId;
  readonly isLeader: boolean;
  readonly members: readonly NodeId[];
  readonly nodes: readonly NodeView[];
  readonly size: StateSize;
  /** Types and versions that runs wait for, because no live node has registered them, in the order of their versions. */
  readonly waiting: readonly WaitingRuns[];
  /** The place in the log of what this node has applied. */
  readonly appliedIndex: LogIndex;
  /** Log clock in ms since the epoch. */
  readonly clockMs: number;
  /** How long leaders have led, in ms, as far as the state has been told. */
  readonly uptimeMs: number;
  /** The uptime at the end of the oldest run that has ended and is kept. */
  readonly oldestEndUptimeMs: number | undefined;
  /** Whether parents have ended whose running children have not all been told. */
  readonly hasClosingParents: boolean;
  /** What the leader looks after of queues. */
  readonly queues: QueueOverview;
  /** Whether asks for locks may be granted that no command has granted yet. */
  readonly areLocksDue: boolean;
}

/** Options of a proposal. */
export interface ProposeOptions {
  /** How long it may take, in milliseconds. Defaults to the group's `defaultTimeoutMs`. */
  readonly timeoutMs?: number;
}

/** The replicated state of one node, and the way to change it. Reads answer from what this node has applied. */
export interface WorkflowEngine {
  readonly nodeId: NodeId;
  /** Resolves with what applying it here gave. Rejects with a RaftError when that is not known to happen. */
  propose(command: WorkflowCommand, options?: ProposeOptions): Promise<CommandResult>;
  /** Resolves once everything committed before the call is applied here: reads after it are linearizable. */
  barrier(options?: ProposeOptions): Promise<LogIndex>;
  /** Returns the way to stop. */
  subscribe(listener: EngineListener): () => void;
  /** Reads of the state applied here so far. */
  run(runId: string): Promise<RunView | undefined>;
  summary(runId: string): Promise<RunSummary | undefined>;
  /** Whether and how a run has ended; costs nothing but the outcome. */
  end(runId: string): Promise<RunEnd | undefined>;
  input(runId: string): Promise<Uint8Array | undefined>;
  history(runId: string, query: HistoryQuery): Promise<HistoryPage | undefined>;
  /** How far the steps of a run have come that have no record yet: of at most `limit` of them. Empty for a run that has ended. */
  progress(runId: string, limit: number): Promise<readonly KnownProgress[] | undefined>;
  /** The record at a path of a run that has not ended. */
  record(runId: string, path: string): Promise<HistoryRecord | undefined>;
  /** At most `limit` of the running children of a run, in the order of their start. */
  children(runId: string, limit: number): Promise<readonly ChildView[] | undefined>;
  /** At most `limit` of the children that have ended and whose parents have not heard of it. */
  unreportedEnds(limit: number): Promise<readonly UnreportedEnd[]>;
  /** At most `limit` of the answers that runs are owed which called other runs. */
  owedAnswers(limit: number): Promise<readonly OwedAnswer[]>;
  /** What comes first of what is to happen at a time. */
  agenda(): Promise<Agenda>;
  schedule(scheduleId: string): Promise<ScheduleView | undefined>;
  /** At most `limit` schedules whose ids come after `after`, in the order of their ids. */
  schedules(after: string | undefined, limit: number): Promise<readonly ScheduleView[]>;
  /** At most `limit` schedules that are due until then, the first ones first. */
  dueSchedules(untilMs: number, limit: number): Promise<readonly ScheduleView[]>;
  stream(query: StreamQuery): Promise<StreamPage | undefined>;
  /** One page of a run's variables, or one of them. It does not look at the run's history. */
  variables(query: VariableQuery): Promise<VariablePage | undefined>;
  /** One page of the runs that fit a query. */
  list(query: RunQuery): Promise<RunPage>;
  /** How many runs there are of each type and status. */
  counts(): Promise<readonly RunCount[]>;
  /** Queues by name, or the one of this name. */
  queues(name?: string): Promise<readonly QueueView[]>;
  /** Locks and limiters by name. */
  locks(query: LockQuery): Promise<readonly LockView[]>;
  /** What a run holds and waits for, by path; undefined when there is no such run. */
  runLocks(runId: string): Promise<readonly RunLockView[] | undefined>;
  /** The token with which a request holds a lock; 0 while it does not. */
  lockToken(name: string, requestId: string): Promise<number>;
  /** One page of what a leader goes on from with leases and limiters. `after`: the `next` of the page before; empty for the first. */
  lockWatch(after: StateKey): Promise<LockWatch>;
  /** Types that are paused, by name. */
  pausedTypes(): Promise<readonly PausedType[]>;
  /** What operators have done, the latest first. */
  audit(query: AuditQuery): Promise<AuditPage>;
  /** What is left of a run that was pruned, while its id is kept. */
  pruned(runId: string): Promise<Tombstone | undefined>;
  /** A page of the finished runs that the archive hook has not taken. `after`: the `next` of the page before; empty for the first. */
  toHandOver(after: StateKey, limit: number): Promise<RunsToHandOver>;
  /** Running runs of a node, in the order of their creation. */
  ownedBy(nodeId: NodeId): Promise<readonly RunSummary[]>;
  overview(): Promise<EngineOverview>;
}
