/** Decides where the next transaction waits for the disk, from how long the last ones took. */

/**
 * How the disk is waited for. "blocking": on the event loop's thread, the lowest latency. "background": on another
 * thread, so that a slow disk does not hold up the event loop. "auto": blocking while flushes are short, background
 * while they are not.
 */
export type FlushMode = "auto" | "blocking" | "background";

/** A blocking flush may take this long on average (milliseconds) before "auto" goes to the background... */
const SLOW_FLUSH_MS = 4;
/** ...and it comes back when background flushes take less than this. The gap keeps it from going back and forth. */
const QUICK_FLUSH_MS = 2;
/** Weight of the newest flush in the average. */
const SMOOTHING = 0.1;

/** The pace of one environment. It keeps a moving average of flush times, in ms, and says where the next flush waits. */
export class FlushPace {
  readonly #mode: FlushMode;
  #averageMs = 0;
  #background: boolean;

  constructor(mode: FlushMode) {
    this.#mode = mode;
    this.#background = mode === "background";
  }

  get current(): "blocking" | "background" {
    return this.#background ? "background" : "blocking";
  }

  /** A transaction took this long, in milliseconds. */
  record(tookMs: number): void {
    this.#averageMs += SMOOTHING * (tookMs - this.#averageMs);
    if (this.#mode === "auto") this.#background = this.#averageMs > (this.#background ? QUICK_FLUSH_MS : SLOW_FLUSH_MS);
  }
}
