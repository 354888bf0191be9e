/**
 * Whether a node takes the term that a message tells.
 *
 * A term only ever rises, and a node that took one too near to the highest could never be elected, or follow anybody, again. So a
 * term far beyond a node's own is doubted until a second message, at least a tick later, bears it out. One broken or forged
 * message therefore moves a node by one step at most; its group follows it there. A node that has just joined, or was away,
 * hears its group's term again with the next heartbeat, however high it is.
 *
 * Invariants:
 * TD1. One message moves a term by at most MAX_STEP.
 * TD2. No message moves a term beyond HIGHEST_TO_BELIEVE by more than that: above it there is room for more elections than any group holds.
 */
import type { Term } from "../types.ts";

/** No group gets this far while one of its members looks away: an election a second would take a century. */
const MAX_STEP = 2 ** 32;
const HIGHEST_TO_BELIEVE = 2 ** 51;

export class TermDoubt {
  /** The term that was doubted last; 0 for none. */
  #term: Term = 0;
  #sinceTick = 0;

  /** Whether to take `told` at term `own`, at the tick numbered `tick`. What is doubted is remembered. */
  takes(told: Term, own: Term, tick: number): boolean {
    if (told <= own + MAX_STEP) return true;
    if (told > HIGHEST_TO_BELIEVE) return false;
    if (this.#term > 0 && Math.abs(told - this.#term) <= MAX_STEP) return tick > this.#sinceTick;
    this.#term = told;
    this.#sinceTick = tick;
    return false;
  }
}
