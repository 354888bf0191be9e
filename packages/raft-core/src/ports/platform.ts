/** The ports on a real platform: its clock, and randomness seeded by it. Uses globals only, no `node:`. */

import type { Cancel, Clock } from "./clock.ts";
import type { Logger } from "./logger.ts";
import type { Rng } from "./rng.ts";
import { seededRng } from "./rng.ts";

/** Rounds in which queued functions run within one turn, before timers and sockets run again. */
const ROUNDS_PER_TURN = 4;

/**
 * Runs all functions queued for the end of this turn in one callback. Functions that they queue run in the same callback, so that a frame leaves in
 * the turn in which its messages were made. The rounds are bounded, so that queued functions cannot block the event loop.
 */
class EndOfTurn {
  #queue: (() => void)[] = [];
  #isScheduled = false;

  add(fn: () => void): void {
    this.#queue.push(fn);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#run());
  }

  #run(): void {
    try {
      for (let round = 0; round < ROUNDS_PER_TURN && this.#queue.length > 0; round++) {
        const due = this.#queue;
        this.#queue = [];
        this.#runAll(due);
      }
    } finally {
      this.#isScheduled = false;
      if (this.#queue.length > 0) this.#schedule();
    }
  }

  /** Runs all functions. When one throws, the rest stay queued. */
  #runAll(due: readonly (() => void)[]): void {
    for (let at = 0; at < due.length; at++) {
      try {
        due[at]?.();
      } catch (error) {
        this.#queue.unshift(...due.slice(at + 1));
        throw error;
      }
    }
  }
}

const endOfTurn = new EndOfTurn();

/** The longest wait of the platform's timers, 24.8 days. A longer one fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Whether a timer keeps the process alive. */
type Hold = "holds" | "lets go";

/** Calls `fn` after `delayMs` of any length: in the next turn for a delay that is not above 0, and never for Infinity. */
function after(delayMs: number, fn: () => void, hold: Hold): Cancel {
  if (delayMs === Number.POSITIVE_INFINITY) return () => {};
  let timer: ReturnType<typeof setTimeout>;
  const arm = (leftMs: number): void => {
    const isLast = leftMs <= LONGEST_TIMER_MS;
    timer = setTimeout(isLast ? fn : () => arm(leftMs - LONGEST_TIMER_MS), isLast ? leftMs : LONGEST_TIMER_MS);
    if (hold === "lets go") letGo(timer);
  };
  // NaN counts as 0.
  arm(Math.max(delayMs || 0, 0));
  return () => clearTimeout(timer);
}

function every(periodMs: number, fn: () => void, hold: Hold): Cancel {
  if (periodMs <= LONGEST_TIMER_MS) {
    const timer = setInterval(fn, periodMs);
    if (hold === "lets go") letGo(timer);
    return () => clearInterval(timer);
  }
  let cancel: Cancel = () => {};
  const again = (): void => {
    cancel = after(
      periodMs,
      () => {
        again();
        fn();
      },
      hold,
    );
  };
  again();
  return () => cancel();
}

/** Lets the process end while the timer is pending. Only Node's timers have `unref`. */
function letGo(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}

function platformTimers(hold: Hold): Clock {
  return Object.freeze({
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    after: (delayMs: number, fn: () => void) => after(delayMs, fn, hold),
    every: (periodMs: number, fn: () => void) => every(periodMs, fn, hold),
    soon: (fn: () => void) => endOfTurn.add(fn),
  });
}

/** The platform's clock. Its timers keep the process alive. */
export const platformClock: Clock = platformTimers("holds");

/** Like {@link platformClock}, but its timers do not keep the process alive. */
export const backgroundClock: Clock = platformTimers("lets go");

/** Random numbers from a seed of the platform's secure randomness. */
export function platformRng(): Rng {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return seededRng(seed);
}

/** A logger that drops every line. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};
