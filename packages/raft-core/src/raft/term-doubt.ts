/**
 * Whether a node accepts the term of a message.
 *
 * Terms only rise. A node that accepted a term close to the highest one could never again be elected or follow a leader. Therefore a
 * node that has a term refuses terms that are more than MAX_STEP above it: no group gets so far while a member is away. A node that has no
 * term yet has nothing to compare with. It refuses a high term until a second message, at least a tick later, confirms the term, as the next
 * heartbeat of its group does.
 *
 * Invariants:
 * TD1. One message raises the term of a node that has one by at most MAX_STEP. A node without a term accepts a higher term only when two messages tell it.
 * TD2. No message raises a term from at most HIGHEST_TO_BELIEVE to more than MAX_STEP above it: there is room for more elections than any group holds.
 */
import type { Term } from "../types.ts";

/** Largest step between two terms. With an election each second a group needs more than a century for so many terms. */
const MAX_STEP = 2 ** 32;
/** Highest term that a node without a term accepts. */
const HIGHEST_TO_BELIEVE = 2 ** 51;

/** Remembers the last high term that a node without a term has refused, and accepts it when a later message confirms it. */
export class TermDoubt {
  /** The term that was refused last; 0 for none. */
  #term: Term = 0;
  #sinceTick = 0;

  /** Whether a node at term `own` accepts the term `told`, at the tick numbered `tick`. Remembers a refused term. */
  takes(told: Term, own: Term, tick: number): boolean {
    if (told <= own + MAX_STEP) return true;
    if (own > 0 || told > HIGHEST_TO_BELIEVE) return false;
    if (this.#term > 0 && Math.abs(told - this.#term) <= MAX_STEP) return tick > this.#sinceTick;
    this.#term = told;
    this.#sinceTick = tick;
    return false;
  }
}
