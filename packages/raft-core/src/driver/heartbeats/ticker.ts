/**
 * One timer for all groups that share a clock and a length of tick: a thousand groups are one wake-up of the process, and what
 * they send in a tick leaves together.
 *
 * Invariants:
 * K1. Everyone who was there when a tick began and has not left by then is called once in it, in the order of joining; those of
 *     {@link Ticker.afterTick} when all others were.
 * K2. The timer runs exactly while somebody is there.
 * K3. A tick comes with the number of ticks that should have been since the last one and were not, because the process stood
 *     still: a leader has heartbeats to make up for. Nobody else counts them, for in that time nothing could be heard either.
 */
import type { Cancel, Clock } from "../../ports/clock.ts";

const tickers = new WeakMap<Clock, Map<number, Ticker>>();

/** The ticker of a clock for ticks of `tickMs`, the same for everyone. */
export function tickerOf(clock: Clock, tickMs: number): Ticker {
  const ofClock = tickers.get(clock) ?? new Map<number, Ticker>();
  tickers.set(clock, ofClock);
  const ticker = ofClock.get(tickMs) ?? new Ticker(clock, tickMs);
  ofClock.set(tickMs, ticker);
  return ticker;
}

/** A place in the order. Emptied, not taken out, when its owner leaves: the order may be walked just then. */
interface Place {
  fn: OnTick | undefined;
}

/** Called in each tick with the ticks that were missed before it. Must not throw. */
export type OnTick = (missedTicks: number) => void;

export class Ticker {
  readonly #clock: Clock;
  readonly #tickMs: number;
  #first: Place[] = [];
  #last: Place[] = [];
  /** Places that are taken. */
  #members = 0;
  #hasEmptied = false;
  /** When the last tick was, or the first may be counted from. */
  #lastMs = 0;
  #stopTimer: Cancel | undefined;

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  /** Calls `fn` in each tick from the next one on. */
  onTick(fn: OnTick): Cancel {
    return this.#join(this.#first, fn);
  }

  /** The same, behind everyone of {@link onTick}: for what sums up a tick. */
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
    // Who joins meanwhile is behind these ends.
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
