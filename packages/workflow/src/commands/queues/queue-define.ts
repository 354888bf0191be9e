/**
 * QueueDefine: makes a queue, or gives it other limits.
 *
 * QD1. Lower limits end no run: those that were let through go on, and others follow once there are fewer.
 * QD2. A declaration of code counts when it differs from the one before it. So a restart of a node does not undo what an operator has changed since, and a new release
 *      that declares other limits brings them.
 */
import {
  MAX_QUEUE_MS,
  MAX_QUEUE_NAME_LENGTH,
  NO_LIMITS,
  type QueueLimits,
  queueLimitsCodec,
} from "../../model/runs/run-queue.ts";
import { MAX_QUEUES } from "../../state/queues/queue-table.ts";
import { bool, message, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { BY_FIELD, REASON_FIELD } from "../operators/operated.ts";
import { refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/**
 * Defines a queue. Answered with Done; `changed` is false when it has these limits, or when the declaration is the one before. Refused with NAME_INVALID, COMMAND_INVALID for
 * limits that are none, or QUEUE_LIMIT_REACHED.
 */
export interface QueueDefine {
  readonly kind: "QueueDefine";
  readonly name: string;
  readonly limits: QueueLimits;
  /** Whether code declares it (QD2), and no operator. */
  readonly isDeclared: boolean;
  readonly atMs: number;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
  /** Why. */
  readonly reason?: string;
}

export const queueDefine = defineCommand<QueueDefine, Done>({
  kind: "QueueDefine",
  field: 67,
  summary: "Makes a queue, or gives it other limits.",
  maxRuns: 0,
  fields: {
    name: string(1),
    limits: message(2, queueLimitsCodec, NO_LIMITS),
    isDeclared: bool(3),
    atMs: uint(4),
    by: optional(string(BY_FIELD)),
    reason: optional(string(REASON_FIELD)),
  },
  audited: ({ name, limits }) => ({ action: "define-queue", subject: name, detail: limitsText(limits) }),
  apply(tables, { name, limits, isDeclared }) {
    const { queues } = tables;
    if (name.length === 0 || name.length > MAX_QUEUE_NAME_LENGTH) {
      return refused(
        "NAME_INVALID",
        `The name of a queue has 1 to ${MAX_QUEUE_NAME_LENGTH} characters; this one has ${name.length}. Choose another name.`,
      );
    }
    if (limits.rateLimit > 0 !== limits.ratePeriodMs > 0 || limits.ratePeriodMs > MAX_QUEUE_MS) {
      return refused(
        "COMMAND_INVALID",
        `The rate of queue ${name} has a limit or a time, and not both, or too long a time. Give both, or neither.`,
      );
    }
    const known = queues.get(name);
    if (known === undefined && queues.size >= MAX_QUEUES) {
      return refused(
        "QUEUE_LIMIT_REACHED",
        `The cluster has ${MAX_QUEUES} queues, as many as it may. Delete one that is empty, or use keys within a queue.`,
      );
    }
    if (known !== undefined && isDeclared && known.declared !== undefined && isSame(known.declared, limits))
      return { ok: true, kind: "Done", changed: false };
    const queue = known ?? queues.define(tables.index, name, limits);
    if (isDeclared) {
      queue.declared = limits;
      queues.changed(queue);
    }
    if (known !== undefined && isSame(known.limits, limits)) return { ok: true, kind: "Done", changed: false };
    if (known !== undefined) queues.limit(queue, limits);
    return { ok: true, kind: "Done", changed: true };
  },
});

function isSame(a: QueueLimits, b: QueueLimits): boolean {
  if (a.concurrency !== b.concurrency || a.perKey !== b.perKey || a.perNode !== b.perNode) return false;
  return a.rateLimit === b.rateLimit && a.ratePeriodMs === b.ratePeriodMs;
}

/** The limits, for people who read the audit. */
function limitsText({ concurrency, perKey, perNode, rateLimit, ratePeriodMs }: QueueLimits): string {
  const texts = [
    ...(concurrency === 0 ? [] : [`${concurrency} at once`]),
    ...(perKey === 0 ? [] : [`${perKey} per key`]),
    ...(perNode === 0 ? [] : [`${perNode} per node`]),
    ...(rateLimit === 0 ? [] : [`${rateLimit} in ${ratePeriodMs} ms`]),
  ];
  return texts.length === 0 ? "no limits" : texts.join(", ");
}
