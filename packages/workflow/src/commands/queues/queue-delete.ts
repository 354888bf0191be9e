/** QueueDelete: forgets a queue whose runs have all ended. One of them that is retried afterwards is in no queue. */
import { optional, string, uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { BY_FIELD, REASON_FIELD } from "../operators/operated.ts";
import { refused } from "../refusal.ts";
import type { Done } from "../results.ts";

/** Deletes a queue. Answered with Done; `changed` is false when it is not there. Refused with QUEUE_NOT_EMPTY while a run of it has not ended, stuck and paused ones included. */
export interface QueueDelete {
  readonly kind: "QueueDelete";
  readonly name: string;
  readonly atMs: number;
  /** Who asks for it (operators/operated.ts). */
  readonly by?: string;
  /** Why. */
  readonly reason?: string;
}

export const queueDelete = defineCommand<QueueDelete, Done>({
  kind: "QueueDelete",
  field: 68,
  summary: "Forgets a queue whose runs have all ended.",
  maxRuns: 0,
  fields: {
    name: string(1),
    atMs: uint(2),
    by: optional(string(BY_FIELD)),
    reason: optional(string(REASON_FIELD)),
  },
  audited: ({ name }) => ({ action: "delete-queue", subject: name, detail: "" }),
  apply({ queues }, { name }) {
    const queue = queues.get(name);
    if (queue === undefined) return { ok: true, kind: "Done", changed: false };
    const { waiting, delayed, running, away } = queue;
    if (waiting + delayed + running + away > 0) {
      return refused(
        "QUEUE_NOT_EMPTY",
        `Queue ${name} has ${waiting + delayed} runs that wait, ${running} that were let through, and ${away} that are stuck, paused or not to begin yet. Delete it once they have ended; cancel them to be quick.`,
        { queue: name },
      );
    }
    queues.delete(queue);
    return { ok: true, kind: "Done", changed: true };
  },
});
