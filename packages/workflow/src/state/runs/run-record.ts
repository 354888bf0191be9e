/**
 * A run as the functions that apply commands see it.
 *
 * Role: plain data, of bounded size but for signals that wait. What may be large (input, outcome, checkpoints) stays in the store until
 * somebody asks for it. Heads are replaced and never altered.
 */
import type { LogIndex, NodeId, StateKey } from "@raftoral/raft-core";
import type { Attributes } from "../../model/attributes.ts";
import type { RunMending } from "../../model/mending.ts";
import type { OwnerLosses } from "../../model/runs/owner-losses.ts";
import type { Epoch, OwnerReason } from "../../model/runs/ownership.ts";
import type { KnownParent } from "../../model/runs/parent.ts";
import type { BehaviourLevel } from "../../model/runs/run-needs.ts";
import type { RunOutcome } from "../../model/runs/run-outcome.ts";
import type { QueuePlace, RunQueue } from "../../model/runs/run-queue.ts";
import type { HeldMismatch, StuckReason } from "../../model/runs/stuck-reason.ts";
import type { ScheduledBy } from "../../model/schedule.ts";
import type { TraceContext } from "../../model/trace-context.ts";
import type { UpdateTotals } from "../../model/update.ts";
import type { Seat } from "../../nodes/seat.ts";

/** A signal that the run has not asked for yet. */
export interface BufferedSignal {
  /** 1 for the run's first signal that was kept, then ascending. */
  readonly number: number;
  readonly name: string;
  readonly payload: Uint8Array;
  readonly atMs: number;
}

/** The run has not ended. Who executes it, if anybody, is where it is: tables.ts O1-O5. */
export interface RunningHead {
  readonly status: "running";
  /** Who it was given to last; 0 for no node. */
  readonly owner: NodeId;
  /** Where it is: on a seat of `owner`, or on none (0) while it waits for a node that can execute it, or is stuck. */
  readonly seat: Seat;
  readonly epoch: Epoch;
  /** 1 for the first owner, one more with every later one. */
  readonly attempt: number;
  readonly reason: OwnerReason;
  readonly cancelReason: string | undefined;
  /** Whether the cancellation was asked for because its time is over. */
  readonly isTimedOut: boolean;
  /** Whether it has ever started a child: only then is there something to tell when it ends. */
  readonly hasChildren: boolean;
  /** Owners that it has lost in a row. */
  readonly losses: OwnerLosses;
  /** Why no node is to execute it; undefined unless it is stuck. */
  readonly stuck: StuckReason | undefined;
  /** Where code and history differ; undefined unless it is stuck for that. */
  readonly mismatch: HeldMismatch | undefined;
  /** Seats of live processes whose code did not fit. */
  readonly tried: readonly Seat[];
  /** Ids of the latest signals, for dropping repeated ones. Oldest first. */
  readonly signalIds: readonly string[];
  /** Steps without a record of which the state has progress. */
  readonly stepsInProgress: number;
  /** Its updates; undefined for a run that never had one. */
  readonly updates: UpdateTotals | undefined;
  /** Why somebody asked to pause it; undefined without a request. A run that is paused is stuck for that reason; another one is about to pause. */
  readonly pauseReason: string | undefined;
  /** What operators have done to it. */
  readonly mending: RunMending;
  /** Its place in its queue; undefined for a run that counts in none: without a queue, or stuck or paused. */
  readonly queued: QueuePlace | undefined;
}

