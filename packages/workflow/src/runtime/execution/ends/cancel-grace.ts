/**
 * How long a cancelled body may take to end.
 *
 * CG1. Time in which a shield of the body is open does not count: what cleans up has its own limit, and what follows it has what is left of the grace,
 *      and {@link LEAST_MS} at least.
 * CG2. A body that opens one shield after the other is waited for through {@link MOST_SHIELDS} of them.
 */
import type { Cancel, Clock } from "@raftoral/raft-core";

/** Shields of a cancelled body that its run waits for. */
export const MOST_SHIELDS = 1_000;

/** What a body has at least after a shield, in milliseconds, unless the whole grace is shorter. */
export const LEAST_MS = 1_000;

/** What a {@link CancelGrace} is made of. */
export interface CancelGraceOptions {
  readonly clock: Pick<Clock, "after" | "monotonicMs">;
  /** Time to end, in milliseconds. */
  readonly graceMs: number;
  /** The time is over. Called once. */
  readonly onOver: () => void;
}

/** The grace of one body (CG1, CG2). It begins with {@link CancelGrace.begin}. */
export class CancelGrace {
  readonly #options: CancelGraceOptions;
  #leftMs: number;
  #open = 0;
  /** Shields that the body has opened since the grace began. */
  #opened = 0;
  #hasBegun = false;
  /** When the time began to run, on the clock that only goes forward; undefined while it does not. */
  #runsSinceMs: number | undefined;
  #stopTimer: Cancel = () => {};

  constructor(options: CancelGraceOptions) {
    this.#options = options;
    this.#leftMs = options.graceMs;
  }

  /** Shields that are open. */
  get shields(): number {
    return this.#open;
  }

  /** The run is cancelled. */
  begin(): void {
    this.#hasBegun = true;
    if (this.#open === 0) this.#run();
  }

  /** A shield begins. Returns the way to say that it has ended. */
  shield(): () => void {
    this.#open += 1;
    if (this.#hasBegun) this.#opened += 1;
    if (this.#opened <= MOST_SHIELDS) this.#pause();
    return () => {
      this.#open -= 1;
      if (this.#open > 0 || !this.#hasBegun) return;
      this.#leftMs = Math.max(this.#leftMs, Math.min(this.#options.graceMs, LEAST_MS));
      this.#run();
    };
  }

  /** The execution is over. */
  stop(): void {
    this.#hasBegun = false;
    this.#pause();
  }

  #run(): void {
    if (this.#runsSinceMs !== undefined) return;
    const { clock, onOver } = this.#options;
    this.#runsSinceMs = clock.monotonicMs();
    this.#stopTimer = clock.after(this.#leftMs, () => {
      this.#hasBegun = false;
      onOver();
    });
  }

  #pause(): void {
    if (this.#runsSinceMs === undefined) return;
    this.#leftMs = Math.max(0, this.#leftMs - (this.#options.clock.monotonicMs() - this.#runsSinceMs));
    this.#runsSinceMs = undefined;
    this.#stopTimer();
  }
}
