/** A Raft group as the engine of workflows, in this thread. */
import type { LogIndex, NodeId, StateKey } from "@raftoral/raft-core";
import type { CommandResult, WorkflowCommand } from "../../commands/registry.ts";
import type { WorkflowExecutor } from "../../executor.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { KnownProgress } from "../../model/step-progress.ts";
import type { HistoryPage, HistoryQuery } from "../../state/history/history-pages.ts";
import type { VariablePage, VariableQuery } from "../../state/history/latest-variables.ts";
import type { RunCount } from "../../state/lists/run-counters.ts";
import type { RunPage, RunQuery } from "../../state/lists/run-query.ts";
import type { LockQuery, LockView, LockWatch, RunLockView } from "../../state/locks/lock-view.ts";
import type { AuditPage, AuditQuery } from "../../state/operators/audit-log.ts";
import type { PausedType } from "../../state/operators/paused-types.ts";
import type { QueueView } from "../../state/queues/queue-view.ts";
import type { Agenda } from "../../state/runs/delayed-runs.ts";
import type { ChildView, RunEnd, RunSummary, RunView, UnreportedEnd } from "../../state/runs/run-view.ts";
import type { RunsToHandOver } from "../../state/runs/runs-to-hand-over.ts";
import type { Tombstone } from "../../state/runs/tombstones.ts";
import type { ScheduleView } from "../../state/schedules/schedule-table.ts";
import type { StreamPage, StreamQuery } from "../../state/streams/stream-view.ts";
import type { OwedAnswer } from "../../state/updates/owed-answers.ts";
import type { EngineListener, EngineOverview, ProposeOptions, WorkflowEngine } from "./workflow-engine.ts";

/** What is needed of a group; `RaftCluster<WorkflowCommand, CommandResult>` has it. */
export interface WorkflowGroup {
  propose(command: WorkflowCommand, options?: ProposeOptions): Promise<CommandResult>;
  readIndex(options?: ProposeOptions): Promise<LogIndex>;
}

/** Options of a {@link RaftWorkflowEngine}. */
export interface RaftWorkflowEngineOptions {
  /** Which node this is. */
  readonly nodeId: NodeId;
  /** The Raft group whose log the commands go to. */
  readonly cluster: WorkflowGroup;
  /** The one that the cluster was started with. */
  readonly executor: WorkflowExecutor;
}

/**
 * The engine of one node over its member of a Raft group. Proposals and barriers go to the group and reject with its errors. Reads are answered from
 * what this node has applied.
 */
export class RaftWorkflowEngine implements WorkflowEngine {
  readonly nodeId: NodeId;
  readonly #cluster: WorkflowGroup;
  readonly #executor: WorkflowExecutor;

  constructor(options: RaftWorkflowEngineOptions) {
    this.nodeId = options.nodeId;
    this.#cluster = options.cluster;
    this.#executor = options.executor;
  }

  propose(command: WorkflowCommand, options?: ProposeOptions): Promise<CommandResult> {
    return this.#cluster.propose(command, options);
  }

  barrier(options?: ProposeOptions): Promise<LogIndex> {
    return this.#cluster.readIndex(options);
  }

  subscribe(listener: EngineListener): () => void {
    return this.#executor.subscribe(listener);
  }

  async run(runId: string): Promise<RunView | undefined> {
    return this.#executor.state.run(runId);
  }

  async summary(runId: string): Promise<RunSummary | undefined> {
    return this.#executor.state.summary(runId);
  }

  async end(runId: string): Promise<RunEnd | undefined> {
    return this.#executor.state.end(runId);
  }

  async input(runId: string): Promise<Uint8Array | undefined> {
    return this.#executor.state.input(runId);
  }

  async history(runId: string, query: HistoryQuery): Promise<HistoryPage | undefined> {
    return this.#executor.state.history(runId, query);
  }

  async progress(runId: string, limit: number): Promise<readonly KnownProgress[] | undefined> {
    return this.#executor.state.progress(runId, limit);
  }

  async record(runId: string, path: string): Promise<HistoryRecord | undefined> {
    return this.#executor.state.record(runId, path);
  }

  async children(runId: string, limit: number): Promise<readonly ChildView[] | undefined> {
    return this.#executor.state.children(runId, limit);
  }

  async owedAnswers(limit: number): Promise<readonly OwedAnswer[]> {
    return this.#executor.state.owedAnswers(limit);
  }

  async unreportedEnds(limit: number): Promise<readonly UnreportedEnd[]> {
    return this.#executor.state.unreportedEnds(limit);
  }

  async schedule(scheduleId: string): Promise<ScheduleView | undefined> {
    return this.#executor.state.schedule(scheduleId);
  }

  async schedules(after: string | undefined, limit: number): Promise<readonly ScheduleView[]> {
    return this.#executor.state.schedules(after, limit);
  }

  async dueSchedules(untilMs: number, limit: number): Promise<readonly ScheduleView[]> {
    return this.#executor.state.dueSchedules(untilMs, limit);
  }

  async agenda(): Promise<Agenda> {
    return this.#executor.state.agenda();
  }

  async stream(query: StreamQuery): Promise<StreamPage | undefined> {
    return this.#executor.state.stream(query);
  }

  async variables(query: VariableQuery): Promise<VariablePage | undefined> {
    return this.#executor.state.variables(query);
  }

  async list(query: RunQuery): Promise<RunPage> {
    return this.#executor.state.list(query);
  }

  async counts(): Promise<readonly RunCount[]> {
    return this.#executor.state.counts();
  }

  async queues(name?: string): Promise<readonly QueueView[]> {
    return this.#executor.state.queues(name);
  }

  async locks(query: LockQuery): Promise<readonly LockView[]> {
    return this.#executor.state.locks(query);
  }

  async runLocks(runId: string): Promise<readonly RunLockView[] | undefined> {
    return this.#executor.state.runLocks(runId);
  }

  async lockToken(name: string, requestId: string): Promise<number> {
    return this.#executor.state.lockToken(name, requestId);
  }

  async lockWatch(after: StateKey): Promise<LockWatch> {
    return this.#executor.state.lockWatch(after);
  }

  async pausedTypes(): Promise<readonly PausedType[]> {
    return this.#executor.state.pausedTypes();
  }

  async audit(query: AuditQuery): Promise<AuditPage> {
    return this.#executor.state.audit(query);
  }

  async pruned(runId: string): Promise<Tombstone | undefined> {
    return this.#executor.state.pruned(runId);
  }

  async toHandOver(after: StateKey, limit: number): Promise<RunsToHandOver> {
    return this.#executor.state.toHandOver(after, limit);
  }

  async ownedBy(nodeId: NodeId): Promise<readonly RunSummary[]> {
    return this.#executor.state.ownedBy(nodeId);
  }

  async overview(): Promise<EngineOverview> {
    const { state, leader, members } = this.#executor;
    return {
      leader: leader.leader,
      isLeader: leader.isLocal,
      members,
      nodes: state.nodes(),
      size: state.size,
      waiting: state.waiting(),
      appliedIndex: state.appliedIndex,
      clockMs: state.clock,
      uptimeMs: state.uptimeMs,
      oldestEndUptimeMs: state.oldestEndUptime(),
      hasClosingParents: state.hasClosingParents,
      queues: state.queueDuties,
      areLocksDue: state.areLocksDue,
    };
  }
}
