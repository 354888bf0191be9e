/**
 * The order in which a body gets its answers.
 *
 * Role: what a body does next depends on which of its open calls was answered first (`Promise.race`, branches that share a
 * variable or `random()`). So answers are given as the log has them, and a replay takes the same course.
 *
 * Q1. Answers are given in the order of their places in the log, recorded ones and fresh ones alike.
 * Q2. One answer per turn of the event loop: the body comes to rest before the next, having asked for all it will.
 */
import type { Clock, LogIndex } from "@raftoral/raft-core";

/** The place of what the log does not have: after everything it has. */
export const AFTER_ALL: LogIndex = Number.POSITIVE_INFINITY;

interface Waiting {
  readonly index: LogIndex;
  readonly give: () => void;
}

export class Answers {
  readonly #clock: Clock;
  /** Ascending by index. */
  readonly #waiting: Waiting[] = [];
  /** The body may be running still, and ask for more. */
  #isRunning = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** For an answer from the record: resolves when it is its turn. The body may be asking for others right now. */
  recorded(index: LogIndex): Promise<void> {
    return this.#queued(index);
  }

  /**
   * For an answer that has just come: undefined when it may be given now, else resolves when it is its turn. `isOnly` says that
   * no other call is open, so that nothing before it in the log can be on its way through this turn.
   */
  fresh(index: LogIndex, isOnly: boolean): Promise<void> | undefined {
    return isOnly && !this.#isRunning && this.#waiting.length === 0 ? undefined : this.#queued(index);
  }

  #queued(index: LogIndex): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting;
      let at = waiting.length;
      while (at > 0 && (waiting[at - 1] as Waiting).index > index) at--;
      waiting.splice(at, 0, { index, give: resolve });
      if (this.#isRunning) return;
      this.#isRunning = true;
      this.#afterRest();
    });
  }

  readonly #next = (): void => {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#isRunning = false;
      return;
    }
    next.give();
    this.#afterRest();
  };

  /** By a microtask: the clock may call several callbacks in a row, without the body getting on in between. */
  #afterRest(): void {
    queueMicrotask(() => this.#clock.soon(this.#next));
  }
}
