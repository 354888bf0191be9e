/** A snapshot's content on its way through the network: read once, chunk by chunk, and always released. */
import { type GroupId, RaftoralError, TransportError } from "@raftoral/raft-core";
import type { Message, SnapshotStream } from "@raftoral/raft-core/transport";

/** The content of one snapshot for one receiver. Chunks belong to the sender's content and are valid until the next one is read. */
export class SnapshotSource implements SnapshotStream, AsyncIterator<Uint8Array> {
  readonly totalBytes?: number;
  /** What the sender's own content failed with. */
  failure: unknown;
  readonly #content: AsyncIterator<Uint8Array>;
  readonly #pass: () => Promise<void>;

  /** `pass` takes as long as a chunk takes, and rejects when the way is cut. */
  constructor(content: SnapshotStream, pass: () => Promise<void>) {
    const totalBytes = content.fixed?.totalBytes ?? content.totalBytes;
    if (totalBytes !== undefined) this.totalBytes = totalBytes;
    this.#content = content[Symbol.asyncIterator]();
    this.#pass = pass;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    await this.#pass();
    try {
      return await this.#content.next();
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  /** The reader does not want the rest. */
  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.release();
    return { done: true, value: undefined };
  }

  /** Lets go of the content. Idempotent. */
  async release(): Promise<void> {
    await this.#content.return?.();
  }
}

/** The receiver did not take it, for `cause`. */
export function snapshotRejected(cause: unknown, groupId: GroupId, announcement: Message): TransportError {
  const reason = cause instanceof RaftoralError ? cause.code : "RECEIVER_FAILED";
  return rejected(cause instanceof Error ? cause.message : String(cause), reason, groupId, announcement, cause);
}

/** The receiver takes no part in the group. */
export function snapshotGroupUnknown(groupId: GroupId, announcement: Message): TransportError {
  return rejected("it has no such group open.", "GROUP_UNKNOWN", groupId, announcement);
}

function rejected(why: string, reason: string, groupId: GroupId, announcement: Message, cause?: unknown) {
  const index = announcement.snapshot?.metadata.index ?? 0;
  return new TransportError(
    "TRANSPORT_SNAPSHOT_REJECTED",
    `Node ${announcement.to} did not take the snapshot at index ${index} of group ${groupId}: ${why}`,
    { retryable: true, cause, details: { nodeId: announcement.to, groupId, reason } },
  );
}
