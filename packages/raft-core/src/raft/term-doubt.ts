/**
 * Whether a node takes the term that a message tells.
 *
 * A term only ever rises, and a node that took one too near to the highest could never be elected, or follow anybody, again. So a
 * node that is in a term takes no term that is far beyond it: no group gets that far while a member looks away. A node that knows no term
 * yet has nothing to compare with; it doubts a high term until a second message, at least a tick later, bears it out, as the next
 * heartbeat of its group does.
 *
 * Invariants:
 * TD1. One message moves a term by at most MAX_STEP, and any number of them move the term of a node that is in one by no more at a time.
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
    if (own > 0 || told > HIGHEST_TO_BELIEVE) return false;
    if (this.#term > 0 && Math.abs(told - this.#term) <= MAX_STEP) return tick > this.#sinceTick;
    this.#term = told;
    this.#sinceTick = tick;
    return false;
  }
}
