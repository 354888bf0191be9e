/**
 * AdmitRuns: lets the next piece of runs through the queues that are due. The leader proposes it until none are, and when a window of a rate opens or a delay is over.
 *
 * AR1. How old the runs are that count in a window of a rate, the leader measures on its monotonic clock, from when it saw that they were let through. So no clock that people
 *      set has a part in it, and a window is never shorter than the rate says; a change of leader makes one longer, by its length at most.
 * AR2. The command says up to which of the runs that were let through the window is over. It is true for ever, so the command may be applied late, and twice.
 * AR3. A time that is shorter than the queue's is of a limit that has changed since: it is not counted.
 */
import { ADMITTED_AT_ONCE, admitPiece, releaseDelayed } from "../../state/queues/admission.ts";
import type { Queue } from "../../state/queues/queue.ts";
import { uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";

/** Lets runs through. Answered with Admitted. */
export interface AdmitRuns {
  readonly kind: "AdmitRuns";
  /** The queue of which a window is over; 0 for none. */
  readonly queueId: number;
  /** How many of the runs that it has let through are in no window any more (AR2). */
  readonly expiredTo: number;
  /** For how long these have been through, in ms at least. */
  readonly periodMs: number;
  readonly atMs: number;
}

/** Runs were let through. */
export interface Admitted {
  readonly ok: true;
  readonly kind: "Admitted";
  readonly admitted: number;
  /** Whether others may follow at once. */
  readonly more: boolean;
}

export const admitRuns = defineCommand<AdmitRuns, Admitted>({
  kind: "AdmitRuns",
  field: 69,
  summary: "Lets the next piece of waiting runs through their queues.",
  maxRuns: 2 * ADMITTED_AT_ONCE,
  fields: { queueId: uint(1), expiredTo: uint(2), periodMs: uint(3), atMs: uint(4) },
  apply(tables, { queueId, expiredTo, periodMs }) {
    const { queues } = tables;
    const queue = queues.withId(queueId);
    if (queue !== undefined && isOver(queue, expiredTo, periodMs)) {
      queue.expired = expiredTo;
      queues.wake(queue);
    }
    const isLeft = releaseDelayed(tables, ADMITTED_AT_ONCE);
    const admitted = admitPiece(tables, ADMITTED_AT_ONCE);
    return { ok: true, kind: "Admitted", admitted, more: isLeft || queues.isDue };
  },
});

function isOver({ limits, admitted, expired }: Queue, expiredTo: number, periodMs: number): boolean {
  if (limits.rateLimit === 0 || periodMs < limits.ratePeriodMs) return false;
  return expiredTo > expired && expiredTo <= admitted;
}
