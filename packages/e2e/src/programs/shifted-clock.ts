/** A node's clock that its parent can set wrong: the wall clock jumps, and all of it runs fast or slow. Monotonic stays monotonic. */
import { type Cancel, type Clock, platformClock } from "@raftoral/raft-core";

export interface ClockShift {
  /** Added to the wall clock at once, in ms. */
  readonly jumpMs?: number;
  /** This clock's milliseconds in one of the real one, from now on; timers that are set already keep their time. */
  readonly rate?: number;
}

/** A clock that can be set wrong while it is in use. */
export class ShiftedClock implements Clock {
  #rate = 1;
  #localMs = platformClock.monotonicMs();
  #sinceMs = this.#localMs;
  /** Wall clock less this monotonic one. */
  #wallMs = platformClock.wallMs() - this.#localMs;

  shift({ jumpMs = 0, rate = this.#rate }: ClockShift): void {
    this.#localMs = this.monotonicMs();
    this.#sinceMs = platformClock.monotonicMs();
    this.#rate = rate;
    this.#wallMs += jumpMs;
  }

  wallMs(): number {
    return Math.round(this.#wallMs + this.monotonicMs());
  }

  monotonicMs(): number {
    return this.#localMs + (platformClock.monotonicMs() - this.#sinceMs) * this.#rate;
  }

  after(delayMs: number, fn: () => void): Cancel {
    return platformClock.after(delayMs / this.#rate, fn);
  }

  every(periodMs: number, fn: () => void): Cancel {
    let cancel: Cancel = () => {};
    const arm = (): void => {
      cancel = this.after(periodMs, () => {
        arm();
        fn();
      });
    };
    arm();
    return () => cancel();
  }

  soon(fn: () => void): void {
    platformClock.soon(fn);
  }
}
