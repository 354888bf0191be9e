/**
 * How fast a node sends snapshots, all of them together: a token bucket that is never more than a moment's worth full.
 *
 * Invariants:
 * B1. Over any time the bytes taken are at most the rate times that time, and a burst.
 * B2. Who comes first is served first.
 */
import type { Clock } from "@raftoral/raft-core";

/** What an idle bucket holds, in milliseconds of its rate. */
const BURST_MS = 50;

/** The pace of one node (B1, B2). */
export class SnapshotPace {
  readonly #clock: Clock;
  readonly #bytesPerMs: number;
  /** Until then all that was taken has been paid for (monotonic). */
  #paidUntilMs = Number.NEGATIVE_INFINITY;

  /** 0 for no limit. */
  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** Resolves when `bytes` may go out. */
  async take(bytes: number): Promise<void> {
    if (this.#bytesPerMs === 0) return;
    const now = this.#clock.monotonicMs();
    const fromMs = Math.max(this.#paidUntilMs, now - BURST_MS);
    this.#paidUntilMs = fromMs + bytes / this.#bytesPerMs;
    const waitMs = this.#paidUntilMs - now;
    if (waitMs > 0) await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve));
  }
}
