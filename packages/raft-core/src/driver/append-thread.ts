/**
 * Carries out MsgStorageAppend: writes, waits until the write is durable, then delivers the responses.
 *
 * Role: the only place that releases messages when their write is durable. It does not look into the responses.
 *
 * Invariants:
 * A1. A response leaves only after its own batch and every earlier one are durable (Raft paper, figure 2; thesis §10.2.1).
 * A2. Responses leave in the order of their messages.
 * A3. After a failed write no response leaves any more.
 * A4. A local snapshot is not installed once a received snapshot, which is always newer, was handed to the storage.
 */

import { invariant } from "../errors.ts";
import { LOCAL_APPEND_THREAD, type Message } from "../message.ts";
import type { GroupStorage, WriteBatch } from "../ports/storage.ts";
import type { HardState, LogIndex, SnapshotMetadata } from "../types.ts";

/** The calls that the append thread makes into its group. */
export interface AppendThreadHost {
  /** Delivers the responses of a batch that is durable. */
  deliver(responses: readonly Message[]): void;
  /** Restores the state machine from a received snapshot. The snapshot is durable, and the log starts behind it. */
  restore(metadata: SnapshotMetadata): Promise<void>;
  /** Called once, when a write has failed. */
  fail(error: unknown): void;
}

/** Writes the batches of one group to its storage. One per running group. */
export class AppendThread {
  readonly #storage: GroupStorage;
  readonly #host: AppendThreadHost;
  /** The hard state last handed out. The storage has it, except that its commit index may be older. */
  #hardState: HardState;
  #hasUnwrittenCommit = false;
  /** Index of the last received snapshot that was handed to the storage. */
  #receivedIndex: LogIndex = 0;
  #tail: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(storage: GroupStorage, hardState: HardState, host: AppendThreadHost) {
    this.#storage = storage;
    this.#hardState = hardState;
    this.#host = host;
  }

  /** Starts the write at once. Writes of several messages overlap; the storage keeps their order. */
  submit(message: Message): void {
    invariant(message.to === LOCAL_APPEND_THREAD, "only MsgStorageAppend is for the append thread");
    const batch = this.#batchOf(message);
    const write = batch === undefined ? undefined : this.#storage.write(batch);
    const received = message.snapshot?.metadata;
    if (received !== undefined) this.#receivedIndex = received.index;
    if (write === undefined && message.responses.length === 0) return;
    this.#tail = this.#tail.then(async () => {
      await write;
      if (this.#failed) return;
      if (received !== undefined) await this.#host.restore(received);
      this.#host.deliver(message.responses);
    });
    this.#tail = this.#tail.catch((error: unknown) => this.#fail(error));
    // A write that fails while an earlier one is awaited must not become an unhandled rejection.
    write?.catch(() => {});
  }

  /**
   * Makes a local snapshot, already spooled, the group's latest one. Writes the commit index that covers the snapshot with it, because after a
   * restart all applied entries must be known to be committed. Returns false and writes nothing if a newer snapshot was received (A4).
   */
  async writeSnapshot(metadata: SnapshotMetadata, compactTo: LogIndex): Promise<boolean> {
    if (metadata.index <= this.#receivedIndex) return false;
    this.#hasUnwrittenCommit = false;
    await this.#storage.write({ hardState: this.#hardState, snapshot: { metadata, reset: false }, compactTo });
    return true;
  }

  /** Resolves when everything submitted so far has been carried out or has failed. */
  idle(): Promise<void> {
    return this.#tail;
  }

  #batchOf(message: Message): WriteBatch | undefined {
    if (message.term !== 0) {
      const { term, vote, commit } = message;
      const onlyCommit = term === this.#hardState.term && vote === this.#hardState.vote;
      this.#hardState = { term, vote, commit };
      // The node learns a lost commit index again from the leader. So a new commit index gets no flush of its own; the next batch carries it.
      if (onlyCommit && message.entries.length === 0 && message.snapshot === undefined) {
        this.#hasUnwrittenCommit = true;
        return undefined;
      }
      this.#hasUnwrittenCommit = true;
    }
    if (message.entries.length === 0 && message.snapshot === undefined && message.term === 0) return undefined;
    const hardState = this.#hasUnwrittenCommit ? { hardState: this.#hardState } : {};
    this.#hasUnwrittenCommit = false;
    return {
      ...hardState,
      ...(message.entries.length > 0 ? { entries: message.entries } : {}),
      ...(message.snapshot === undefined ? {} : { snapshot: { metadata: message.snapshot.metadata, reset: true } }),
    };
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#host.fail(error);
  }
}
