/** The snapshots that a group sends and receives at the moment, with their progress. */

import type { Clock } from "../../ports/clock.ts";
import type { FixedContent, SnapshotStream } from "../../ports/snapshot-stream.ts";
import type { LogIndex, NodeId } from "../../types.ts";

/** One transfer at one moment. Plain data. */
export interface SnapshotTransferStatus {
  /** "delegated": on the leader, a snapshot that another member sends in the leader's place. The bytes are counted on that member. */
  readonly direction: "send" | "receive" | "delegated";
  /** The receiver; with "receive", the leader in whose name the snapshot is sent. */
  readonly peer: NodeId;
  /** The member that sends in this node's place. */
  readonly delegate: NodeId | undefined;
  /** Index of the snapshot. */
  readonly index: LogIndex;
  readonly bytesDone: number;
  /** Size of the content. Undefined while it is not known. */
  readonly bytesTotal: number | undefined;
  /** Start of the transfer, in milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** Mean since the start. Parts that were sent again count once. */
  readonly bytesPerSecond: number;
}

/** A transfer that begins. */
export interface TransferBeginning {
  readonly direction: SnapshotTransferStatus["direction"];
  readonly peer: NodeId;
  readonly delegate?: NodeId;
  readonly index: LogIndex;
}

interface Transfer extends TransferBeginning {
  readonly startedAtMs: number;
  readonly startedMs: number;
  bytesTotal: number | undefined;
  bytesDone: number;
}

/** Tracks the transfers of one group. */
export class SnapshotTransfers {
  readonly #clock: Clock;
  readonly #transfers = new Set<Transfer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Tracks a transfer while `work` runs. `work` may pass its content through `counted` to count the bytes. */
  async during<Value>(
    beginning: TransferBeginning,
    work: (counted: (content: SnapshotStream) => SnapshotStream) => Promise<Value>,
  ): Promise<Value> {
    const transfer: Transfer = {
      ...beginning,
      startedAtMs: this.#clock.wallMs(),
      startedMs: this.#clock.monotonicMs(),
      bytesTotal: undefined,
      bytesDone: 0,
    };
    this.#transfers.add(transfer);
    try {
      return await work((content) => counted(content, transfer));
    } finally {
      this.#transfers.delete(transfer);
    }
  }

  /** The running transfers, in the order in which they began. */
  status(): SnapshotTransferStatus[] {
    return Array.from(this.#transfers, ({ direction, peer, delegate, index, startedMs, startedAtMs, ...bytes }) => {
      const seconds = (this.#clock.monotonicMs() - startedMs) / 1000;
      const bytesPerSecond = seconds > 0 ? Math.round(bytes.bytesDone / seconds) : 0;
      return { direction, peer, delegate, index, ...bytes, startedAtMs, bytesPerSecond };
    });
  }
}

function counted(content: SnapshotStream, transfer: Transfer): SnapshotStream {
  const { fixed, totalBytes } = content;
  transfer.bytesTotal = fixed?.totalBytes ?? totalBytes;
  const from = (chunks: AsyncIterable<Uint8Array>, offset: number): AsyncIterator<Uint8Array> => {
    const reader = chunks[Symbol.asyncIterator]();
    return {
      next: async () => {
        const next = await reader.next();
        if (next.done !== true) {
          offset += next.value.length;
          transfer.bytesDone = offset;
        }
        return next;
      },
      return: async () => (await reader.return?.()) ?? { done: true, value: undefined },
    };
  };
  const resumable: FixedContent | undefined = fixed && {
    totalBytes: fixed.totalBytes,
    crc32: fixed.crc32,
    from: (offset) => ({ [Symbol.asyncIterator]: () => from(fixed.from(offset), offset) }),
  };
  return {
    ...(resumable === undefined ? {} : { fixed: resumable }),
    ...(totalBytes === undefined ? {} : { totalBytes }),
    [Symbol.asyncIterator]: () => from(content, 0),
  };
}
