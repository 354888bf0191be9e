/** What workflows show: runs in the cluster and on the node, and steps that the node executed. */
import type { NodeId } from "@raftoral/raft-core";
import type {
  LockQuery,
  LockView,
  QueueView,
  RunCount,
  RuntimeEvent,
  RuntimeLimits,
  RuntimeProbe,
  ScheduleFired,
  StateSize,
  WorkflowRuntime,
} from "@raftoral/workflow";
import type { Histogram } from "./histogram.ts";
import { LockMetrics } from "./lock-metrics.ts";
import { counter, gauge, histogram, type MetricSource, type Observe, updown } from "./metric.ts";
import { QueueMetrics } from "./queue-metrics.ts";
import type { Recorders } from "./recorders.ts";
import { Tally } from "./tally.ts";

const STATE = "raftoral.run.state";
const TYPE = "raftoral.workflow.type";
const OUTCOME = "raftoral.outcome";
const REASON = "raftoral.reason";
const BOUND = "raftoral.bound";

/** A step may be a look into memory, or a call that takes minutes. In seconds. */
const STEP_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** From a timer that is on time to an outage. In seconds. */
const LATENESS_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600];

export const WORKFLOW_METRICS = {
  runs: gauge("raftoral.workflow.runs", "{run}", "Runs in the replicated state; the same on every node", [STATE]),
  finishedSize: gauge("raftoral.workflow.finished.size", "By", "Bytes of finished runs; the same on every node"),
  retentionUsed: gauge("raftoral.workflow.retention.used", "1", "Part of a bound of finished runs that is used", [
    BOUND,
  ]),
  archived: counter("raftoral.workflow.archive.runs", "{run}", "Finished runs that the archive hook has taken"),
  archiveFailures: counter("raftoral.workflow.archive.failures", "{failure}", "Times that the archive hook has failed"),
  archiveFailing: updown(
    "raftoral.workflow.archive.failing",
    "{run}",
    "Finished runs that the archive hook gets again",
  ),
  retrying: updown(
    "raftoral.workflow.steps.retrying",
    "{step}",
    "Steps of the node's runs that wait for another attempt",
    [TYPE],
  ),
  stuck: gauge("raftoral.workflow.runs.stuck", "{run}", "Stuck runs by type; the same on every node", [TYPE]),
  oldestPending: gauge(
    "raftoral.workflow.steps.oldest_pending",
    "s",
    "Since when the oldest step of the node's runs is under way or retried",
    [TYPE],
  ),
  owned: updown("raftoral.workflow.runs.owned", "{run}", "Running runs that are the node's"),
  queued: updown("raftoral.workflow.runs.queued", "{run}", "Runs of the node that wait for a place among its bodies"),
  resident: updown("raftoral.workflow.bodies.resident", "{run}", "Bodies of the node's runs in its memory"),
  evicted: updown("raftoral.workflow.bodies.evicted", "{run}", "Runs of the node whose bodies rest outside of memory"),
  evictions: counter("raftoral.workflow.bodies.evictions", "{eviction}", "Bodies that have left the node's memory"),
  ended: counter("raftoral.workflow.runs.ended", "{run}", "Runs of the node that have ended", [TYPE, OUTCOME]),
  takenOver: counter("raftoral.workflow.runs.taken_over", "{run}", "Runs that became the node's later on", [REASON]),
  stepDuration: histogram(
    "raftoral.workflow.step.duration",
    "A step's function, retries included",
    [TYPE, OUTCOME],
    STEP_BOUNDS,
  ),
  schedules: counter(
    "raftoral.workflow.schedules.occurrences",
    "{occurrence}",
    "Occurrences of schedules that the node decided about as the leader",
    [OUTCOME],
  ),
  scheduleLateness: histogram(
    "raftoral.workflow.schedules.lateness",
    "How late occurrences of schedules were",
    [],
    LATENESS_BOUNDS,
  ),
  stepAttempts: counter("raftoral.workflow.step.attempts", "{attempt}", "Attempts of finished steps", [TYPE, OUTCOME]),
} as const;

