/**
 * One timer for all groups that share a clock and a length of tick: a thousand groups are one wake-up of the process, and what
 * they send in a tick leaves together.
 *
 * Invariants:
 * K1. Everyone who was there when a tick began and has not left by then is called once in it, in the order of joining; those of
 *     {@link Ticker.afterTick} when all others were.
 * K2. The timer runs exactly while somebody is there.
 */
import type { Cancel, Clock } from "../ports.ts";

const tickers = new WeakMap<Clock, Map<number, Ticker>>();

/** The ticker of a clock for ticks of `tickMs`, the same for everyone. */
export function tickerOf(clock: Clock, tickMs: number): Ticker {
  const ofClock = tickers.get(clock) ?? new Map<number, Ticker>();
  tickers.set(clock, ofClock);
  const ticker = ofClock.get(tickMs) ?? new Ticker(clock, tickMs);
  ofClock.set(tickMs, ticker);
  return ticker;
}

type OnTick = () => void;

export class Ticker {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #first = new Set<OnTick>();
  readonly #last = new Set<OnTick>();
  /** Everyone in the order of the calls; made anew when somebody came or went. */
  #order: readonly OnTick[] | undefined;
  #stopTimer: Cancel | undefined;

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  /** Calls `fn` in each tick from the next one on. `fn` must not throw, and is known by its identity: join once. */
  onTick(fn: OnTick): Cancel {
    return this.#join(this.#first, fn);
  }

  /** The same, behind everyone of {@link onTick}: for what sums up a tick. */
  afterTick(fn: OnTick): Cancel {
    return this.#join(this.#last, fn);
  }

  #join(members: Set<OnTick>, fn: OnTick): Cancel {
    members.add(fn);
    this.#order = undefined;
    this.#stopTimer ??= this.#clock.every(this.#tickMs, () => this.#tick());
    return () => {
      members.delete(fn);
      this.#order = undefined;
      if (this.#first.size + this.#last.size > 0) return;
      this.#stopTimer?.();
      this.#stopTimer = undefined;
    };
  }

  #tick(): void {
    this.#order ??= [...this.#first, ...this.#last];
    // Who joins during the tick is in the next order only.
    for (const fn of this.#order) {
      if (this.#first.has(fn) || this.#last.has(fn)) fn();
    }
  }
}
