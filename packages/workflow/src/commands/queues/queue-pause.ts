/** QueuePause: holds back the runs that wait in a queue, or lets them through again. Runs that were let through go on. */
import { bool, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import type { Done } from "../results.ts";
import { queueNotFound } from "./queue-not-found.ts";

/** Pauses or resumes a queue. Answered with Done; `changed` is false when it is as asked. Refused with QUEUE_NOT_FOUND. */
export interface QueuePause {
  readonly kind: "QueuePause";
  readonly name: string;
  readonly isPaused: boolean;
  readonly atMs: number;
}

export const queuePause = defineCommand<QueuePause, Done>({
  kind: "QueuePause",
  field: 70,
  summary: "Holds back the runs that wait in a queue, or lets them through again.",
  maxRuns: 0,
  fields: { name: string(1), isPaused: bool(2), atMs: uint(3) },
  apply({ queues }, { name, isPaused }) {
    const queue = queues.get(name);
    if (queue === undefined) return queueNotFound(name);
    if (queue.isPaused === isPaused) return { ok: true, kind: "Done", changed: false };
    queue.isPaused = isPaused;
    queues.wake(queue);
    return { ok: true, kind: "Done", changed: true };
  },
});
