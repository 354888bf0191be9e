/**
 * The leader's time, by which it says what is due.
 *
 * DC1. The time of day follows the wall clock. A jump of more than `JUMP_MS` counts once it has stood for `SETTLE_MS`: a clock that was wrong for a moment makes nothing due.
 * DC2. The time of delays is the wall clock of when this node began to lead, and goes on with the monotonic clock: no jump changes it. It follows what is no jump, so
 *      that clocks which are slowly set right do not part from it.
 */
import type { Clock } from "@raftoral/raft-core";

/** What counts as a jump of the wall clock, in ms. */
export const JUMP_MS = 1000;
/** How long a jump has to stand before the time of day follows it, in ms. */
export const SETTLE_MS = 10_000;

/** Two times, both in whole ms since the epoch. */
export interface DutyTime {
  readonly timeOfDayMs: number;
  readonly delaysMs: number;
}

/** The clock of one leader (DC1, DC2). To be asked every second or so. */
export class DutyClock {
  readonly #clock: Clock;
  /** What is added to the monotonic clock. */
  #dayOffsetMs = 0;
  #delayOffsetMs = 0;
  #jump: { readonly offsetMs: number; readonly sinceMs: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.begin();
  }

  /** This node begins to lead: its wall clock is what there is. */
  begin(): void {
    this.#dayOffsetMs = this.#offset();
    this.#delayOffsetMs = this.#dayOffsetMs;
    this.#jump = undefined;
  }

  /** The time now. */
  now(): DutyTime {
    this.#follow();
    const nowMs = this.#clock.monotonicMs();
    return {
      timeOfDayMs: Math.floor(nowMs + this.#dayOffsetMs),
      delaysMs: Math.floor(nowMs + this.#delayOffsetMs),
    };
  }

  #follow(): void {
    const offsetMs = this.#offset();
    const nowMs = this.#clock.monotonicMs();
    const differenceMs = offsetMs - this.#dayOffsetMs;
    if (Math.abs(differenceMs) <= JUMP_MS) {
      this.#dayOffsetMs = offsetMs;
      this.#delayOffsetMs += differenceMs;
      this.#jump = undefined;
    } else if (this.#jump === undefined || Math.abs(offsetMs - this.#jump.offsetMs) > JUMP_MS) {
      this.#jump = { offsetMs, sinceMs: nowMs };
    } else if (nowMs - this.#jump.sinceMs >= SETTLE_MS) {
      this.#dayOffsetMs = offsetMs;
      this.#jump = undefined;
    }
  }

  #offset(): number {
    return this.#clock.wallMs() - this.#clock.monotonicMs();
  }
}