type Outcome = "succeeded" | "failed";

/** What is needed of the archiving. */
export interface MeasuredArchive {
  readonly counts: { readonly taken: number; readonly failures: number; readonly failing: number };
}

/** Bounds of what is kept of runs that have ended. */
type RetentionLimits = Pick<RuntimeLimits, "maxFinishedRuns" | "maxFinishedBytes" | "maxKeptIds">;

/** What is needed of the replicated state; a `WorkflowExecutor`'s has it. */
export interface MeasuredState {
  readonly size: Pick<
    StateSize,
    | "running"
    | "stuck"
    | "paused"
    | "delayed"
    | "orphaned"
    | "resting"
    | "queued"
    | "finished"
    | "finishedBytes"
    | "tombstones"
  >;
  counts(): readonly RunCount[];
  queues(): readonly QueueView[];
  locks(query: LockQuery): readonly LockView[];
}

/** The metrics of the workflow engine. The runtime tells it steps and attempts; the rest is read from the state at each look. */
export class WorkflowMetrics implements MetricSource, RuntimeProbe {
  readonly #recorders: Recorders;
  readonly #steps = new Map<string, Record<Outcome, Histogram>>();
  readonly #attempts = new Tally(WORKFLOW_METRICS.stepAttempts);
  readonly #occurrences = new Tally(WORKFLOW_METRICS.schedules);
  readonly #lateness: Histogram;
  readonly #ended = new Tally(WORKFLOW_METRICS.ended);
  readonly #takenOver = new Tally(WORKFLOW_METRICS.takenOver);
  readonly #queues = new QueueMetrics();
  readonly #locks = new LockMetrics();
  #state: MeasuredState | undefined;
  #runtime: Pick<WorkflowRuntime, "load" | "residency" | "stepsUnderWay"> | undefined;
  #limits: RetentionLimits | undefined;
  #archiver: MeasuredArchive | undefined;

  constructor(recorders: Recorders) {
    this.#recorders = recorders;
    this.#lateness = recorders.histogram(WORKFLOW_METRICS.scheduleLateness, {});
  }

