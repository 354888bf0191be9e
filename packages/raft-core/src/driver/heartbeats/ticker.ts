/**
 * One timer for all groups that share a clock and a length of tick. A thousand groups wake the process once per tick, and the messages
 * that they send in a tick leave together.
 *
 * Invariants:
 * K1. Each function that had joined when a tick began, and has not left before its turn, is called once in that tick, in the order of joining.
 *     The functions of {@link Ticker.afterTick} are called after all others.
 * K2. The timer runs exactly while at least one function has joined.
 * K3. A tick carries the number of ticks that are missing since the last one because the process stood still. A leader makes up for
 *     their heartbeats. Timeouts do not count them, because the process could not hear anything in that time.
 */
import type { Cancel, Clock } from "../../ports/clock.ts";

const tickers = new WeakMap<Clock, Map<number, Ticker>>();

/** The ticker of a clock for ticks of `tickMs` milliseconds. Each call with the same arguments returns the same ticker. */
export function tickerOf(clock: Clock, tickMs: number): Ticker {
  const ofClock = tickers.get(clock) ?? new Map<number, Ticker>();
  tickers.set(clock, ofClock);
  const ticker = ofClock.get(tickMs) ?? new Ticker(clock, tickMs);
  ofClock.set(tickMs, ticker);
  return ticker;
}

/** A place in the order. A function that leaves empties its place and does not remove it, because a tick may be walking the order. */
interface Place {
  fn: OnTick | undefined;
}

/** Called in each tick with the number of ticks that were missed before it. Must not throw. */
export type OnTick = (missedTicks: number) => void;

/** Calls functions in each tick of `tickMs` milliseconds. */
export class Ticker {
  readonly #clock: Clock;
  readonly #tickMs: number;
  #first: Place[] = [];
  #last: Place[] = [];
  /** Number of places that are not empty. */
  #members = 0;
  #hasEmptied = false;
  /** Monotonic time of the last tick, or of the start of the timer. */
  #lastMs = 0;
  #stopTimer: Cancel | undefined;

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  /** Calls `fn` in each tick from the next one on, until the returned function is called. */
  onTick(fn: OnTick): Cancel {
    return this.#join(this.#first, fn);
  }

  /** Like {@link onTick}, but calls `fn` after all functions of `onTick`. */
  afterTick(fn: OnTick): Cancel {
    return this.#join(this.#last, fn);
  }

  #join(places: Place[], fn: OnTick): Cancel {
    const place: Place = { fn };
    places.push(place);
    this.#members++;
    if (this.#stopTimer === undefined) {
      this.#lastMs = this.#clock.monotonicMs();
      this.#stopTimer = this.#clock.every(this.#tickMs, () => this.#tick());
    }
    return () => {
      if (place.fn === undefined) return;
      place.fn = undefined;
      this.#hasEmptied = true;
      if (--this.#members > 0) return;
      this.#stopTimer?.();
      this.#stopTimer = undefined;
    };
  }

  #tick(): void {
    if (this.#hasEmptied) {
      this.#first = this.#first.filter(isTaken);
      this.#last = this.#last.filter(isTaken);
      this.#hasEmptied = false;
    }
    const now = this.#clock.monotonicMs();
    const missedTicks = Math.max(0, Math.floor((now - this.#lastMs) / this.#tickMs) - 1);
    this.#lastMs = now;
    // Functions that join during the tick come after these ends.
    const [endOfFirst, endOfLast] = [this.#first.length, this.#last.length];
    walk(this.#first, endOfFirst, missedTicks);
    walk(this.#last, endOfLast, missedTicks);
  }
}

function isTaken({ fn }: Place): boolean {
  return fn !== undefined;
}

function walk(places: readonly Place[], end: number, missedTicks: number): void {
  for (let at = 0; at < end; at++) places[at]?.fn?.(missedTicks);
}