/** The run has ended and waits to be pruned. */
export interface FinishedHead {
  readonly status: "finished";
  readonly outcome: RunOutcome["status"];
  readonly endedAtMs: number;
  readonly endIndex: LogIndex;
  /** The cluster's uptime at its end, which pruning goes by. */
  readonly endedUptimeMs: number;
  /** Why somebody asked to cancel it, however it ended then; undefined without a request. */
  readonly cancelReason: string | undefined;
  /** Records in its archive; 0 when it has none, or has too many or too large ones for one. */
  readonly archived: number;
  /** What it takes in the state, as far as it was measured (run-sizes.ts SZ1). */
  readonly bytes: number;
  /** Where its size is measured next; empty once it was measured as a whole. */
  readonly unmeasured: StateKey;
  /** Whether the archive hook has taken it, since it ended. */
  readonly isHandedOver: boolean;
  /** Ids of its last signals: one sent again because its outcome was not known is answered as taken. Oldest first. */
  readonly signalIds: readonly string[];
  /** Who ended it (0: a cancelled orphan), and under which ownership. */
  readonly owner: NodeId;
  readonly epoch: Epoch;
  readonly attempt: number;
  /** Steps whose progress it left behind; swept when it is pruned. */
  readonly stepsInProgress: number;
  /** Updates that were answered and are remembered; undefined for a run that never had one. */
  readonly updates: UpdateTotals | undefined;
  /** What operators have done to it. */
  readonly mending: RunMending;
}

/** The part of a run that commands replace. */
export type RunHead = RunningHead | FinishedHead;

/** What is given with the start and stays. */
export interface RunFacts {
  readonly runId: string;
  readonly workflowType: string;
  readonly version: number;
  readonly seed: Uint8Array;
  /** Of its input, by which another start is compared; empty when its start had none. */
  readonly inputDigest: Uint8Array;
  readonly startedAtMs: number;
  /** Place of its start in the log: unique, and the order of runs. */
  readonly startIndex: LogIndex;
  /** The run that started it; undefined for one that was started from outside. */
  readonly parent: KnownParent | undefined;
  /** From 1; one more with every continuation as new. */
  readonly generation: number;
  /** Place of the start of its first generation: the run's name among parents and children. */
  readonly family: LogIndex;
  /** When its time is over, over all generations, in ms since the epoch of the log clock; 0 for a run without a limit. */
  readonly deadlineAtMs: number;
  /** Its attributes when this generation began: what its body goes on from. */
  readonly initialAttributes: Attributes;
  /** When it is to begin, in ms since the epoch; 0: with its start. */
  readonly startAtMs: number;
  /** Whether `startAtMs` is the end of a delay, and no time of day. */
  readonly isDelay: boolean;
  /** The schedule that started it; undefined for every other. */
  readonly schedule: ScheduledBy | undefined;
  /** What its start was named by its caller; empty when it was not. */
  readonly startId: string;
  /** The place in a trace that it belongs to, over all generations; undefined for a start without one. */
  readonly trace: TraceContext | undefined;
  /** Behaviours of the engine that its replays have, of this generation. */
  readonly behaviourLevel: BehaviourLevel;
  /** Its queue, over all generations; undefined for a run without one. It may be gone once the run has ended. */
  readonly queue: RunQueue | undefined;
}

/** A run as the tables hold it. Only the run table changes it. */
export interface RunRecord extends Omit<RunFacts, "deadlineAtMs" | "inputDigest"> {
  /** As of the facts. Set when a run is let through a queue. */
  deadlineAtMs: number;
  /** As of the facts. A start that is put off may get another input. */
  inputDigest: Uint8Array;
  /** `startIndex` as it stands in keys. */
  readonly startKey: StateKey;
  head: RunHead;
  /** What it is found by now. Replaced and never altered. */
  attributes: Attributes;
  /**
   * Whether it has ever had streams, variables, changes of attributes or values kept as blobs: records of its own that its head does not tell of, and that are swept when it is
   * gone (run-remains.ts).
   */
  hasExtras: boolean;
  /** Whether it has ever asked for a lock: only then is there something to release when it ends. */
  hasAsked: boolean;
  /** Undefined until it is asked for (`recordCountOf`): nothing that is applied to a run does. */
  recordCount: number | undefined;
  /**
   * The records of its checkpoints by the hashes of their paths, while all are known: of a run that was started here and has stayed in the
   * cache since. A path whose hash is not among them has none, and when the run ends they need not be read.
   */
  hashes: Map<number, Uint8Array> | undefined;
  /** What waits for it, oldest first; empty once it has ended. */
  signals: readonly BufferedSignal[];
}
