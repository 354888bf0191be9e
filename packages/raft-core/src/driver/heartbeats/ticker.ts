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

/** A place in the order. Emptied, not taken out, when its owner leaves: the order may be walked just then. */
interface Place {
  fn: (() => void) | undefined;
}

export class Ticker {
  readonly #clock: Clock;
  readonly #tickMs: number;
  #first: Place[] = [];
  #last: Place[] = [];
  /** Places that are taken. */
  #members = 0;
  #hasEmptied = false;
  #stopTimer: Cancel | undefined;

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  /** Calls `fn`, which must not throw, in each tick from the next one on. */
  onTick(fn: () => void): Cancel {
    return this.#join(this.#first, fn);
  }

  /** The same, behind everyone of {@link onTick}: for what sums up a tick. */
  afterTick(fn: () => void): Cancel {
    return this.#join(this.#last, fn);
  }

  #join(places: Place[], fn: () => void): Cancel {
    const place: Place = { fn };
    places.push(place);
    this.#members++;
    this.#stopTimer ??= this.#clock.every(this.#tickMs, () => this.#tick());
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
    // Who joins meanwhile is behind these ends.
    const [endOfFirst, endOfLast] = [this.#first.length, this.#last.length];
    walk(this.#first, endOfFirst);
    walk(this.#last, endOfLast);
  }
}

function isTaken({ fn }: Place): boolean {
  return fn !== undefined;
}

function walk(places: readonly Place[], end: number): void {
  for (let at = 0; at < end; at++) places[at]?.fn?.();
}
