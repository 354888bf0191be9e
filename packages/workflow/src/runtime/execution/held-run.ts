/** A run that is this node's, as the node knows it: waiting for its body to begin, with a body in memory, or resting without one. */
import type { LogIndex } from "@raftoral/raft-core";
import type { Epoch } from "../../model/runs/ownership.ts";
import type { EvictedBody } from "../residency/evicted-body.ts";
import type { Resident } from "../residency/residency.ts";
import type { SharedAlarm } from "../residency/shared-alarms.ts";
import type { RunExecution } from "./run-execution.ts";
import type { Trial } from "./trials.ts";

/** What makes a run this node's. */
export interface OwnedRun {
  readonly runId: string;
  readonly workflowType: string;
  readonly epoch: Epoch;
  readonly ownerLosses: number;
  readonly family: LogIndex;
  readonly deadlineAtMs: number;
  readonly cancelReason: string | undefined;
}

/** A run under one ownership of this node. There may be very many: what few need is made when they do. */
export class HeldRun {
  readonly runId: string;
  readonly workflowType: string;
  readonly epoch: Epoch;
  /** Present when the run is a suspect. */
  readonly trial: Trial | undefined;
  /** The body, while it is in memory. */
  execution: RunExecution | undefined;
  /** The same, as the node counts it. */
  resident: Resident | undefined;
  /** What the body left behind when it was taken out of memory, until it has begun again. */
  evicted: EvictedBody | undefined;
  /** The body is on its way: it waits for its turn or for its record. */
  isStarting = false;
  /** Something came for the run while its record was being read: what was read may lack it. */
  outdated = false;
  /** Somebody has asked to cancel the run. */
  isCancelled: boolean;
  /** Somebody has asked to pause the run: nothing of it begins here. */
  isPausing = false;
  /** Ends the wait for a slot; undefined while there is none. */
  leaveQueue: (() => void) | undefined;
  /** The end of the run's time. */
  deadline: SharedAlarm | undefined;
  /** The first alarm of a body that is not in memory. */
  alarm: SharedAlarm | undefined;

  constructor({ runId, workflowType, epoch, cancelReason }: Omit<OwnedRun, "ownerLosses">, trial: Trial | undefined) {
    this.runId = runId;
    this.workflowType = workflowType;
    this.epoch = epoch;
    this.isCancelled = cancelReason !== undefined;
    this.trial = trial;
  }
}
