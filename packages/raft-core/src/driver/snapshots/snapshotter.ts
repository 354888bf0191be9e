/**
 * Snapshots of one group: taken when the log has grown, sent to a peer that needs compacted entries, received
 * from a leader.
 *
 * Invariants:
 * N1. A snapshot holds the state at exactly one applied index: sessions, members, configuration and executor state are captured in the
 *     same turn, between two batches.
 * N2. The log is compacted only up to a durable snapshot. The snapshot of an executor which is durable by itself has no state. Then the log is
 *     compacted only up to the index that the executor has made durable.
 * N3. One snapshot at a time is spooled into the storage.
 * N4. A stopping node does not wait for further content, and installs no incomplete snapshot.
 * N5. While a snapshot is being sent to a peer, the log behind it is kept, up to a bound. Otherwise the peer would need another snapshot at once.
 */
import { invariant, RaftError } from "../../errors.ts";
import type { Message } from "../../message.ts";
import type { AnyExecutor } from "../../ports/executor.ts";
import type { Logger } from "../../ports/logger.ts";
import type { GroupChannel } from "../../ports/peer-transport.ts";
import type { SnapshotStream } from "../../ports/snapshot-stream.ts";
import type { GroupStorage, SnapshotSink } from "../../ports/storage.ts";
import type { LogIndex, NodeId, SnapshotMetadata } from "../../types.ts";
import type { ReplicatedState } from "../apply/replicated-state.ts";
import type { CallMeter } from "../calls/call-meter.ts";
import type { RaftLimits } from "../options.ts";
import { checkedContent, headerAlone, type SnapshotHeader, splitHeader, withHeader } from "./snapshot-header.ts";

/** A snapshot to send: the MsgSnap that announces it, and its content. */
export interface SnapshotOffer {
  readonly message: Message;
  readonly content: SnapshotStream;
}

/** Takes, sends, receives and restores the snapshots of one group. */
export class Snapshotter {
  readonly #storage: GroupStorage;
  readonly #executor: AnyExecutor;
  readonly #state: ReplicatedState;
  readonly #limits: RaftLimits;
  readonly #logger: Logger;
  readonly #meter: CallMeter | undefined;
  #lastIndex: LogIndex;
  /** The snapshot that is being spooled, if any (N3). */
  #spooling: Promise<unknown> | undefined;
  #abort: ((reason: RaftError) => void) | undefined;
  /** Indexes of the snapshots that are being sent (N5). */
  readonly #sending = new Set<{ readonly index: LogIndex }>();

  constructor(
    storage: GroupStorage,
    executor: AnyExecutor,
    state: ReplicatedState,
    limits: RaftLimits,
    logger: Logger,
    meter?: CallMeter,
  ) {
    this.#storage = storage;
    this.#executor = executor;
    this.#state = state;
    this.#limits = limits;
    this.#logger = logger;
    this.#meter = meter;
    this.#lastIndex = state.appliedIndex;
  }

  /** Whether `snapshotEveryEntries` entries were applied since the last snapshot, and no snapshot is being spooled. */
  get isDue(): boolean {
    return (
      this.#spooling === undefined && this.#state.appliedIndex - this.#lastIndex >= this.#limits.snapshotEveryEntries
    );
  }

  /**
   * Takes a snapshot of the present state (N1). `install` makes it the group's latest one and compacts the log (N2); it
   * returns false when a newer snapshot was received. Call it between two batches. Rejects with OVERLOADED while another snapshot is being written
   * and when `install` returns false.
   */
  async take(
    install: (metadata: SnapshotMetadata, compactTo: LogIndex) => Promise<boolean>,
  ): Promise<SnapshotMetadata> {
    if (this.#spooling !== undefined) {
      throw new RaftError("OVERLOADED", "Another snapshot is being written. Try again when it is done.", {
        retryable: true,
      });
    }
    const metadata = this.#state.metadata();
    // A node that has just joined has no state yet, and index 0 means that there is no snapshot.
    if (metadata.index === 0) return metadata;
    const startedMs = this.#meter?.nowMs() ?? 0;
    const header = this.#state.header();
    const { commandIndex } = this.#state;
    const captured = this.#isDurable ? undefined : withHeader(header, this.#executor.snapshot());
    const keepFrom = Math.max(this.#storage.firstIndex(), this.#keptFrom(metadata.index));
    const installed = await this.#exclusive(async (aborted) => {
      const content = captured ?? headerAlone(await this.#persisted(header, commandIndex));
      const sink = await this.#spool(metadata, content, aborted);
      if (await install(metadata, keepFrom)) return true;
      await sink.abort();
      return false;
    });
    if (!installed) {
      throw new RaftError(
        "OVERLOADED",
        "The leader sent a newer snapshot while this one was being written. Use that one, or try again.",
        { retryable: true },
      );
    }
    this.#lastIndex = Math.max(this.#lastIndex, metadata.index);
    this.#meter?.snapshotTaken(startedMs);
    this.#logger.info({ index: metadata.index, term: metadata.term, keepFrom }, "snapshot taken");
    return metadata;
  }

