/** A queue as a node has it in memory. */
import type { QueueLimits } from "../../model/runs/run-queue.ts";
import type { Seat } from "../../nodes/seat.ts";
import type { RunRecord } from "../runs/run-record.ts";
import type { Lane, QueueKey, StoredQueue } from "./queue-records.ts";

type Mutable<T> = { -readonly [Property in keyof T]: T[Property] };

/** A queue in memory. Only the table and admission.ts change it. */
export interface Queue extends Mutable<Omit<StoredQueue, "lanes" | "seats" | "declared">> {
  declared: QueueLimits | undefined;
  lanes: Lane[];
  /** Its runs on each seat. */
  readonly seats: Map<Seat, number>;
}

/** Name of the queue that a run comes back to while it is in none: it is stuck, paused or not to begin yet. */
export function awayFrom({ head, queue }: Pick<RunRecord, "head" | "queue">): string | undefined {
  return head.status === "running" && head.queued === undefined ? queue?.name : undefined;
}

/** Whether a key has as many runs as one may have. */
export function isFull({ limits }: Queue, { key, running }: QueueKey): boolean {
  return limits.perKey > 0 && key !== "" && running >= limits.perKey;
}

/** Runs of a queue on a seat. */
export function runsOn({ seats }: Queue, seat: Seat): number {
  return seats.get(seat) ?? 0;
}
