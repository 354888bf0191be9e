/**
 * Spreads work over turns of the event loop, so that a body that begins 50,000 steps at once, or a node that takes over 50,000 runs, blocks nothing.
 *
 * TU1. Work begins in the order in which it was asked for.
 * TU2. At most `perTurn` pieces begin in one turn.
 */
import type { Clock } from "@raftoral/raft-core";

/** The queue of one node for work that is spread over turns of the event loop (TU1, TU2). */
export class Turns {
  readonly #clock: Clock;
  readonly #perTurn: number;
  #left: number;
  #isCounting = false;
  #number = 0;
  #queue: (() => void)[] = [];
  #next = 0;

  constructor(clock: Clock, perTurn: number) {
    this.#clock = clock;
    this.#perTurn = perTurn;
    this.#left = perTurn;
  }

  /** Undefined when a piece may begin now, else resolves in the turn in which it may. */
  next(): Promise<void> | undefined {
    this.#count();
    if (this.#left > 0) {
      this.#left -= 1;
      return undefined;
    }
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  /** A number that is the same within one turn of the event loop, and another in each later one. */
  get current(): number {
    this.#count();
    return this.#number;
  }

  #count(): void {
    if (this.#isCounting) return;
    this.#isCounting = true;
    this.#clock.soon(this.#turn);
  }

  readonly #turn = (): void => {
    this.#number += 1;
    const queue = this.#queue;
    const end = Math.min(this.#next + this.#perTurn, queue.length);
    this.#left = this.#perTurn - (end - this.#next);
    for (; this.#next < end; this.#next++) queue[this.#next]?.();
    if (this.#next < queue.length) {
      this.#clock.soon(this.#turn);
      return;
    }
    this.#queue = [];
    this.#next = 0;
    // What began in this turn counts until the next.
    if (this.#left < this.#perTurn) this.#clock.soon(this.#turn);
    else this.#isCounting = false;
  };
}
