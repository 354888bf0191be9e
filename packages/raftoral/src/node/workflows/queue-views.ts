/** From the workflow package's view of queues to what the API shows, and back. */
import {
  PRIORITY_ZERO,
  type QueueAction,
  type QueueView,
  type RunQueueView,
  type QueueLimits as StateLimits,
} from "@raftoral/workflow";
import type { QueueChange, QueueInfo, QueueLimits, QueueOfRun } from "../../api/queues/queues.ts";

/** Limits as commands have them. */
function stateLimits({ concurrency = 0, perKey = 0, perNode = 0, rate }: QueueLimits): StateLimits {
  const { limit: rateLimit = 0, periodMs: ratePeriodMs = 0 } = rate ?? {};
  return { concurrency, perKey, perNode, rateLimit, ratePeriodMs };
}

/** A change as commands have it. `isDeclared`: code declares the queue, and no operator. */
export function actionOf(change: QueueChange, isDeclared: boolean): QueueAction {
  return change.kind === "define" ? { kind: "define", limits: stateLimits(change.limits), isDeclared } : change;
}

/** A queue. */
export function queueInfo({ limits, ...queue }: QueueView): QueueInfo {
  const { concurrency, perKey, perNode, rateLimit, ratePeriodMs } = limits;
  return {
    ...queue,
    limits: {
      ...(concurrency === 0 ? {} : { concurrency }),
      ...(perKey === 0 ? {} : { perKey }),
      ...(perNode === 0 ? {} : { perNode }),
      ...(rateLimit === 0 ? {} : { rate: { limit: rateLimit, periodMs: ratePeriodMs } }),
    },
  };
}

/** The queue of a run. */
export function queueOfRun(queue: RunQueueView | undefined): QueueOfRun | undefined {
  if (queue === undefined) return undefined;
  const { name, key, priority, waitsFor, position } = queue;
  return { name, key: key === "" ? undefined : key, priority: priority - PRIORITY_ZERO, waitsFor, position };
}
