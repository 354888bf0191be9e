/** What the functions that apply commands work on: the tables, the log clock and the event list of one state machine. */
import { invariant, type LogIndex, type NodeId } from "@raftoral/raft-core";
import type { Refused } from "../command/command-result.ts";
import type { Epoch, RunOutcome } from "../command/workflow-command.ts";
import type { RefusalCode } from "../errors.ts";
import { NodeTable } from "./node-table.ts";
import type { OwnerReason, RunningHead, RunRecord } from "./run-record.ts";
import { RunTable } from "./run-table.ts";
import type { WorkflowEvent } from "./workflow-event.ts";

/** Signal ids that a run which has ended remembers. */
const MAX_SIGNAL_IDS_AFTER_END = 16;

export class Tables {
  readonly runs = new RunTable();
  readonly nodes = new NodeTable();
  /** The log clock: never goes back, whatever proposers' clocks do. ms since the epoch. */
  clock = 0;
  /** The latest ownership handed out. */
  lastEpoch: Epoch = 0;
  /** Place in the log of the command that is being applied. */
  index: LogIndex = 0;
  /** What happened since somebody last took the list. */
  events: WorkflowEvent[] = [];

  readonly loadOf = (nodeId: NodeId): number => this.runs.loadOf(nodeId);

  nextEpoch(): Epoch {
    this.lastEpoch += 1;
    return this.lastEpoch;
  }

  /**
   * Gives a running run to `to` (0: nobody) under a new epoch. A run whose cancellation was asked for does not outlive its
   * last owner: without another it is cancelled here.
   */
  assign(run: RunRecord, to: NodeId, reason: OwnerReason): void {
    const head = run.head;
    invariant(head.status === "Running", () => `run ${run.runId} has ended and has no owner`);
    if (to === 0 && head.cancelReason !== undefined) {
      this.finish(run, head, { status: "Cancelled", reason: head.cancelReason });
      return;
    }
    const epoch = this.nextEpoch();
    this.runs.update(run, { ...head, owner: to, epoch, reason, attempt: to === 0 ? head.attempt : head.attempt + 1 });
    this.events.push({
      type: "owner-changed",
      index: this.index,
      at: this.clock,
      runId: run.runId,
      workflowType: run.type,
      from: head.owner,
      to,
      epoch,
      reason,
    });
  }

  finish(run: RunRecord, head: RunningHead, outcome: RunOutcome): void {
    const { owner, epoch, attempt } = head;
    const at = this.clock;
    const signalIds = head.signalIds.slice(-MAX_SIGNAL_IDS_AFTER_END);
    const end = { outcome, endedAt: at, endIndex: this.index };
    this.runs.finish(run, { status: "Finished", ...end, signalIds, owner, epoch, attempt });
    this.events.push({
      type: "run-ended",
      index: this.index,
      at,
      runId: run.runId,
      workflowType: run.type,
      outcome,
      owner,
      epoch,
    });
  }
}

export function refused(code: RefusalCode, message: string, details?: Readonly<Record<string, unknown>>): Refused {
  return details === undefined ? { ok: false, code, message } : { ok: false, code, message, details };
}
