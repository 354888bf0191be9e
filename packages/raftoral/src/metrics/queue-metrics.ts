/** What queues show: the same on every node. */
import type { QueueView } from "@raftoral/workflow";
import { counter, gauge, type MetricSource, type Observe } from "./metric.ts";

const QUEUE = "raftoral.queue.name";
const STATE = "raftoral.run.state";

export const QUEUE_METRICS = {
  runs: gauge("raftoral.queue.runs", "{run}", "Runs of a queue; the same on every node", [QUEUE, STATE]),
  oldest: gauge(
    "raftoral.queue.oldest.created",
    "s",
    "When the oldest waiting run of a queue was created, since the epoch",
    [QUEUE],
  ),
  admitted: counter("raftoral.queue.admitted", "{run}", "Runs that a queue has let through; the same on every node", [
    QUEUE,
  ]),
} as const;

/** The metrics of the queues. */
export class QueueMetrics implements MetricSource {
  #queues: () => readonly QueueView[] = () => [];

  /** Where the queues are read at each look. */
  watch(queues: () => readonly QueueView[]): void {
    this.#queues = queues;
  }

  collect(observe: Observe): void {
    for (const { name, waiting, delayed, running, admitted, oldestAtMs } of this.#queues()) {
      observe(QUEUE_METRICS.runs, waiting, { [QUEUE]: name, [STATE]: "waiting" });
      observe(QUEUE_METRICS.runs, delayed, { [QUEUE]: name, [STATE]: "delayed" });
      observe(QUEUE_METRICS.runs, running, { [QUEUE]: name, [STATE]: "running" });
      observe(QUEUE_METRICS.admitted, admitted, { [QUEUE]: name });
      if (oldestAtMs !== undefined) observe(QUEUE_METRICS.oldest, oldestAtMs / 1000, { [QUEUE]: name });
    }
  }
}
