/** Writes that become durable together. */
import type { WriteTransaction } from "./checkpoint.ts";

/** What has something to write in a round, and hears how far it came. */
export interface Participant {
  /** Writes everything that is not yet written. Must not fail but by a broken invariant. */
  writeTo(transaction: WriteTransaction): void;
  /** What was written is durable. */
  written?(): void;
  /** A checkpoint begins that will bring all that was durable until now into LMDB. */
  checkpointing?(): void;
  /** It has: LMDB shows it. */
  checkpointed?(): void;
}

/** One round: who takes part, and the promise of its end. */
export interface Round {
  readonly participants: Set<Participant>;
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

/** A round that no participant has joined. A rejection of its promise that nothing handles is not reported. */
export function newRound(): Round {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Not every round has someone who waits for it; a failure is reported to the next who writes.
  promise.catch(() => undefined);
  return { participants: new Set(), promise, resolve, reject };
}
