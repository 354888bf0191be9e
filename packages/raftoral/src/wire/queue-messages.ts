/** Queues between generated messages and the types of the API, both ways. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { PRIORITY_ZERO, type RunQueue } from "@raftoral/workflow";
import { NodeError } from "../api/errors.ts";
import type { QueueChange, QueueInfo, QueueLimits, QueueOfRun } from "../api/queues/queues.ts";
import type { StartOptions } from "../api/starts/start-options.ts";
import type {
  QueuedStartSchema,
  QueueOfRunSchema,
  QueueOfRun as WireOfRun,
  QueuedStart as WireStart,
} from "../gen/raftoral/v1/queue_pb.ts";
import type {
  ChangeQueueRequest,
  Queue,
  QueueLimitsSchema,
  QueueSchema,
  QueueLimits as WireLimits,
} from "../gen/raftoral/v1/queue_service_pb.ts";
import { safeNumber } from "./numbers.ts";

/** The queue of a start as a field of its request. */
export function queuedStartToWire(queue: RunQueue | undefined): { queue?: MessageInitShape<typeof QueuedStartSchema> } {
  if (queue === undefined) return {};
  const { name, key, priority, dedupeKey, debounceMs, debounceMaxMs } = queue;
  const delay = { debounceMs: BigInt(debounceMs), debounceMaxMs: BigInt(debounceMaxMs) };
  return { queue: { name, key, priority: priority - PRIORITY_ZERO, dedupeKey, ...delay } };
}

/** The options of a start that its request names; the API checks them. */
export function queuedStartFromWire(
  message: WireStart | undefined,
): Pick<StartOptions, "queue" | "key" | "priority" | "dedupeKey" | "debounceMs" | "debounceMaxMs"> {
  if (message === undefined) return {};
  const { name: queue, key, priority, dedupeKey, debounceMs, debounceMaxMs } = message;
  return {
    queue,
    priority,
    ...(key === "" ? {} : { key }),
    ...(dedupeKey === "" ? {} : { dedupeKey }),
    ...(debounceMs === 0n ? {} : { debounceMs: safeNumber(debounceMs, "debounce_ms") }),
    ...(debounceMs === 0n || debounceMaxMs === 0n
      ? {}
      : { debounceMaxMs: safeNumber(debounceMaxMs, "debounce_max_ms") }),
  };
}

/** The queue of a run as a field of its message. */
export function queueOfRunToWire(queue: QueueOfRun | undefined): { queue?: MessageInitShape<typeof QueueOfRunSchema> } {
  if (queue === undefined) return {};
  const { name, key = "", priority, waitsFor, position } = queue;
  const wait = { ...(waitsFor === undefined ? {} : { waitsFor }), ...(position === undefined ? {} : { position }) };
  return { queue: { name, key, priority, ...wait } };
}

/** The queue of a run's message. */
export function queueOfRunFromWire(message: WireOfRun | undefined): QueueOfRun | undefined {
  if (message === undefined) return undefined;
  const { name, key, priority, waitsFor, position } = message;
  return { name, key: key === "" ? undefined : key, priority, waitsFor, position };
}

/** A queue as a message. */
export function queueToWire(queue: QueueInfo): MessageInitShape<typeof QueueSchema> {
  const { name, limits, isPaused, waiting, delayed, running, admitted, oldestAtMs, closedBy, nodes } = queue;
  return {
    name,
    limits: limitsToWire(limits),
    paused: isPaused,
    waiting: BigInt(waiting),
    delayed: BigInt(delayed),
    running: BigInt(running),
    admitted: BigInt(admitted),
    ...(oldestAtMs === undefined ? {} : { oldestAtMs: BigInt(oldestAtMs) }),
    ...(closedBy === undefined ? {} : { closedBy }),
    nodes: nodes.map((node) => ({ nodeId: BigInt(node.nodeId), running: BigInt(node.running) })),
  };
}

/** The queue of a message. Throws as {@link safeNumber} does. */
export function queueFromWire(queue: Queue): QueueInfo {
  const { name, limits, paused: isPaused, oldestAtMs, closedBy, nodes } = queue;
  return {
    name,
    limits: limitsFromWire(limits),
    isPaused,
    waiting: safeNumber(queue.waiting, "waiting"),
    delayed: safeNumber(queue.delayed, "delayed"),
    running: safeNumber(queue.running, "running"),
    admitted: safeNumber(queue.admitted, "admitted"),
    oldestAtMs: oldestAtMs === undefined ? undefined : safeNumber(oldestAtMs, "oldest_at_ms"),
    closedBy,
    nodes: nodes.map(({ nodeId, running }) => {
      return { nodeId: safeNumber(nodeId, "node_id"), running: safeNumber(running, "running") };
    }),
  };
}

/** What is done to a queue as a field of a request. */
export function changeToWire(
  change: QueueChange,
): NonNullable<
  MessageInitShape<typeof import("../gen/raftoral/v1/queue_service_pb.ts").ChangeQueueRequestSchema>["action"]
> {
  switch (change.kind) {
    case "define":
      return { case: "define", value: limitsToWire(change.limits) };
    case "pause":
      return { case: "pause", value: {} };
    case "resume":
      return { case: "resume", value: {} };
    case "delete":
      return { case: "delete", value: {} };
  }
}

/** What a request says that is to be done. Throws REQUEST_INVALID for nothing, or for what a later version does. */
export function changeFromWire({ action }: ChangeQueueRequest): QueueChange {
  switch (action.case) {
    case "define":
      return { kind: "define", limits: limitsFromWire(action.value) };
    case "pause":
    case "resume":
    case "delete":
      return { kind: action.case };
    default:
      throw new NodeError(
        "REQUEST_INVALID",
        "The request names nothing that this node could do to the queue. Set the field action; a newer client may need a newer node.",
      );
  }
}

function limitsToWire({
  concurrency = 0,
  perKey = 0,
  perNode = 0,
  rate,
}: QueueLimits): MessageInitShape<typeof QueueLimitsSchema> {
  const { limit: rateLimit = 0, periodMs = 0 } = rate ?? {};
  return { concurrency, perKey, perNode, rateLimit, ratePeriodMs: BigInt(periodMs) };
}

function limitsFromWire(limits: WireLimits | undefined): QueueLimits {
  if (limits === undefined) return {};
  const { concurrency, perKey, perNode, rateLimit, ratePeriodMs } = limits;
  const isRated = rateLimit > 0 || ratePeriodMs > 0n;
  return {
    ...(concurrency === 0 ? {} : { concurrency }),
    ...(perKey === 0 ? {} : { perKey }),
    ...(perNode === 0 ? {} : { perNode }),
    ...(isRated ? { rate: { limit: rateLimit, periodMs: safeNumber(ratePeriodMs, "rate_period_ms") } } : {}),
  };
}
