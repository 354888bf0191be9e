/**
 * The disk of one node without a driver: writes wait until the schedule completes them, one by one and in order, and a crash keeps
 * a prefix of them. The core reads through it.
 */
import { type ConfState, EMPTY_BYTES, type LogIndex, type SnapshotMetadata, type Term } from "@raftoral/raft-core";
import type { Entry, HardState, LogStorage, Message, Missing, Snapshot } from "@raftoral/raft-core/core";
import type { WriteBatch } from "@raftoral/raft-core/storage";
import { LogImage } from "../disk/log-image.ts";
import { Violation } from "../world/violation.ts";

/** A write that was handed to the disk. */
export interface CoreWrite {
  readonly batch: WriteBatch;
  /** Content of the batch's snapshot. */
  readonly content: Uint8Array;
  /** What is to be delivered when it is durable. */
  readonly responses: readonly Message[];
  /** The received snapshot in it. */
  readonly received: Snapshot | undefined;
}

/** The disk of a {@link CoreNode}. It outlives the node's processes. */
export class CoreDisk implements LogStorage {
  readonly platter = new LogImage();
  /** Handed over and not durable, oldest first. */
  readonly writes: CoreWrite[] = [];
  /** How often the core has read entries or terms. */
  reads = 0;
  /** What the core reads: the platter, or an image that is ahead of it. */
  #view: LogImage = this.platter;
  readonly #seesEarly: boolean;
  /** A commit index that is not on the platter and has no write of its own. */
  #lazyHardState: HardState | undefined;
  /** The configuration that a start begins with, where it is not the latest snapshot's. */
  confStateAtStart: ConfState | undefined;

  constructor(seesEarly: boolean) {
    this.#seesEarly = seesEarly;
  }

  /** Puts the beginning of a group on the platter. */
  begin(metadata: SnapshotMetadata, content: Uint8Array, hardState: HardState | undefined): void {
    this.platter.apply({ snapshot: { metadata, reset: true }, ...(hardState && { hardState }) }, [content]);
  }

  /** A process begins to read. */
  open(): void {
    this.#view = this.#seesEarly ? this.platter.copy() : this.platter;
  }

  /** A commit index that had no write of its own rides along. */
  submit(write: CoreWrite): void {
    const hardState = write.batch.hardState ?? this.#lazyHardState;
    this.#lazyHardState = undefined;
    const complete = hardState === undefined ? write : { ...write, batch: { ...write.batch, hardState } };
    this.writes.push(complete);
    if (this.#seesEarly) this.#apply(this.#view, complete);
  }

  /** A hard state that differs in its commit index only, and is not worth a write. */
  submitLazily(hardState: HardState): void {
    this.#lazyHardState = hardState;
  }

  /** Nothing to write, but something to deliver behind the writes before it. */
  submitNothing(responses: readonly Message[]): void {
    this.writes.push({ batch: {}, content: EMPTY_BYTES, responses, received: undefined });
  }

  /** Term, vote and commit as of the last write that was handed over. */
  get latestHardState(): HardState {
    if (this.#lazyHardState !== undefined) return this.#lazyHardState;
    return (
      this.writes.findLast(({ batch }) => batch.hardState !== undefined)?.batch.hardState ?? this.platter.hardState
    );
  }

  /** The oldest write becomes durable, and is returned. */
  complete(): CoreWrite | undefined {
    const write = this.writes.shift();
    if (write !== undefined) this.#apply(this.platter, write);
    return write;
  }

  /** Power is lost. Of the writes that wait, the first `kept` survive. */
  crash(kept: number): void {
    for (const write of this.writes.splice(0).slice(0, kept)) this.#apply(this.platter, write);
    this.#lazyHardState = undefined;
  }

  /** Everything on it is gone. */
  wipe(): void {
    this.writes.length = 0;
    this.#lazyHardState = undefined;
    this.platter.clear();
  }

  initialState() {
    const confState = this.confStateAtStart ?? this.#view.snapshot.metadata.confState;
    return { hardState: this.#view.hardState, confState };
  }

  entries(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[] | Missing {
    this.reads++;
    return this.#view.entries(lo, hi, maxBytes);
  }

  term(index: LogIndex): Term | Missing {
    this.reads++;
    return this.#view.term(index);
  }

  firstIndex(): LogIndex {
    return this.#view.firstIndex;
  }

  lastIndex(): LogIndex {
    return this.#view.lastIndex;
  }

  snapshot(): Snapshot {
    const { snapshot, chunks } = this.#view;
    return { metadata: snapshot.metadata, data: chunks[0] ?? EMPTY_BYTES };
  }

  #apply(image: LogImage, { batch, content }: CoreWrite): void {
    const flaw = image.apply(batch, batch.snapshot === undefined ? [] : [content]);
    if (flaw !== undefined) throw new Violation("storage-contract", flaw);
  }
}
