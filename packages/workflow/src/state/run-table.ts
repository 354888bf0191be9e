/**
 * All runs, by id and by owner.
 *
 * T1. Every running run is in exactly one owner's set: that of its head's owner (0 for orphans).
 * T2. Finished runs are in the order in which they ended, and in nobody's set.
 */
import { invariant, type NodeId } from "@raftoral/raft-core";
import type { FinishedHead, RunningHead, RunRecord } from "./run-record.ts";

const NOBODY: ReadonlySet<RunRecord> = new Set();

export class RunTable {
  readonly #running = new Map<string, RunRecord>();
  readonly #finished = new Map<string, RunRecord>();
  readonly #byOwner = new Map<NodeId, Set<RunRecord>>();

  get runningCount(): number {
    return this.#running.size;
  }

  get finishedCount(): number {
    return this.#finished.size;
  }

  get(runId: string): RunRecord | undefined {
    return this.#running.get(runId) ?? this.#finished.get(runId);
  }

  running(): IterableIterator<RunRecord> {
    return this.#running.values();
  }

  /** Oldest end first. */
  finished(): IterableIterator<RunRecord> {
    return this.#finished.values();
  }

  /** A run that is new, or comes from a snapshot. */
  add(run: RunRecord): void {
    invariant(this.get(run.runId) === undefined, () => `run ${run.runId} exists`);
    if (run.head.status === "Finished") {
      this.#finished.set(run.runId, run);
    } else {
      this.#running.set(run.runId, run);
      this.#ownedBy(run.head.owner).add(run);
    }
  }

  /** Replaces a running run's head by another running one. */
  update(run: RunRecord, head: RunningHead): void {
    const before = run.head;
    invariant(before.status === "Running", () => `run ${run.runId} has ended`);
    if (before.owner !== head.owner) {
      this.#byOwner.get(before.owner)?.delete(run);
      this.#ownedBy(head.owner).add(run);
    }
    run.head = head;
  }

  finish(run: RunRecord, head: FinishedHead): void {
    const before = run.head;
    invariant(before.status === "Running", () => `run ${run.runId} has ended`);
    this.#byOwner.get(before.owner)?.delete(run);
    this.#running.delete(run.runId);
    this.#finished.set(run.runId, run);
    run.head = head;
  }

  prune(run: RunRecord): void {
    invariant(run.head.status === "Finished", () => `run ${run.runId} is running`);
    this.#finished.delete(run.runId);
  }

  loadOf(nodeId: NodeId): number {
    return this.#byOwner.get(nodeId)?.size ?? 0;
  }

  /** In the order of their start, whatever the order of arrival here: the same on every node. */
  ownedBy(nodeId: NodeId): readonly RunRecord[] {
    return [...(this.#byOwner.get(nodeId) ?? NOBODY)].sort((a, b) => a.startIndex - b.startIndex);
  }

  #ownedBy(nodeId: NodeId): Set<RunRecord> {
    let owned = this.#byOwner.get(nodeId);
    if (owned === undefined) {
      owned = new Set();
      this.#byOwner.set(nodeId, owned);
    }
    return owned;
  }
}