  /** The runtime, once it is there: it was started with this as its probe. */
  watch(
    nodeId: NodeId,
    runtime: Pick<WorkflowRuntime, "load" | "residency" | "stepsUnderWay" | "events">,
    state: MeasuredState,
    limits: RetentionLimits,
  ): () => void {
    this.#runtime = runtime;
    this.#limits = limits;
    this.#state = state;
    this.#queues.watch(() => state.queues());
    this.#locks.watch((query) => state.locks(query));
    return runtime.events.subscribe((event) => this.#heard(nodeId, event));
  }

  /** The archiving, where the node has a hook. */
  watchArchive(archiver: MeasuredArchive): void {
    this.#archiver = archiver;
  }

  stepFinished(workflowType: string, succeeded: boolean, attempts: number, tookMs: number): void {
    const outcome = succeeded ? "succeeded" : "failed";
    this.#stepsOf(workflowType)[outcome].record(tookMs / 1000);
    this.#attempts.add([workflowType, outcome], attempts);
  }

  scheduleFired({ outcome, missed, latenessMs }: ScheduleFired): void {
    if (outcome !== undefined) this.#occurrences.add([outcome]);
    if (missed > 0) this.#occurrences.add(["missed"], missed);
    if (latenessMs !== undefined) this.#lateness.record(Math.max(0, latenessMs) / 1000);
  }

  collect(observe: Observe): void {
    this.#occurrences.collect(observe);
    this.#attempts.collect(observe);
    this.#ended.collect(observe);
    this.#takenOver.collect(observe);
    this.#queues.collect(observe);
    this.#locks.collect(observe);
    if (this.#state !== undefined) {
      const { running, stuck, paused, delayed, orphaned, resting, finished, queued } = this.#state.size;
      const executed = running - orphaned - resting - stuck - paused - delayed - queued;
      observe(WORKFLOW_METRICS.runs, executed, { [STATE]: "running" });
      observe(WORKFLOW_METRICS.runs, stuck, { [STATE]: "stuck" });
      observe(WORKFLOW_METRICS.runs, paused, { [STATE]: "paused" });
      observe(WORKFLOW_METRICS.runs, delayed, { [STATE]: "delayed" });
      observe(WORKFLOW_METRICS.runs, orphaned, { [STATE]: "orphaned" });
      observe(WORKFLOW_METRICS.runs, queued, { [STATE]: "queued" });
      observe(WORKFLOW_METRICS.runs, resting, { [STATE]: "resting" });
      observe(WORKFLOW_METRICS.runs, finished, { [STATE]: "finished" });
    }
    this.#collectKept(observe);
    if (this.#runtime !== undefined) {
      this.#collectSteps(observe, this.#runtime);
      const { owned, queued } = this.#runtime.load;
      observe(WORKFLOW_METRICS.owned, owned);
      observe(WORKFLOW_METRICS.queued, queued);
      const { resident, evicted, evictions } = this.#runtime.residency;
      observe(WORKFLOW_METRICS.resident, resident);
      observe(WORKFLOW_METRICS.evicted, evicted);
      observe(WORKFLOW_METRICS.evictions, evictions);
    }
  }

  /** What is kept of runs that have ended, and what the archive has of them. */
  #collectKept(observe: Observe): void {
    if (this.#state !== undefined && this.#limits !== undefined) {
      const { finished, finishedBytes, tombstones } = this.#state.size;
      const { maxFinishedRuns, maxFinishedBytes, maxKeptIds } = this.#limits;
      observe(WORKFLOW_METRICS.finishedSize, finishedBytes);
      observe(WORKFLOW_METRICS.retentionUsed, finished / maxFinishedRuns, { [BOUND]: "runs" });
      observe(WORKFLOW_METRICS.retentionUsed, finishedBytes / maxFinishedBytes, { [BOUND]: "bytes" });
      observe(WORKFLOW_METRICS.retentionUsed, tombstones / maxKeptIds, { [BOUND]: "ids" });
    }
    if (this.#archiver === undefined) return;
    const { taken, failures, failing } = this.#archiver.counts;
    observe(WORKFLOW_METRICS.archived, taken);
    observe(WORKFLOW_METRICS.archiveFailures, failures);
    observe(WORKFLOW_METRICS.archiveFailing, failing);
  }

  #collectSteps(observe: Observe, { stepsUnderWay }: Pick<WorkflowRuntime, "stepsUnderWay">): void {
    for (const { workflowType, status, runs } of this.#state?.counts() ?? [])
      if (status === "stuck") observe(WORKFLOW_METRICS.stuck, runs, { [TYPE]: workflowType });
    for (const { workflowType, retrying, oldestMs } of stepsUnderWay()) {
      observe(WORKFLOW_METRICS.retrying, retrying, { [TYPE]: workflowType });
      observe(WORKFLOW_METRICS.oldestPending, oldestMs / 1000, { [TYPE]: workflowType });
    }
  }

  /** Types come from the registry, so there are only so many. */
  #stepsOf(workflowType: string): Record<Outcome, Histogram> {
    let steps = this.#steps.get(workflowType);
    if (steps === undefined) {
      const { stepDuration } = WORKFLOW_METRICS;
      const of = (outcome: Outcome): Histogram =>
        this.#recorders.histogram(stepDuration, { [TYPE]: workflowType, [OUTCOME]: outcome });
      steps = { succeeded: of("succeeded"), failed: of("failed") };
      this.#steps.set(workflowType, steps);
    }
    return steps;
  }

  /** Replicated events come on every node: only the owner counts, so that the sum over all nodes is right. */
  #heard(nodeId: NodeId, event: RuntimeEvent): void {
    if (event.type === "run-ended" && event.owner === nodeId) {
      this.#ended.add([event.workflowType, event.outcome.status]);
    } else if (event.type === "owner-changed" && event.to === nodeId && event.reason !== "admission") {
      this.#takenOver.add([event.reason]);
    }
  }
}
