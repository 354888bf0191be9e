/** The real world behind the ports: the platform's clock and a seed from its randomness. Uses globals only, no `node:`. */
import { seededRng } from "../rng.ts";
import type { Cancel, Clock, Logger, Rng } from "./ports.ts";

/** So many times what is queued is run within one turn, before timers and sockets get theirs again. */
const ROUNDS_PER_TURN = 4;

/**
 * Everything for the end of this turn, in one callback. What that queues in turn runs in it too, so that a frame leaves in the
 * turn in which its messages were made; a few rounds at most, so that nothing can keep the event loop to itself.
 */
class EndOfTurn {
  #queue: (() => void)[] = [];
  #isScheduled = false;

  add(fn: () => void): void {
    this.#queue.push(fn);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#run());
  }

  #run(): void {
    try {
      for (let round = 0; round < ROUNDS_PER_TURN && this.#queue.length > 0; round++) {
        const due = this.#queue;
        this.#queue = [];
        this.#runAll(due);
      }
    } finally {
      this.#isScheduled = false;
      if (this.#queue.length > 0) this.#schedule();
    }
  }

  /** One that throws must not take the others with it. */
  #runAll(due: readonly (() => void)[]): void {
    for (let at = 0; at < due.length; at++) {
      try {
        due[at]?.();
      } catch (error) {
        this.#queue.unshift(...due.slice(at + 1));
        throw error;
      }
    }
  }
}

const endOfTurn = new EndOfTurn();

/** Timers of the platform. They keep the process alive, as a running node should. */
export const platformClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs: number, fn: () => void): Cancel {
    const timer = setTimeout(fn, delayMs);
    return () => clearTimeout(timer);
  },
  every(periodMs: number, fn: () => void): Cancel {
    const timer = setInterval(fn, periodMs);
    return () => clearInterval(timer);
  },
  soon(fn: () => void): void {
    endOfTurn.add(fn);
  },
};

export function platformRng(): Rng {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return seededRng(seed);
}

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};
