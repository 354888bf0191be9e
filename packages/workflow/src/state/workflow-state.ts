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
 * Invariants of the parts: T1-T2 (run-table), A1-A3 (apply-run), N1-N4 (apply-node).
 */
import type { LogIndex, NodeId } from "@raftoral/raft-core";
import type { CommandResult } from "../command/command-result.ts";
import type { WorkflowCommand } from "../command/workflow-command.ts";
import { applyDrain, applyLost, applyOwnerChange, applyPrune, applyRegister } from "./apply-node.ts";
import { applyCancel, applyCheckpoint, applyEnd, applySignal, applySignalReceive } from "./apply-run.ts";
import { applyStart } from "./apply-start.ts";
import { encodeSnapshot } from "./encode-snapshot.ts";
import {
  listRuns,
  type NodeView,
  type RunPage,
  type RunQuery,
  type RunSummary,
  type RunView,
  summary,
  view,
} from "./run-view.ts";
import { Tables } from "./tables.ts";
import type { WorkflowEvent } from "./workflow-event.ts";

/** Numbers that say how large the state is. */
export interface StateSize {
  readonly running: number;
  readonly orphaned: number;
  readonly finished: number;
}

export class WorkflowState {
  #tables: Tables;

  constructor(tables: Tables = new Tables()) {
    this.#tables = tables;
  }

  /** Applies the command at `index` of the log. */
  apply(index: LogIndex, command: WorkflowCommand): CommandResult {
    const tables = this.#tables;
    tables.index = index;
    if (command.at > tables.clock) tables.clock = command.at;
    return dispatch(tables, command);
  }

  /** What happened since the last call. */
  takeEvents(): readonly WorkflowEvent[] {
    const { events } = this.#tables;
    if (events.length > 0) this.#tables.events = [];
    return events;
  }

  /** The log clock, in ms since the epoch. */
  get clock(): number {
    return this.#tables.clock;
  }

  get size(): StateSize {
    const { runs } = this.#tables;
    return { running: runs.runningCount, orphaned: runs.loadOf(0), finished: runs.finishedCount };
  }

  /** A run with its checkpoints. Its cost grows with the run's history; nothing else here does. */
  run(runId: string): RunView | undefined {
    const run = this.#tables.runs.get(runId);
    return run === undefined ? undefined : view(run);
  }

  /** A run without input and checkpoints. */
  summary(runId: string): RunSummary | undefined {
    const run = this.#tables.runs.get(runId);
    return run === undefined ? undefined : summary(run);
  }

  /** Newest start first. */
  list(query: RunQuery): RunPage {
    return listRuns(this.#tables, query);
  }

  /** Running runs of a node, oldest start first. */
  ownedBy(nodeId: NodeId): readonly RunSummary[] {
    return this.#tables.runs.ownedBy(nodeId).map(summary);
  }

  /** Ascending by id. */
  nodes(): readonly NodeView[] {
    const { nodes, runs } = this.#tables;
    return nodes.all().map(({ nodeId, incarnation, status, types }) => ({
      nodeId,
      incarnation,
      status,
      types,
      running: runs.loadOf(nodeId),
    }));
  }

  /** When the run that ended first did so; undefined when none has ended. */
  oldestEnd(): number | undefined {
    for (const { head } of this.#tables.runs.finished()) if (head.status === "Finished") return head.endedAt;
    return undefined;
  }

  /**
   * The state now, as chunks of about `chunkBytes`. The capture happens in this call and costs one step per run; encoding
   * happens as the chunks are taken, and what is applied meanwhile does not show.
   */
  capture(chunkBytes: number): Iterable<Uint8Array> {
    return encodeSnapshot(this.#tables, chunkBytes);
  }

  /** Takes over what a {@link SnapshotDecoder} read. */
  replace(tables: Tables): void {
    this.#tables = tables;
    tables.events.push({ type: "state-restored" });
  }
}

function dispatch(tables: Tables, command: WorkflowCommand): CommandResult {
  switch (command.kind) {
    case "Checkpoint":
      return applyCheckpoint(tables, command);
    case "WorkflowStart":
      return applyStart(tables, command);
    case "WorkflowEnd":
      return applyEnd(tables, command);
    case "OwnerChange":
      return applyOwnerChange(tables, command);
    case "Signal":
      return applySignal(tables, command);
    case "SignalReceive":
      return applySignalReceive(tables, command);
    case "Cancel":
      return applyCancel(tables, command);
    case "NodeRegister":
      return applyRegister(tables, command);
    case "NodeLost":
      return applyLost(tables, command);
    case "NodeDrain":
      return applyDrain(tables, command);
    case "Prune":
      return applyPrune(tables, command);
  }
}
