/** How runs and nodes look from outside: copies of references, structured-cloneable, safe to keep. */
import type { LogIndex, NodeId } from "@raftoral/raft-core";
import type { CheckpointRecord } from "../command/command-result.ts";
import type { Epoch, RunOutcome, TypeVersion } from "../command/workflow-command.ts";
import type { NodeStatus } from "./node-table.ts";
import type { OwnerReason, RunRecord } from "./run-record.ts";
import type { Tables } from "./tables.ts";

export type RunStatus = "Running" | "Completed" | "Failed" | "Cancelled";

interface RunFacts {
  readonly runId: string;
  readonly type: string;
  readonly version: number;
  /** The owner, or the one that ended the run. 0: nobody. */
  readonly owner: NodeId;
  readonly epoch: Epoch;
  /** How many owners it has had, restarted processes included. */
  readonly attempt: number;
  readonly startedAt: number;
  readonly startIndex: LogIndex;
  readonly checkpointCount: number;
}

/** A run that has not ended. */
export interface RunningSummary extends RunFacts {
  readonly status: "Running";
  readonly reason: OwnerReason;
  /** Set once somebody has asked to cancel it. */
  readonly cancelReason: string | undefined;
  /** Names of signals that wait for it, oldest first. */
  readonly signals: readonly string[];
}

/** A run that has ended. */
export interface FinishedSummary extends RunFacts {
  readonly status: RunOutcome["status"];
  readonly outcome: RunOutcome;
  readonly endedAt: number;
  readonly endIndex: LogIndex;
}

export type RunSummary = RunningSummary | FinishedSummary;

/** A run with all that is recorded of it. */
export type RunView = RunSummary & {
  readonly input: Uint8Array;
  readonly seed: Uint8Array;
  /** In the order in which they were committed. */
  readonly checkpoints: readonly (readonly [key: string, checkpoint: CheckpointRecord])[];
};

export interface NodeView {
  readonly nodeId: NodeId;
  readonly incarnation: string;
  readonly status: NodeStatus;
  readonly types: readonly TypeVersion[];
  /** Runs it owns. */
  readonly running: number;
}

/** What to list. Every condition given must hold. */
export interface RunQuery {
  readonly status?: RunStatus;
  readonly type?: string;
  readonly owner?: NodeId;
  /** At most this many runs, 1 to 1000 (100). */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

export interface RunPage {
  readonly runs: readonly RunSummary[];
  /** Present when there may be more. */
  readonly next?: string;
}

export function summary(run: RunRecord): RunSummary {
  const { runId, type, version, startedAt, startIndex, head } = run;
  const { owner, epoch, attempt } = head;
  const checkpointCount = run.checkpoints.size;
  const facts = { runId, type, version, owner, epoch, attempt, startedAt, startIndex, checkpointCount };
  if (head.status === "Running") {
    const { reason, cancelReason } = head;
    return { ...facts, status: "Running", reason, cancelReason, signals: head.signals.map((signal) => signal.name) };
  }
  const { outcome, endedAt, endIndex } = head;
  return { ...facts, status: outcome.status, outcome, endedAt, endIndex };
}

export function view(run: RunRecord): RunView {
  return { ...summary(run), input: run.input, seed: run.seed, checkpoints: [...run.checkpoints] };
}

/** Newest start first. Looks at every run: it is for people and tools, not for a hot path. */
export function listRuns(tables: Tables, query: RunQuery): RunPage {
  const limit = Math.min(Math.max(Math.trunc(query.limit ?? 100), 1), 1000);
  const before = query.cursor === undefined ? Number.POSITIVE_INFINITY : Number(query.cursor);
  const found: RunRecord[] = [];
  const { status, type, owner } = query;
  const consider = (run: RunRecord): void => {
    if (!(run.startIndex < before)) return;
    if (type !== undefined && run.type !== type) return;
    if (owner !== undefined && run.head.owner !== owner) return;
    const actual = run.head.status === "Running" ? "Running" : run.head.outcome.status;
    if (status !== undefined && actual !== status) return;
    found.push(run);
  };
  if (status === undefined || status === "Running") for (const run of tables.runs.running()) consider(run);
  if (status !== "Running") for (const run of tables.runs.finished()) consider(run);
  found.sort((a, b) => b.startIndex - a.startIndex);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const runs = page.map(summary);
  return found.length > limit && last !== undefined ? { runs, next: String(last.startIndex) } : { runs };
}
