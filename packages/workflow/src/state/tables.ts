/** What commands are applied to: the tables, the log clock and the event list of one state machine. */
import { invariant, type LogIndex, type NodeId, type StateStore } from "@raftoral/raft-core";
import type { Epoch, OwnerReason } from "../model/ownership.ts";
import type { RunOutcome } from "../model/run-outcome.ts";
import { NodeTable } from "../nodes/node-table.ts";
import { HEADER_KEY } from "../records/state-keys.ts";
import type { RunningHead, RunRecord } from "./run-record.ts";
import { RunTable } from "./run-table.ts";
import { decodeHeader, encodeHeader } from "./state-header.ts";
import type { WorkflowEvent } from "./workflow-event.ts";

/** Signal ids that a run which has ended remembers. */
const MAX_SIGNAL_IDS_AFTER_END = 16;

export class Tables {
  readonly runs: RunTable;
  readonly nodes: NodeTable;
  /** The log clock: never goes back, whatever proposers' clocks do. ms since the epoch. */
  clock: number;
  /** The latest ownership handed out. */
  lastEpoch: Epoch;
  /** Place in the log of the command that is being applied, or was applied last. */
  index: LogIndex;
  /** What happened since somebody last took the list. */
  events: WorkflowEvent[] = [];

  readonly #store: StateStore;

  /** The tables as the store has them. `cacheBytes` bounds what is kept decoded beside it. */
  constructor(store: StateStore, cacheBytes: number) {
    const header = decodeHeader(store.get(HEADER_KEY));
    this.#store = store;
    this.runs = new RunTable(store, header, cacheBytes);
    this.nodes = new NodeTable(store);
    this.clock = header.clock;
    this.lastEpoch = header.lastEpoch;
    this.index = store.appliedIndex;
  }

  /** Everything applied so far belongs together: after a crash the store has all of it, or none. */
  commit(): void {
    const { clock, lastEpoch } = this;
    this.#store.put(HEADER_KEY, encodeHeader({ clock, lastEpoch, ...this.runs.counts }));
    this.#store.commit(this.index);
  }

  readonly loadOf = (nodeId: NodeId): number => this.runs.loadOf(nodeId);

  nextEpoch(): Epoch {
    this.lastEpoch += 1;
    return this.lastEpoch;
  }

  /**
   * Gives a running run to `to` (0: no node) under a new epoch. A run whose cancellation was asked for does not outlive its
   * last owner: without another it is cancelled here.
   */
  assign(run: RunRecord, to: NodeId, reason: OwnerReason): void {
    const head = run.head;
    invariant(head.status === "running", () => `run ${run.runId} has ended and has no owner`);
    if (to === 0 && head.cancelReason !== undefined) {
      this.finish(run, head, { status: "cancelled", reason: head.cancelReason });
      return;
    }
    const epoch = this.nextEpoch();
    this.runs.update(run, { ...head, owner: to, epoch, reason, attempt: to === 0 ? head.attempt : head.attempt + 1 });
    this.events.push({
      type: "owner-changed",
      index: this.index,
      atMs: this.clock,
      runId: run.runId,
      workflowType: run.workflowType,
      from: head.owner,
      to,
      epoch,
      reason,
    });
  }

  finish(run: RunRecord, head: RunningHead, outcome: RunOutcome): void {
    const { owner, epoch, attempt } = head;
    const atMs = this.clock;
    const signalIds = head.signalIds.slice(-MAX_SIGNAL_IDS_AFTER_END);
    const end = { outcome: outcome.status, endedAtMs: atMs, endIndex: this.index };
    this.runs.finish(run, { status: "finished", ...end, signalIds, owner, epoch, attempt }, outcome);
    this.events.push({
      type: "run-ended",
      index: this.index,
      atMs,
      runId: run.runId,
      workflowType: run.workflowType,
      outcome,
      owner,
      epoch,
    });
  }
}
