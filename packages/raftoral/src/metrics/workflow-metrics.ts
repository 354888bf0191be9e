/** What workflows show: runs in the cluster and on the node, and steps that the node executed. */
import type { NodeId } from "@raftoral/raft-core";
import type {
  QueueView,
  RuntimeEvent,
  RuntimeProbe,
  ScheduleFired,
  StateSize,
  WorkflowRuntime,
} from "@raftoral/workflow";
import type { Histogram } from "./histogram.ts";
import { counter, gauge, histogram, type MetricSource, type Observe, updown } from "./metric.ts";
import { QueueMetrics } from "./queue-metrics.ts";
import type { Recorders } from "./recorders.ts";
import { Tally } from "./tally.ts";

const STATE = "raftoral.run.state";
const TYPE = "raftoral.workflow.type";
const OUTCOME = "raftoral.outcome";
const REASON = "raftoral.reason";

/** A step may be a look into memory, or a call that takes minutes. In seconds. */
const STEP_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** From a timer that is on time to an outage. In seconds. */
const LATENESS_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600];

export const WORKFLOW_METRICS = {
  runs: gauge("raftoral.workflow.runs", "{run}", "Runs in the replicated state; the same on every node", [STATE]),
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

/** What is needed of the replicated state; a `WorkflowExecutor`'s has it. */
export interface MeasuredState {
  readonly size: Pick<StateSize, "running" | "stuck" | "paused" | "delayed" | "orphaned" | "finished" | "queued">;
  queues(): readonly QueueView[];
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
  #state: MeasuredState | undefined;
  #runtime: Pick<WorkflowRuntime, "load" | "residency"> | undefined;

  constructor(recorders: Recorders) {
    this.#recorders = recorders;
    this.#lateness = recorders.histogram(WORKFLOW_METRICS.scheduleLateness, {});
  }

  /** The runtime, once it is there: it was started with this as its probe. */
  watch(
    nodeId: NodeId,
    runtime: Pick<WorkflowRuntime, "load" | "residency" | "events">,
    state: MeasuredState,
  ): () => void {
    this.#runtime = runtime;
    this.#state = state;
    this.#queues.watch(() => state.queues());
    return runtime.events.subscribe((event) => this.#heard(nodeId, event));
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
    if (this.#state !== undefined) {
      const { running, stuck, paused, delayed, orphaned, finished, queued } = this.#state.size;
      const executed = running - orphaned - stuck - paused - delayed - queued;
      observe(WORKFLOW_METRICS.runs, executed, { [STATE]: "running" });
      observe(WORKFLOW_METRICS.runs, stuck, { [STATE]: "stuck" });
      observe(WORKFLOW_METRICS.runs, paused, { [STATE]: "paused" });
      observe(WORKFLOW_METRICS.runs, delayed, { [STATE]: "delayed" });
      observe(WORKFLOW_METRICS.runs, orphaned, { [STATE]: "orphaned" });
      observe(WORKFLOW_METRICS.runs, queued, { [STATE]: "queued" });
      observe(WORKFLOW_METRICS.runs, finished, { [STATE]: "finished" });
    }
    if (this.#runtime !== undefined) {
      const { owned, queued } = this.#runtime.load;
      observe(WORKFLOW_METRICS.owned, owned);
      observe(WORKFLOW_METRICS.queued, queued);
      const { resident, evicted, evictions } = this.#runtime.residency;
      observe(WORKFLOW_METRICS.resident, resident);
      observe(WORKFLOW_METRICS.evicted, evicted);
      observe(WORKFLOW_METRICS.evictions, evictions);
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
