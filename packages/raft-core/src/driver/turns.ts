/**
 * When the steps of a group run, and what happens when one of them fails.
 *
 * Role: runs inputs at once, and a turn of the group at the end of the same turn of the event loop. So everything that arrives together is
 * handled in one turn. An error in a step or in a turn stops the node (group-loop.ts D3). No step runs after the node has stopped.
 */
import type { Clock } from "../ports/clock.ts";

/** The parts of the group that its turns use. */
export interface TurnsHost {
  readonly lifecycle: { readonly isRunning: boolean };
  readonly clock: Pick<Clock, "soon">;
  /** Runs one turn: hands inputs to the core and carries out its Readys. */
  turn(): void;
  /** Stops the node because of an error. */
  fail(error: unknown): void;
}

/** Schedules the turns of one group. */
export class Turns {
  readonly #host: TurnsHost;
  #isDue = false;

  constructor(host: TurnsHost) {
    this.#host = host;
  }

  /** Runs a turn at the end of this turn of the event loop. Several calls before that cause one turn. */
  schedule(): void {
    if (this.#isDue || !this.#host.lifecycle.isRunning) return;
    this.#isDue = true;
    this.#host.clock.soon(() => {
      this.#isDue = false;
      this.guard(() => this.#host.turn());
    });
  }

  /** Runs an input and schedules a turn. */
  enter(step: () => void): void {
    this.guard(() => {
      step();
      this.schedule();
    });
  }

  /** Runs `step` unless the node has stopped. An error of `step` stops the node. */
  guard(step: () => void): void {
    if (!this.#host.lifecycle.isRunning) return;
    try {
      step();
    } catch (error) {
      this.#host.fail(error);
    }
  }
}
