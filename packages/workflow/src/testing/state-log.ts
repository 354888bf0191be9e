/** A state machine with a log of one's own, for tests. */
import { MemoryStateStore } from "@raftoral/raft-core";
import type { CommandResult, WorkflowCommand } from "../commands/registry.ts";
import type { Prune } from "../commands/runs/prune.ts";
import type { WorkflowStart } from "../commands/runs/workflow-start.ts";
import { WorkflowState } from "../machine/workflow-state.ts";
import { NO_LIMITS, NO_RUN_QUEUE, type QueueLimits, type RunQueue } from "../model/runs/run-queue.ts";
import { SnapshotDecoder } from "../state/snapshots/decode-snapshot.ts";

export const NOTHING = new Uint8Array(0);
/** What nodes register unless told otherwise. */
export const ORDER = { type: "order", version: 1 };

/**
 * A WorkflowState with the next index and time of a log. Each method applies one command and gives its result. `at` is the time of the next command,
 * in ms.
 */
export class StateLog {
  readonly state: WorkflowState;
  index = 0;
  at = 1000;

  constructor(state: WorkflowState = new WorkflowState()) {
    this.state = state;
  }

  apply(command: WorkflowCommand): CommandResult {
    this.index += 1;
    return this.state.apply(this.index, command);
  }

  register(nodeId: number, types = [ORDER], incarnation = `process-${nodeId}`, behaviourLevel = 0): CommandResult {
    return this.apply({ kind: "NodeRegister", nodeId, incarnation, types, atMs: this.at, behaviourLevel });
  }

  start(runId: string, owner = 1, more: Partial<Extract<WorkflowCommand, { kind: "WorkflowStart" }>> = {}) {
    return this.apply({
      kind: "WorkflowStart",
      runId,
      workflowType: "order",
      version: 1,
      input: NOTHING,
      owner,
      atMs: this.at,
      seed: NOTHING,
      ...more,
    });
  }

  /** Makes a queue, or gives it these limits. */
  queue(name: string, limits: Partial<QueueLimits> = {}, isDeclared = false): CommandResult {
    return this.apply({ kind: "QueueDefine", name, limits: { ...NO_LIMITS, ...limits }, isDeclared, atMs: this.at });
  }

  /** Starts a run in a queue. */
  enqueue(
    runId: string,
    name: string,
    more: Partial<RunQueue> = {},
    start: Partial<WorkflowStart> = {},
  ): CommandResult {
    return this.start(runId, 1, { ...start, queue: { ...NO_RUN_QUEUE, name, ...more } });
  }

  /** What a leader does: lets runs through until no queue is due. Returns how many commands it took. */
  admitAll(more: { readonly queueId?: number; readonly expiredTo?: number; readonly periodMs?: number } = {}): number {
    for (let commands = 1; ; commands++) {
      const window = { queueId: 0, expiredTo: 0, periodMs: 0, ...more };
      const result = this.apply({ kind: "AdmitRuns", ...window, atMs: this.at });
      if (!result.ok || result.kind !== "Admitted") throw new Error("runs were not let through");
      if (!result.more) return commands;
    }
  }

  owner(runId: string): number | undefined {
    return this.state.summary(runId)?.owner;
  }

  epoch(runId: string): number {
    return this.state.summary(runId)?.epoch ?? Number.NaN;
  }

  checkpoint(runId: string, key: string, value: number, owner: number, epoch: number): CommandResult {
    const bytes = Uint8Array.of(value);
    return this.apply({
      kind: "Checkpoint",
      runId,
      path: key,
      value: bytes,
      atMs: this.at,
      owner,
      epoch,
      recordKind: "step",
    });
  }

  end(runId: string, owner: number, epoch: number): CommandResult {
    const outcome = { status: "completed", result: NOTHING } as const;
    return this.apply({ kind: "WorkflowEnd", runId, outcome, atMs: this.at, owner, epoch });
  }

  drain(nodeId: number, incarnation = `process-${nodeId}`): CommandResult {
    return this.apply({ kind: "NodeDrain", nodeId, incarnation, atMs: this.at });
  }

  /** One piece of the runs that are to be moved. */
  move(): CommandResult {
    return this.apply({ kind: "MoveRuns", atMs: this.at });
  }

  /** All of them, as a leader would. Returns how many pieces it took. */
  moveAll(): number {
    for (let pieces = 0; ; pieces++) {
      if (this.state.size.toMove === 0) return pieces;
      const result = this.move();
      if (!result.ok || result.kind !== "Moved" || result.moved === 0) throw new Error("a piece moved nothing");
    }
  }

  prune(more: Partial<Prune>): CommandResult {
    const { uptimeMs } = this.state;
    const nothing = { keepAtMost: 1_000_000, uptimeFromMs: uptimeMs, uptimeMs, retentionMs: 1_000_000, rules: [] };
    return this.apply({ kind: "Prune", atMs: this.at, ...nothing, ...more });
  }

  lost(nodeId: number, incarnation = `process-${nodeId}`, forget = false): CommandResult {
    return this.apply({ kind: "NodeLost", nodeId, incarnation, atMs: this.at, forget });
  }
}

/** The state of a node that was restored from a snapshot taken now, in chunks of at most `chunkBytes`. */
export function restoredFrom(state: WorkflowState, chunkBytes = 1024): WorkflowState {
  const store = new MemoryStateStore();
  const replacement = store.replace();
  const decoder = new SnapshotDecoder(replacement);
  for (const chunk of state.capture(chunkBytes)) {
    if (chunk.length > chunkBytes) throw new Error(`a chunk has ${chunk.length} bytes, not ${chunkBytes}`);
    decoder.push(chunk);
  }
  decoder.finish();
  // In memory it takes its place at once.
  void replacement.finish(state.appliedIndex);
  return new WorkflowState(store);
}
