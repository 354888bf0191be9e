/** A clock that stands still until a test moves it on; turns of the event loop are real. For runtimes on an in-process cluster. */
import type { Cancel, Clock } from "@raftoral/raft-core";

/** Turns in which everything that a timer has set off comes to rest: proposals, their application, answers. */
const TURNS = 40;

interface Timer {
  readonly atMs: number;
  readonly fn: () => void;
}

/** Time that passes by `advance` alone. Give it to every runtime of a world. */
export class HandClock implements Clock {
  #nowMs = 0;
  #timers: Timer[] = [];
  #startMs: number;

  /** `startMs`: what the wall clock shows at first. */
  constructor(startMs = 1_000_000) {
    this.#startMs = startMs;
  }

  wallMs(): number {
    return this.#startMs + this.#nowMs;
  }

  /** Sets the wall clock back, as an operator would. The other one goes on. */
  setBack(ms: number): void {
    this.#startMs -= ms;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fn: () => void): Cancel {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), fn };
    this.#timers.push(timer);
    if (timer.atMs === this.#nowMs) setImmediate(() => this.#runDue());
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  every(periodMs: number, fn: () => void): Cancel {
    let cancel: Cancel = () => {};
    const again = (): void => {
      cancel = this.after(periodMs, () => {
        again();
        fn();
      });
    };
    again();
    return () => cancel();
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }

  /** Moves the time on, from timer to timer, until `promise` settles. Rejects when it has not within `ms` of this clock. */
  async until<T>(promise: Promise<T>, ms: number): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    const endMs = this.#nowMs + ms;
    for (await rest(); !isSettled; ) {
      const next = Math.min(...this.#timers.map(({ atMs }) => atMs));
      if (next > endMs) throw new Error(`What the test waits for has not happened within ${ms} ms of its clock.`);
      await this.advance(next - this.#nowMs);
    }
    return promise;
  }

  /** Lets everything come to rest, then moves the time on to each timer that is due within `ms`, and lets everything come to rest after each. */
  async advance(ms: number): Promise<void> {
    await rest();
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = Math.min(...this.#timers.map(({ atMs }) => atMs));
      if (next > endMs) break;
      this.#nowMs = Math.max(this.#nowMs, next);
      this.#runDue();
      await rest();
    }
    this.#nowMs = endMs;
  }

  #runDue(): void {
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { fn } of due) fn();
  }
}

async function rest(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}