  /**
   * Stores a snapshot from a leader, so that its MsgSnap can be stepped. Resolves with a function that deletes the snapshot, to be called if the
   * core does not take it. Rejects with OVERLOADED while another snapshot is being written, and with CODEC_INVALID for one that this node could not
   * restore; the leader tries again.
   */
  async receive(message: Message, content: AsyncIterable<Uint8Array>): Promise<() => Promise<void>> {
    const metadata = message.snapshot?.metadata;
    invariant(metadata !== undefined, "a MsgSnap carries a snapshot");
    if (this.#spooling !== undefined) {
      throw new RaftError("OVERLOADED", "This node is writing another snapshot. Send the snapshot again later.", {
        retryable: true,
      });
    }
    const sink = await this.#exclusive((aborted) => this.#spool(metadata, checkedContent(content), aborted));
    this.#logger.info({ index: metadata.index, term: metadata.term, from: message.from }, "snapshot received");
    return () => sink.abort();
  }

  /** The latest snapshot, for a peer. Undefined when stored snapshots have no state; then {@link capture} makes one. */
  stored(message: Message): SnapshotOffer | undefined {
    const metadata = message.snapshot?.metadata;
    invariant(metadata !== undefined, "a MsgSnap carries a snapshot");
    return this.#isDurable ? undefined : { message, content: this.#storage.openSnapshot(metadata) };
  }

