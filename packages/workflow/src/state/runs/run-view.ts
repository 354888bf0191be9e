/** How runs and nodes look from outside: copies of references, structured-cloneable, safe to keep. */
import type { LogIndex, NodeId } from "@raftoral/raft-core";
import type { Attributes } from "../../model/attributes.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { CallOrigin } from "../../model/runs/call-chain.ts";
import type { Epoch, OwnerReason } from "../../model/runs/ownership.ts";
import { childOrigin, type KnownParent } from "../../model/runs/parent.ts";
import type { BehaviourLevel } from "../../model/runs/run-needs.ts";
import type { RunOutcome } from "../../model/runs/run-outcome.ts";
import type { HeldMismatch, TroubleReason } from "../../model/runs/stuck-reason.ts";
import type { KnownProgress } from "../../model/step-progress.ts";
import type { TraceContext } from "../../model/trace-context.ts";
import type { TypeVersion } from "../../model/type-version.ts";
import type { OpenUpdate } from "../../model/update.ts";
import type { NodeStatus } from "../../nodes/node-record.ts";
import { progressOf } from "../history/step-progress-records.ts";
import { statusOf } from "../lists/run-status.ts";
import { type RunQueueView, runQueueView } from "../queues/queue-view.ts";
import { type OwnedStream, ownedStreams } from "../streams/stream-view.ts";
import type { Tables } from "../tables.ts";
import type { RunRecord } from "./run-record.ts";
import { historyOf, inputOf, keptSignals, outcomeOf, recordCountOf } from "./run-records.ts";
import type { RunTable } from "./run-table.ts";

interface RunFacts {
  readonly runId: string;
  readonly workflowType: string;
  readonly version: number;
  /** Who executes it, or ended it. 0: no node; it waits for a node that can, or for its move to one. */
  readonly owner: NodeId;
  readonly epoch: Epoch;
  /** How many owners it has had, restarted processes included. */
  readonly attempt: number;
  readonly startedAtMs: number;
  readonly startIndex: LogIndex;
  readonly recordCount: number;
  /** What the run's randomness follows from. */
  readonly seed: Uint8Array;
  /** Why somebody asked to cancel it; undefined without a request. */
  readonly cancelReason: string | undefined;
  /** The run that started it as its child; undefined for one that was started from outside. */
  readonly parent: KnownParent | undefined;
  /** What the calls of its body follow from, where it is a child that a handler has started. */
  readonly calledBy: CallOrigin | undefined;
  /** From 1; one more with every continuation as new. */
  readonly generation: number;
  /** Place of the start of its first generation. */
  readonly family: LogIndex;
  /** When its time is over, in ms since the epoch; 0 for a run without a limit. */
  readonly deadlineAtMs: number;
  /** What it is found by now. */
  readonly attributes: Attributes;
  /** What its attributes were when this generation began. */
  readonly initialAttributes: Attributes;
  /** The place in a trace that it belongs to; undefined for a start without one. */
  readonly trace: TraceContext | undefined;
  /** Behaviours of the engine that its replays have. */
  readonly behaviourLevel: BehaviourLevel;
  /** Its queue, and what it waits for there; undefined for a run without one. */
  readonly queue: RunQueueView | undefined;
}

/** A run that has not ended. */
interface OpenFacts extends RunFacts {
  readonly reason: OwnerReason;
  /** Names of signals that wait for it, oldest first. */
  readonly signals: readonly string[];
  /** Number of the update that came last, over all generations; 0 without one. */
  readonly latestUpdate: number;
  /** Owners that it lost in a row (model/runs/owner-losses.ts). */
  readonly ownerLosses: number;
  /** Why somebody asked to pause it, or its type; undefined without a request. A running run with one is about to pause, or waits until its type is resumed. */
  readonly pauseReason: string | undefined;
}

/** A run that goes on as soon as a node can execute it. */
export interface RunningSummary extends OpenFacts {
  readonly status: "running";
}

