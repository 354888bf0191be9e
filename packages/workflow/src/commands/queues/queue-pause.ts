/** QueuePause: holds back the runs that wait in a queue, or lets them through again. Runs that were let through go on. */
import { bool, optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { BY_FIELD, REASON_FIELD } from "../operators/operated.ts";
import type { Done } from "../results.ts";
import { queueNotFound } from "./queue-not-found.ts";

/** Pauses or resumes a queue. Answered with Done; `changed` is false when it is as asked. Refused with QUEUE_NOT_FOUND. */
export interface QueuePause {
  readonly kind: "QueuePause";
  readonly name: string;
  readonly isPaused: boolean;
  readonly atMs: number;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
  /** Why. */
  readonly reason?: string;
}

export const queuePause = defineCommand<QueuePause, Done>({
  kind: "QueuePause",
  field: 70,
  summary: "Holds back the runs that wait in a queue, or lets them through again.",
  maxRuns: 0,
  fields: {
    name: string(1),
    isPaused: bool(2),
    atMs: uint(3),
    by: optional(string(BY_FIELD)),
    reason: optional(string(REASON_FIELD)),
  },
  audited: ({ name, isPaused }) => ({ action: isPaused ? "pause-queue" : "resume-queue", subject: name, detail: "" }),
  apply({ queues }, { name, isPaused }) {
    const queue = queues.get(name);
    if (queue === undefined) return queueNotFound(name);
    if (queue.isPaused === isPaused) return { ok: true, kind: "Done", changed: false };
    queue.isPaused = isPaused;
    queues.wake(queue);
    return { ok: true, kind: "Done", changed: true };
  },
});
