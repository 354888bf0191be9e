/**
 * Checkpoints: moments at which what a node holds in memory is brought into LMDB, in one go with the log it follows from.
 *
 * Between two checkpoints LMDB may be behind. The Raft log itself loses nothing by that, it is durable before it is
 * acknowledged; everything that can be derived from the log (the state that its entries led to) need be written only
 * now and then, and is derived again from the log after a crash.
 *
 * K1. Records of a checkpoint participant reach the disk with checkpoints only, all those of one checkpoint in one
 *     transaction: after a crash LMDB holds what the participants wrote at the last checkpoint, and nothing of a later one.
 * K2. When a transaction with participants' records is durable, so is the log at least up to what was durable when
 *     `checkpointTo` was called. State of entries that were applied (they were durable before) never runs ahead of the log.
 */

/** What is written with. Keys are copied at once; values must come from {@link buffer}. */
export interface WriteTransaction {
  put(key: Buffer, value: Buffer): void;
  remove(key: Buffer): void;
  /** Memory for one value, valid until the transaction ends. */
  buffer(bytes: number): Buffer;
}

/** Whose records are written with checkpoints. Keys must not collide with those of keys.ts. */
export interface CheckpointParticipant {
  /**
   * Writes everything that changed since the last call. Called on the event loop: the time it takes is time in which the
   * node does nothing else. Must not fail but by a broken invariant, which ends the environment.
   */
  checkpointTo(transaction: WriteTransaction): void;
  /** What the last call wrote is durable, and reads of the database show it. Not called when the transaction failed. */
  checkpointed?(): void;
}