/** A run that no node executes until somebody resumes it or, where its code does not fit, a node registers other code. */
export interface StuckSummary extends OpenFacts {
  readonly status: "stuck";
  readonly stuckReason: TroubleReason;
  /** Where code and history differ, for `code-mismatch`. */
  readonly mismatch: HeldMismatch | undefined;
}

/** A run that no node executes until somebody resumes it, because somebody has paused it. */
export interface PausedSummary extends OpenFacts {
  readonly status: "paused";
}

/** A run that is not to begin yet. */
export interface DelayedSummary extends OpenFacts {
  readonly status: "delayed";
  /** When it is to begin, in ms since the epoch. */
  readonly startAtMs: number;
}

/** A run that waits in a queue until it is let through. */
export interface QueuedSummary extends OpenFacts {
  readonly status: "queued";
}

/** A run that has ended. */
export interface FinishedSummary extends RunFacts {
  readonly status: RunOutcome["status"];
  readonly outcome: RunOutcome;
  readonly endedAtMs: number;
  readonly endIndex: LogIndex;
}

/** A run without input and history. */
export type RunSummary =
  | RunningSummary
  | StuckSummary
  | PausedSummary
  | DelayedSummary
  | QueuedSummary
  | FinishedSummary;

/** Whether and how a run has ended: all that a wait needs. Reading it costs the outcome, however long the history. */
export interface RunEnd {
  readonly runId: string;
  readonly workflowType: string;
  /** Undefined while the run has not ended. */
  readonly ended: { readonly outcome: RunOutcome; readonly endedAtMs: number } | undefined;
}

/** A run with all that is recorded of it. */
export type RunView = RunSummary & {
  readonly input: Uint8Array;
  /** In the order in which they were committed. */
  readonly history: readonly (readonly [path: string, record: HistoryRecord])[];
  /** How far the steps have come that have no record yet. Empty for a run that has ended. */
  readonly progress: readonly KnownProgress[];
  /** Whether the run was retried: what it had begun before may be there already. */
  readonly isRetried: boolean;
  /** Paths of waits at which a retry found a signal: the run has it again there. Empty for a run that was never retried. */
  readonly keptSignals: readonly string[];
  readonly streams: readonly OwnedStream[];
  /** Updates that are not answered, in the order in which they came. */
  readonly updates: readonly OpenUpdate[];
};

/** A running child of a run. */
export interface ChildView {
  readonly runId: string;
  readonly workflowType: string;
  /** The path of the call that started it. */
  readonly path: string;
}

/** How a child ended, for its parent that has not heard of it. */
export interface UnreportedEnd {
  readonly runId: string;
  readonly startIndex: LogIndex;
  readonly parent: KnownParent;
  readonly outcome: RunOutcome;
}

/** A registered node. */
export interface NodeView {
  readonly nodeId: NodeId;
  readonly incarnation: string;
  readonly status: NodeStatus;
  readonly types: readonly TypeVersion[];
  /** Behaviours of the engine that its process has. */
  readonly behaviourLevel: BehaviourLevel;
  /** Runs that it executes. */
  readonly running: number;
}

