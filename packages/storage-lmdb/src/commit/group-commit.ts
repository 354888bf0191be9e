/**
 * One journal record, and with it one wait for the disk, for everything that is to be written at a moment by all groups of
 * the environment.
 *
 * G1. At most one round is being written at a time. What comes meanwhile goes into the next one.
 * G2. A participant's promise resolves only after its round is flushed: in the journal, or in LMDB where the journal is too
 *     small for it.
 * G3. After a failed write, of a round or of a checkpoint, nothing is written any more (storage.ts S5).
 * G4. While LMDB has not caught up and the journal has no room, rounds wait: memory and journal stay bounded.
 *
 * A round starts two turns of the event loop after the first write joined it, so that all that happens in the turn is in it,
 * and frames queued for peers in the turn are on their way before the disk is waited for: Node hands an HTTP/2 frame to the
 * socket one turn after it was written, and a leader that flushes before that makes its followers wait for its disk.
 */
import { backgroundClock, type Cancel, type Logger } from "@raftoral/raft-core";
import type { Database } from "lmdb";
import { StorageError, writeFailure } from "../errors.ts";
import type { Journal } from "../journal/journal.ts";
import { OperationWriter } from "../journal/operations.ts";
import type { CheckpointParticipant } from "./checkpoint.ts";
import { Checkpointer, type Garbage } from "./checkpointer.ts";
import { type FlushMode, FlushPace } from "./flush-pace.ts";
import { newRound, type Participant, type Round } from "./round.ts";
import type { StorageProbe } from "./storage-probe.ts";

/** Options of a {@link GroupCommit}. */
export interface GroupCommitOptions {
  readonly database: Database<Buffer, Buffer>;
  readonly journal: Journal;
  /** LMDB's file, for messages. */
  readonly file: string;
  readonly mode: FlushMode;
  /** After this long without a round (milliseconds), a checkpoint is made. */
  readonly checkpointIdleMs: number;
  readonly logger?: Logger | undefined;
  /** Called before each round is written; what it throws fails the round. For tests. */
  readonly beforeCommit?: (() => void) | undefined;
  /** Called before each transaction of LMDB; what it throws fails it. For tests. */
  readonly beforeCheckpoint?: (() => void) | undefined;
}

/** The group commit of one environment (G1 to G4). After `failure` is set, every write rejects with it. */
export class GroupCommit {
  /** Rounds written so far. */
  rounds = 0;
  /** Why nothing is written any more; undefined while all is well. */
  failure: StorageError | undefined;
  /** Told of every round that is on the disk. */
  probe: StorageProbe | undefined;
  readonly #options: GroupCommitOptions;
  readonly #journal: Journal;
  readonly #checkpointer: Checkpointer;
  readonly #operations = new OperationWriter();
  readonly #pace: FlushPace;
  /** Who wrote since the last checkpoint began. */
  #unsaved = new Set<Participant>();
  #next: Round | undefined;
  #running: Promise<void> | undefined;
  #scheduled = false;
  #idle: Cancel | undefined;
  #lastRoundMs = 0;

