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

/** The process's own. */
export const platformEnvironment: Environment = Object.freeze({
  clock: platformClock,
  uuid: () => crypto.randomUUID(),
  random: () => Math.random(),
  randomBytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
});

/** {@link platformEnvironment} whose timers let the process end: for a client that its program forgot. */
export const unreferencedEnvironment: Environment = Object.freeze({
  ...platformEnvironment,
  clock: Object.freeze({ ...platformClock, every: backgroundClock.every }),
});
