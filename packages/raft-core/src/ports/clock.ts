/** Time as a port, so that a simulator can be the clock. */

/** Stops a timer. Calling it twice does nothing. */
export type Cancel = () => void;

/** The clock of a node. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. For timestamps that people read. */
  wallMs(): number;
  /** Milliseconds of a clock that only goes forward. For measuring. */
  monotonicMs(): number;
  /**
   * Calls `fn` once after `delayMs`, in a later turn. A delay that is not above 0 ends in the next turn, a delay of years is waited
   * for, and Infinity never ends. The platform's own timers fire at once for delays above 2^31 - 1.
   */
  after(delayMs: number, fn: () => void): Cancel;
  /** Calls `fn` every `periodMs`, which may be any number above 0. Calls that are late are not repeated. */
  every(periodMs: number, fn: () => void): Cancel;
  /** Calls `fn` at the end of this turn of the event loop, so that everything that happens in the turn is handled together. */
  soon(fn: () => void): void;
}