  constructor(options: GroupCommitOptions) {
    const { database, journal, logger } = options;
    this.#options = options;
    this.#journal = journal;
    this.#pace = new FlushPace(options.mode);
    this.#checkpointer = new Checkpointer({
      database,
      journal,
      logger,
      beforeTransaction: options.beforeCheckpoint,
      host: {
        begin: () => this.#beginCheckpoint(),
        isIdle: () => this.#running === undefined && this.#next === undefined,
        fail: (error) => this.#end(writeFailure(options.file, error)),
      },
    });
  }

  /** Where the next round will wait for the disk. */
  get flushing(): "blocking" | "background" {
    return this.#pace.current;
  }

  /** Transactions of LMDB so far. */
  get transactions(): number {
    return this.#checkpointer.transactions;
  }

  /** Whether LMDB lacks something that is durable. */
  get isAhead(): boolean {
    return this.#journal.isAhead;
  }

  /** Takes part in the next round; resolves when it is durable, rejects with a StorageError when it is not. */
  join(participant: Participant): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.#next ??= newRound();
    this.#next.participants.add(participant);
    this.#schedule();
    return this.#next.promise;
  }

  /** As {@link join}, but into LMDB at once: for what is large, and nothing that rounds change. */
  store(participant: Participant): Promise<void> {
    return this.failure === undefined ? this.#checkpointer.store(participant) : Promise.reject(this.failure);
  }

  /** Its records are written with every checkpoint, until the returned function is called. */
  addCheckpointParticipant(participant: CheckpointParticipant): () => void {
    return this.#checkpointer.addParticipant(participant);
  }

  /** Resolves when all that was durable before, and the checkpoint participants' records, are in LMDB. */
  checkpoint(): Promise<void> {
    return this.failure === undefined ? this.#checkpointer.checkpoint() : Promise.reject(this.failure);
  }

  /** There is something to delete, when there is time. Nothing that LMDB or the journal still needs. */
  collect(garbage: Garbage): void {
    this.#checkpointer.collect(garbage);
  }

  /** Its owner is gone; the next opening finds again what it had to delete. */
  forget(garbage: Garbage): void {
    this.#checkpointer.forget(garbage);
  }

  /** Waits for what has been joined, brings all of it into LMDB, and refuses everything from then on. */
  async close(): Promise<void> {
    while (this.#next !== undefined || this.#running !== undefined) {
      await (this.#next?.promise ?? this.#running)?.catch(() => undefined);
    }
    this.#idle?.();
    // Without it the next opening would do the same.
    if (this.failure === undefined) await this.checkpoint().catch(() => undefined);
    await this.#checkpointer.close();
    this.failure ??= new StorageError(
      "STORAGE_CLOSED",
      `${this.#options.file}: the storage was closed before this write. Open the data folder again to write.`,
    );
  }

  #schedule(): void {
    if (this.#scheduled || this.#running !== undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      setImmediate(() => {
        this.#scheduled = false;
        this.#flush();
      });
    });
  }

  #flush(): void {
    const round = this.#next;
    if (round === undefined) return;
    this.#next = undefined;
    try {
      this.#operations.reset();
      for (const participant of round.participants) participant.writeTo(this.#operations);
      this.#options.beforeCommit?.();
      const background = this.#write();
      if (background === undefined) this.#succeed(round);
      else {
        this.#running = background.then(
          () => this.#succeed(round),
          (error: unknown) => this.#fail(round, error),
        );
      }
    } catch (error) {
      this.#fail(round, error);
    }
  }

  /** Makes the operations durable; at once where it returns nothing. */
  #write(): Promise<void> | undefined {
    if (this.#operations.count === 0) return undefined;
    const content = this.#operations.content;
    const startedMs = performance.now();
    if (this.#journal.makeRoom(content.length) !== "ready") {
      // What is waited for here says nothing of how quick the disk flushes.
      return this.#writeLater(content).then(() => this.probe?.flushed(performance.now() - startedMs));
    }
    if (this.#pace.current === "blocking") {
      this.#journal.appendBlocking(content);
      this.#measure(startedMs);
      return undefined;
    }
    return this.#journal.appendInBackground(content).then(() => this.#measure(startedMs));
  }

  /** G4, and rounds that no file of the journal can take. */
  async #writeLater(content: Buffer): Promise<void> {
    for (;;) {
      const room = this.#journal.makeRoom(content.length);
      if (room === "ready") return this.#journal.appendInBackground(content);
      if (room === "too large") return this.#checkpointer.storeLarge(content);
      await this.#checkpointer.catchUp();
    }
  }

  #measure(startedMs: number): void {
    const tookMs = performance.now() - startedMs;
    this.#pace.record(tookMs);
    this.probe?.flushed(tookMs);
  }

  #succeed(round: Round): void {
    this.#running = undefined;
    if (this.#operations.count > 0) this.rounds++;
    for (const participant of round.participants) {
      participant.written?.();
      if (participant.checkpointing !== undefined || participant.checkpointed !== undefined) {
        this.#unsaved.add(participant);
      }
    }
    round.resolve();
    if (this.failure !== undefined) return;
    if (this.#journal.wantsCheckpoint) void this.#checkpointer.catchUp();
    this.#lastRoundMs = performance.now();
    if (this.#idle === undefined) this.#checkpointWhenIdle(this.#options.checkpointIdleMs);
    if (this.#next !== undefined) this.#schedule();
  }

  #checkpointWhenIdle(afterMs: number): void {
    this.#idle = backgroundClock.after(afterMs, () => {
      this.#idle = undefined;
      if (this.failure !== undefined) return;
      const leftMs = this.#options.checkpointIdleMs - (performance.now() - this.#lastRoundMs);
      if (this.#running !== undefined || leftMs > 1) this.#checkpointWhenIdle(Math.max(leftMs, 1));
      else void this.#checkpointer.checkpoint();
    });
  }

  #beginCheckpoint(): Iterable<Participant> {
    const covered = this.#unsaved;
    this.#unsaved = new Set();
    for (const participant of covered) participant.checkpointing?.();
    return covered;
  }

  #fail(round: Round, error: unknown): void {
    this.#running = undefined;
    round.reject(this.#end(writeFailure(this.#journal.path, error)));
  }

  /** G3. */
  #end(failure: StorageError): StorageError {
    this.failure ??= failure;
    this.#idle?.();
    this.#checkpointer.stop(this.failure);
    this.#next?.reject(this.failure);
    this.#next = undefined;
    return this.failure;
  }
}