  /**
   * A snapshot of the present state, for a peer that the core offers an older one. The peer's acknowledgement tells the core the newer index. Call it
   * between two batches (N1). The caller must read the content or call `return` on its iterator.
   */
  capture(message: Message): SnapshotOffer {
    const { snapshot } = message;
    invariant(snapshot !== undefined, "a MsgSnap carries a snapshot");
    const content = withHeader(this.#state.header(), this.#executor.snapshot());
    return { message: { ...message, snapshot: { ...snapshot, metadata: this.#state.metadata() } }, content };
  }

  /** Keeps the log behind `index` as for a snapshot that is being sent (N5), until the returned function is called. */
  holdLog(index: LogIndex): () => void {
    const sending = { index };
    this.#sending.add(sending);
    return () => this.#sending.delete(sending);
  }

  /** Streams a snapshot to a peer. Resolves with "finish" when the peer has it, and with "failure" otherwise. */
  async send(channel: GroupChannel, { message, content }: SnapshotOffer): Promise<"finish" | "failure"> {
    const metadata = message.snapshot?.metadata;
    invariant(metadata !== undefined, "a MsgSnap carries a snapshot");
    const fields = { to: message.to as NodeId, index: metadata.index };
    const release = this.holdLog(metadata.index);
    const chunks = content[Symbol.asyncIterator]();
    try {
      const { fixed, totalBytes } = content;
      await channel.sendSnapshot(message, {
        ...(fixed === undefined ? {} : { fixed }),
        ...(totalBytes === undefined ? {} : { totalBytes }),
        [Symbol.asyncIterator]: () => chunks,
      });
      this.#logger.info(fields, "snapshot sent");
      return "finish";
    } catch (error) {
      this.#logger.warn({ ...fields, err: error }, "snapshot could not be sent; it will be tried again");
      return "failure";
    } finally {
      release();
      // A transport that refuses the snapshot does not read it, and the storage keeps the content until its reader ends.
      chunks.return?.().catch(() => {});
    }
  }

  /**
   * Restores state and executor from the storage's snapshot. A snapshot that another one has replaced meanwhile is skipped:
   * the restore of the other one follows. Call it between two batches. Rejects with STATE_MISMATCH when a durable executor lacks commands that the log
   * does not have, and with CODEC_INVALID for a header that this version cannot read.
   */
  async restore(metadata: SnapshotMetadata): Promise<void> {
    const stored = this.#storage.snapshot();
    if (stored !== "unavailable" && stored.metadata.index > metadata.index) return;
    const chunks = this.#storage.openSnapshot(metadata)[Symbol.asyncIterator]();
    try {
      const { header, rest } = await splitHeader(chunks);
      const durable = this.#executor.durableIndex?.() ?? 0;
      if (header.stateIndex !== undefined) checkStateIndex(durable, header.stateIndex);
      else if (durable < metadata.index) await this.#executor.restore(rest, metadata.index);
      this.#state.restore(header, metadata);
    } finally {
      await chunks.return?.();
    }
    this.#lastIndex = metadata.index;
  }

  /** Ends the spooling with `reason`, also while it waits for content (N4). */
  abort(reason: RaftError): void {
    this.#abort?.(reason);
  }

  /** Resolves when no snapshot is being spooled. */
  async idle(): Promise<void> {
    await this.#spooling?.catch(() => {});
  }

  /** Whether the executor's state is durable by itself, so that a stored snapshot needs no state. */
  get #isDurable(): boolean {
    return this.#executor.persist !== undefined;
  }

  /** The header of a snapshot whose state the executor has made durable (N2). */
  async #persisted(header: SnapshotHeader, commandIndex: LogIndex): Promise<SnapshotHeader> {
    const durable = (await this.#executor.persist?.()) ?? 0;
    invariant(
      durable >= commandIndex,
      () => `the executor made its state durable up to ${durable}, though it has applied ${commandIndex} (N2)`,
    );
    return { ...header, stateIndex: commandIndex };
  }

  /** First entry that stays in the log behind a snapshot at `index` (N5). */
  #keptFrom(index: LogIndex): LogIndex {
    let needed = index + 1;
    for (const { index: sent } of this.#sending) needed = Math.min(needed, sent + 1);
    const bound = index + 1 - this.#limits.keepEntriesWhileSending;
    return Math.min(index + 1 - this.#limits.keepEntries, Math.max(needed, bound));
  }

  async #exclusive<Value>(work: (aborted: Promise<never>) => Promise<Value>): Promise<Value> {
    // One promise for each snapshot: a promise that lives as long as the node would keep every reaction on it alive.
    const aborted = new Promise<never>((_, reject) => {
      this.#abort = reject;
    });
    aborted.catch(() => {});
    const spooling = work(aborted);
    this.#spooling = spooling;
    try {
      return await spooling;
    } finally {
      this.#spooling = undefined;
      this.#abort = undefined;
    }
  }

  async #spool(
    metadata: SnapshotMetadata,
    content: AsyncIterable<Uint8Array>,
    aborted: Promise<never>,
  ): Promise<SnapshotSink> {
    const chunks = content[Symbol.asyncIterator]();
    const sink: SnapshotSink = await this.#storage.createSnapshot(metadata);
    try {
      for (;;) {
        const { done, value } = await Promise.race([chunks.next(), aborted]);
        if (done === true) break;
        await sink.write(value);
      }
      await sink.finish();
      return sink;
    } catch (error) {
      // Not awaited, because content that hangs would also hang here.
      chunks.return?.().catch(() => {});
      await sink.abort();
      throw error;
    }
  }
}

/** Throws STATE_MISMATCH if the executor's durable state lacks commands that the log does not have any more. */
function checkStateIndex(durable: LogIndex, needed: LogIndex): void {
  if (durable >= needed) return;
  throw new RaftError(
    "STATE_MISMATCH",
    `The log begins behind command ${needed}, but the state has commands only up to ${durable}: they are not of one data folder. ` +
      "Restore the whole folder from one backup, or remove the node and let it join again with an empty folder.",
    { details: { durable, needed } },
  );
}
