/**
 * What time it is for a run on its owner: what its sleeps and deadlines are made of and measured by.
 *
 * Sleeps are recorded as the moment of their end, so that the node that owns the run then knows it. Wall clocks are set back, differ
 * from node to node, and the log's clock follows the one that is furthest ahead; none of that may lengthen a sleep.
 *
 * T1. Never behind what is recorded of the run: a new owner's clock may be.
 * T2. Goes on at least as fast as the monotonic clock: what was a second away is there after a second.
 * T3. Never goes back.
 */
import type { Clock } from "@raftoral/raft-core";

/** The time of one run on its owner, in ms since the epoch (T1 to T3). */
export class RunTime {
  readonly #clock: Clock;
  #latestMs = 0;
  /** When that was, on the clock that only goes forward. */
  #sinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Something was recorded of the run, with the log's clock `atMs`. */
  observe(atMs: number): void {
    this.#advance(atMs);
  }

  /** Milliseconds since the epoch, whole. */
  nowMs(): number {
    this.#advance(this.#clock.wallMs());
    return Math.floor(this.#latestMs);
  }

  #advance(atMs: number): void {
    const monotonicMs = this.#clock.monotonicMs();
    this.#latestMs = Math.max(atMs, this.#latestMs + (monotonicMs - this.#sinceMs));
    this.#sinceMs = monotonicMs;
  }
}
