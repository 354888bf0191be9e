/**
 * What nodes and clients take from their process: time and randomness. Nothing else in `api`, `client`, `service`, `wire`, `time` and `node` may touch the
 * platform's own (a test of the architecture says so), so that whole programs run on another clock and are repeated by a seed.
 */
import { backgroundClock, type Clock, platformClock } from "@raftoral/raft-core";

/** Time and randomness of a node or a client. */
export interface Environment {
  readonly clock: Clock;
  /** A fresh UUID. */
  uuid(): string;
  /** A number in `[0, 1)`. */
  random(): number;
  /** Bytes that cannot be guessed. */
  randomBytes(length: number): Uint8Array;
}

/** Asking for random bytes costs far more than the bytes do: they come in pools of so many. */
const POOL_BYTES = 4_096;
let pool = new Uint8Array(0);
let taken = 0;

/** A copy, so that no result keeps the pool or is changed through it. */
function randomBytes(length: number): Uint8Array {
  if (length > POOL_BYTES) return crypto.getRandomValues(new Uint8Array(length));
  if (taken + length > pool.length) {
    pool = crypto.getRandomValues(new Uint8Array(POOL_BYTES));
    taken = 0;
  }
  taken += length;
  return pool.slice(taken - length, taken);
}

/** The process's own. */
export const platformEnvironment: Environment = Object.freeze({
  clock: platformClock,
  uuid: () => crypto.randomUUID(),
  random: () => Math.random(),
  randomBytes,
});

/** {@link platformEnvironment} whose timers let the process end: for a client that its program forgot. */
export const unreferencedEnvironment: Environment = Object.freeze({
  ...platformEnvironment,
  clock: Object.freeze({ ...platformClock, every: backgroundClock.every }),
});
