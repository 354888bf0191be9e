/**
 * The alarms of all runs of a node that have no body in memory, and of all time limits of runs: one queue, and one timer for all of them.
 *
 * SA1. An alarm goes off once its run's time has reached it, never in the turn in which it was set.
 * SA2. At most ALARMS_PER_TURN go off in one turn of the event loop, the earliest first.
 * SA3. Alarms that were cancelled stay in the queue until they are more than what is left, or until it is their time.
 */
import type { Cancel, Clock } from "@raftoral/raft-core";
import { outsideBodies } from "../body/body-place.ts";
import { MinHeap } from "../collections/min-heap.ts";
import type { RunTime } from "../history/run-time.ts";

/** Alarms that go off in one turn of the event loop at most. */
export const ALARMS_PER_TURN = 256;
/** Fewer cancelled alarms are left in the queue. */
const MIN_COMPACTED = 1_024;

/** An alarm that was set. There may be very many. */
export interface SharedAlarm {
  readonly time: RunTime;
  readonly atMs: number;
  /** Undefined once the alarm has gone off or was cancelled. */
  fire: (() => void) | undefined;
}

/** The shared alarms of one node (SA1 to SA3). */
export class SharedAlarms {
  readonly #clock: Clock;
  readonly #queue = new MinHeap<SharedAlarm>();
  #cancelled = 0;
  #cancelTimer: Cancel = () => {};
  /** For when the timer is set, on the clock that only goes forward. */
  #setForMs = Number.POSITIVE_INFINITY;
  /** The rest goes off in the next turn. */
  #isFiring = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Alarms that are set. */
  get size(): number {
    return this.#queue.size - this.#cancelled;
  }

  /** Alarms in the queue, cancelled ones included (SA3). */
  get held(): number {
    return this.#queue.size;
  }

  /** Calls `fire` once when `time` has reached `atMs`, unless the alarm is cancelled before. */
  at(time: RunTime, atMs: number, fire: () => void): SharedAlarm {
    const alarm: SharedAlarm = { time, atMs, fire };
    this.#push(alarm);
    return alarm;
  }

  /** Cancels an alarm, if it has not gone off. Idempotent. */
  cancel(alarm: SharedAlarm | undefined): void {
    if (alarm?.fire === undefined) return;
    alarm.fire = undefined;
    this.#cancelled += 1;
    this.#compact();
  }

  #push(alarm: SharedAlarm): void {
    const { time, atMs } = alarm;
    const leftMs = Math.max(0, atMs - time.nowMs());
    // What is no number goes off soon.
    this.#queue.push(this.#clock.monotonicMs() + (leftMs || 0), alarm);
    this.#arm();
  }

  #arm(): void {
    const first = this.#queue.first;
    if (this.#isFiring || first === undefined || first.rank >= this.#setForMs) return;
    this.#cancelTimer();
    this.#setForMs = first.rank;
    const leftMs = Math.max(0, first.rank - this.#clock.monotonicMs());
    const fire = (): void => {
      this.#setForMs = Number.POSITIVE_INFINITY;
      this.#fire();
    };
    this.#cancelTimer = outsideBodies(() => this.#clock.after(leftMs, fire));
  }

  readonly #fire = (): void => {
    this.#isFiring = false;
    const nowMs = this.#clock.monotonicMs();
    const early: SharedAlarm[] = [];
    let fired = 0;
    for (let first = this.#queue.first; first !== undefined && first.rank <= nowMs; first = this.#queue.first) {
      if (fired === ALARMS_PER_TURN) {
        this.#isFiring = true;
        this.#clock.soon(this.#fire);
        break;
      }
      this.#queue.pop();
      const alarm = first.value;
      const { time, atMs, fire } = alarm;
      if (fire === undefined) this.#cancelled -= 1;
      else if (time.nowMs() < atMs) early.push(alarm);
      else {
        alarm.fire = undefined;
        fired += 1;
        fire();
      }
    }
    for (const alarm of early) this.#push(alarm);
    this.#arm();
  };

  /** SA3. */
  #compact(): void {
    if (this.#cancelled < MIN_COMPACTED || this.#cancelled * 2 < this.#queue.size) return;
    this.#queue.retain(({ fire }) => fire !== undefined);
    this.#cancelled = 0;
  }
}
