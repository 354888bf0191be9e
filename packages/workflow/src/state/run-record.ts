/**
 * A run as the replicated state keeps it.
 *
 * Role: plain data. What changes over a run's life is its head, which is replaced and never altered, and its checkpoints,
 * which only grow: so a snapshot holds on to a head and a count and stays consistent while applying goes on.
 */
import type { LogIndex, NodeId } from "@raftoral/raft-core";
import type { CheckpointRecord } from "../command/command-result.ts";
import type { Epoch, RunOutcome } from "../command/workflow-command.ts";

/** A signal that the run has not asked for yet. */
export interface BufferedSignal {
  readonly name: string;
  readonly payload: Uint8Array;
  readonly at: number;
}

/** Why a run has the owner it has. */
export type OwnerReason = "START" | "NODE_FAILURE" | "LOAD_BALANCING" | "DRAIN" | "RESTART" | "ADOPTION";

/** The run is to be executed by `owner`, or by nobody while `owner` is 0 (an orphan: no live node has its type). */
export interface RunningHead {
  readonly status: "Running";
  readonly owner: NodeId;
  readonly epoch: Epoch;
  /** 1 for the first owner, one more with every later one. */
  readonly attempt: number;
  readonly reason: OwnerReason;
  readonly cancelReason: string | undefined;
  readonly signals: readonly BufferedSignal[];
  /** Ids of the latest signals, for dropping repeated ones. Oldest first. */
  readonly signalIds: readonly string[];
}

/** The run has ended and waits to be pruned. */
export interface FinishedHead {
  readonly status: "Finished";
  readonly outcome: RunOutcome;
  readonly endedAt: number;
  readonly endIndex: LogIndex;
  /** Ids of its last signals: one sent again because its outcome was not known is answered as taken. Oldest first. */
  readonly signalIds: readonly string[];
  /** Who ended it (0: a cancelled orphan), and under which ownership. */
  readonly owner: NodeId;
  readonly epoch: Epoch;
  readonly attempt: number;
}

export type RunHead = RunningHead | FinishedHead;

export interface RunRecord {
  readonly runId: string;
  readonly type: string;
  readonly version: number;
  readonly input: Uint8Array;
  readonly seed: Uint8Array;
  readonly startedAt: number;
  /** Place of its start in the log: unique, and the order of runs. */
  readonly startIndex: LogIndex;
  head: RunHead;
  readonly checkpoints: Map<string, CheckpointRecord>;
}