/** A run without input and records. `recordCount` is for callers that have counted. */
export function summary(
  tables: Tables,
  run: RunRecord,
  recordCount: number = recordCountOf(tables.runs.records, run),
): RunSummary {
  const { runs } = tables;
  const { runId, workflowType, version, startedAtMs, startIndex, seed, parent, head } = run;
  const { generation, family, deadlineAtMs, trace, behaviourLevel, attributes, initialAttributes } = run;
  const { epoch, attempt, cancelReason } = head;
  const owner = tables.ownerOf(run);
  const identity = {
    runId,
    workflowType,
    version,
    startedAtMs,
    startIndex,
    seed,
    parent,
    calledBy: childOrigin(parent),
    generation,
    family,
    deadlineAtMs,
    attributes,
    initialAttributes,
    trace,
    behaviourLevel,
    queue: runQueueView(tables, run),
  };
  const facts = { ...identity, owner, epoch, attempt, recordCount, cancelReason };
  if (head.status === "running") {
    const { reason, losses, stuck, mismatch } = head;
    const pauseReason = head.pauseReason ?? (stuck === undefined ? typePauseReason(tables, run) : undefined);
    const signals = run.signals.map((signal) => signal.name);
    const latestUpdate = head.updates?.latest ?? 0;
    const open = { ...facts, reason, signals, latestUpdate, ownerLosses: losses.count, pauseReason };
    if (stuck === undefined) return { ...open, status: statusOf(head) === "queued" ? "queued" : "running" };
    if (stuck === "delayed") return { ...open, status: "delayed", startAtMs: run.startAtMs };
    return stuck === "paused"
      ? { ...open, status: "paused" }
      : { ...open, status: "stuck", stuckReason: stuck, mismatch };
  }
  const { endedAtMs, endIndex } = head;
  const outcome = outcomeOf(runs.records, run, head.outcome);
  return { ...facts, status: outcome.status, outcome, endedAtMs, endIndex };
}

function typePauseReason({ pausedTypes }: Tables, { workflowType }: RunRecord): string | undefined {
  const paused = pausedTypes.get(workflowType);
  return paused === undefined ? undefined : `all runs of type ${workflowType} are paused: ${paused.reason}`;
}

/** Whether and how a run has ended. Does not read the run's history. */
export function endOf({ records }: RunTable, run: RunRecord): RunEnd {
  const { runId, workflowType, head } = run;
  if (head.status === "running") return { runId, workflowType, ended: undefined };
  const outcome = outcomeOf(records, run, head.outcome);
  return { runId, workflowType, ended: { outcome, endedAtMs: head.endedAtMs } };
}

/** At most `limit` of the running children of a run, in the order of their start. */
export function childrenOf({ children, runs }: Tables, run: RunRecord, limit: number): readonly ChildView[] {
  return children.of(run.family, limit).map((start) => {
    const { runId, workflowType, parent } = runs.at(start);
    return { runId, workflowType, path: parent?.path ?? "" };
  });
}

/** At most `limit` of the children that have ended and whose parents have not heard of it, in the order of their start. */
export function unreportedEnds({ children, runs }: Tables, limit: number): readonly UnreportedEnd[] {
  const ends: UnreportedEnd[] = [];
  for (const start of children.unreported(limit)) {
    const { runId, startIndex, parent, head } = runs.at(start);
    if (parent === undefined || head.status !== "finished") continue;
    ends.push({ runId, startIndex, parent, outcome: outcomeOf(runs.records, runs.at(start), head.outcome) });
  }
  return ends;
}

/** A run with all that is recorded of it. */
export function view(tables: Tables, run: RunRecord): RunView {
  const { runs } = tables;
  return {
    ...summary(tables, run),
    input: inputOf(runs.records, run),
    history: historyOf(runs.records, run).map(({ path, record }) => [path, record] as const),
    progress: progressIn(runs, run, Number.POSITIVE_INFINITY),
    isRetried: run.head.mending.retriedAt > 0,
    keptSignals: keptSignals(runs.records, run),
    streams: ownedStreams(runs.records, run),
    updates: tables.updates.open(run),
  };
}

/** The progress of at most `limit` steps of a run that have no record yet. */
export function progressIn({ records }: RunTable, run: RunRecord, limit: number): readonly KnownProgress[] {
  if (run.head.status !== "running" || run.head.stepsInProgress === 0) return [];
  const { progressFrom } = run.head.mending;
  return progressOf(records, run, progressFrom === 0 ? limit : Number.POSITIVE_INFINITY)
    .filter(({ epoch }) => epoch >= progressFrom)
    .slice(0, limit);
}
