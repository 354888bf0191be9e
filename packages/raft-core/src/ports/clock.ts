/** Time as a port, so that a simulator can be the clock. */

/** Stops a timer. Calling it twice does nothing. */
export type Cancel = () => void;

export interface Clock {
  /** Milliseconds since the epoch; may jump. For timestamps that people read. */
  wallMs(): number;
  /** Milliseconds of a clock that only goes forward. For measuring. */
  monotonicMs(): number;
  /**
   * Calls `fn` once after `delayMs`, in a later turn. Any delay will do: one that is not above 0 is over at once, one of years is waited
   * for, and Infinity is never over. Timers of the platform alone fire at once for more than 2^31 - 1.
   */
  after(delayMs: number, fn: () => void): Cancel;
  /** Calls `fn` every `periodMs`, which is above 0 and as long as may be; late calls are not made up for. */
  every(periodMs: number, fn: () => void): Cancel;
  /** Calls `fn` at the end of this turn of the event loop: what else happens in the turn is batched with it. */
  soon(fn: () => void): void;
}
