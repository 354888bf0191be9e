/**
 * The only writer of LMDB while a node runs: checkpoints, what must be in LMDB at once, and deletions, in one transaction
 * after the other on LMDB's writer thread.
 *
 * A checkpoint reads the records of the journal that LMDB lacks and makes their changes, a slice with each transaction,
 * always together with the mark that says how far it came. Its last transaction has the checkpoint participants' records
 * (checkpoint.ts).
 *
 * B1. Changes and the mark that counts them are in one transaction; so a crash anywhere repeats whole records, which does
 *     no harm, and skips none.
 * B2. What a checkpoint is to cover is decided when it begins, on the event loop, between two rounds.
 * B3. After a failed transaction nothing is written any more (storage.ts S5).
 */
import { backgroundClock, type Cancel, type Logger } from "@raftoral/raft-core";
import type { Database } from "lmdb";
import { corrupt, isWantOfSpace } from "../errors.ts";
import { MARK_KEY } from "../format/keys.ts";
import type { Journal } from "../journal/journal.ts";
import { encodeMark, type Mark, type Position } from "../journal/mark.ts";
import { visitOperations } from "../journal/operations.ts";
import { RecordReader } from "../journal/record-reader.ts";
import { takeSlice } from "../journal/slices.ts";
import type { CheckpointParticipant, WriteTransaction } from "./checkpoint.ts";
import { CollectedTransaction } from "./collected-transaction.ts";
import { newRound, type Participant, type Round } from "./round.ts";

/** Deletes what nothing refers to any more, a bounded number of records at a time. */
export interface Garbage {
  /**
   * Removes at most `limit` small records, or fewer large ones. Returns how much of the limit it used: all of it,
   * unless nothing is left.
   */
  collect(transaction: WriteTransaction, limit: number): number;
}

/** Records deleted within one transaction: more than a slice adds, too few to be felt. */
const GARBAGE_PER_TRANSACTION = 768;
/** Pause between two transactions that only delete. */
const GARBAGE_PAUSE_MS = 5;

/** What a {@link Checkpointer} needs of the group commit around it. */
export interface CheckpointerHost {
  /** A checkpoint begins: it covers all rounds so far. Returns whom to tell when it is done. */
  begin(): Iterable<{ checkpointed?(): void }>;
  /** Nothing but deletions is under way, and no one else waits for the disk. */
  isIdle(): boolean;
  /** A transaction failed. Returns the error for those who wait. */
  fail(error: unknown): Error;
}

/** Options of a {@link Checkpointer}. */
export interface CheckpointerOptions {
  readonly database: Database<Buffer, Buffer>;
  readonly journal: Journal;
  readonly host: CheckpointerHost;
  readonly logger?: Logger | undefined;
  /** Called before each transaction; what it throws fails it. For tests. */
  readonly beforeTransaction?: (() => void) | undefined;
}

/** A checkpoint under way. */
interface Checkpoint {
  readonly round: Round;
  readonly end: Position;
  readonly reader: RecordReader;
  readonly covered: Iterable<{ checkpointed?(): void }>;
  readonly lengthened: Promise<void>;
}

/** A round that is too large for the journal. */
interface LargeRound {
  readonly content: Buffer;
  readonly round: Round;
}

/**
 * The checkpointer of one environment (B1 to B3). Its promises resolve when LMDB has flushed, and reject when the transaction fails; the host hears
 * of that failure.
 */
export class Checkpointer {
  /** Transactions committed so far. */
  transactions = 0;
  readonly #options: CheckpointerOptions;
  readonly #participants = new Set<CheckpointParticipant>();
  readonly #garbage = new Set<Garbage>();
  #mark: Mark;
  #direct: Round | undefined;
  #wanted: Round | undefined;
  #large: LargeRound | undefined;
  #current: Checkpoint | undefined;
  #running: Promise<void> | undefined;
  #failed = false;
  #sweep: Cancel | undefined;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#mark = options.journal.markAt(options.journal.position);
  }

  addParticipant(participant: CheckpointParticipant): () => void {
    this.#participants.add(participant);
    return () => this.#participants.delete(participant);
  }

  /** Takes part in the next transaction: durable in LMDB, past the journal, when it resolves. */
  store(participant: Participant): Promise<void> {
    this.#direct ??= newRound();
    const round = this.#direct;
    round.participants.add(participant);
    this.#run();
    return round.promise;
  }

  /** Everything that is durable now is in LMDB when it resolves. */
  checkpoint(): Promise<void> {
    this.#wanted ??= newRound();
    const round = this.#wanted;
    this.#run();
    return round.promise;
  }

  /** The checkpoint under way, or else a new one, is done when it resolves. */
  catchUp(): Promise<void> {
    return this.#current?.round.promise ?? this.checkpoint();
  }

  /**
   * Brings a round into LMDB that is too large for the journal, together with all before it. No other round may be written
   * meanwhile. `content` must not change until it resolves.
   */
  async storeLarge(content: Buffer): Promise<void> {
    while (this.#options.journal.isAhead) await this.catchUp();
    const round = newRound();
    this.#large = { content, round };
    this.#run();
    await round.promise;
  }

  /** There is something to delete, when there is time. */
  collect(garbage: Garbage): void {
    this.#garbage.add(garbage);
    this.#sweepLater();
  }

  /** Its owner is gone; the next opening finds again what it had to delete. */
  forget(garbage: Garbage): void {
    this.#garbage.delete(garbage);
  }

  /** Waits for all that was asked for; deletions are left to the next opening. */
  async close(): Promise<void> {
    this.#sweep?.();
    this.#garbage.clear();
    while (this.#running !== undefined) await this.#running;
  }

  /** Ends everything that waits. */
  stop(error: Error): void {
    this.#failed = true;
    this.#sweep?.();
    for (const round of [this.#direct, this.#wanted, this.#large?.round, this.#current?.round]) round?.reject(error);
    this.#direct = undefined;
    this.#wanted = undefined;
    this.#large = undefined;
    this.#current = undefined;
  }

  get #hasWork(): boolean {
    const waiting = this.#direct ?? this.#wanted ?? this.#large ?? this.#current;
    return waiting !== undefined;
  }

  #run(): void {
    if (this.#running !== undefined || this.#failed) return;
    this.#running = this.#work().finally(() => {
      this.#running = undefined;
      if (this.#hasWork) this.#run();
      else this.#sweepLater();
    });
  }

  async #work(): Promise<void> {
    try {
      do await this.#transact();
      while (this.#hasWork && !this.#failed);
    } catch (error) {
      if (!this.#failed) this.#options.host.fail(error);
    }
  }

  /** One transaction, with a share of each kind of work. */
  async #transact(): Promise<void> {
    const { database, journal, beforeTransaction } = this.#options;
    const transaction = new CollectedTransaction();
    let mark: Mark | undefined;
    const large = this.#current === undefined ? this.#large : undefined;
    if (large !== undefined) {
      this.#large = undefined;
      mark = this.#takeLarge(large, transaction);
    } else {
      if (this.#current === undefined && this.#wanted !== undefined) this.#current = this.#begin(this.#wanted);
      if (this.#current !== undefined) mark = await this.#takeShare(this.#current, transaction);
      if (this.#failed) return;
    }
    const finished = this.#current !== undefined && mark?.sequence === this.#current.end.sequence;
    const checkpoint = finished ? this.#current : undefined;
    const direct = this.#direct;
    this.#direct = undefined;
    const participants = checkpoint === undefined ? [] : [...this.#participants];
    try {
      for (const participant of direct?.participants ?? []) participant.writeTo(transaction);
      for (const participant of participants) participant.checkpointTo(transaction);
      this.#collectInto(transaction);
      if (mark !== undefined && !isSame(mark, this.#mark)) transaction.put(MARK_KEY, encodeMark(MARK_KEY, mark));
      beforeTransaction?.();
      if (transaction.size > 0) await transaction.commit(database);
    } catch (error) {
      const failure = this.#options.host.fail(error);
      for (const round of [direct, large?.round]) round?.reject(failure);
      return;
    }
    this.transactions++;
    if (mark !== undefined) {
      this.#mark = mark;
      if (large !== undefined) journal.skip();
      journal.marked(mark);
    }
    for (const participant of direct?.participants ?? []) participant.written?.();
    direct?.resolve();
    large?.round.resolve();
    if (checkpoint === undefined) return;
    this.#current = undefined;
    for (const participant of checkpoint.covered) participant.checkpointed?.();
    for (const participant of participants) participant.checkpointed?.();
    checkpoint.round.resolve();
  }

  /** B2. */
  #begin(round: Round): Checkpoint {
    const { journal, host, logger } = this.#options;
    this.#wanted = undefined;
    const lengthened = journal.lengthenNext().catch((error: unknown) => {
      // Not needed for anything that was promised: the journal stays as small as it is.
      if (!isWantOfSpace(error)) throw error;
      logger?.warn({ path: journal.path, err: error }, "no space to lengthen the journal; checkpoints stay frequent");
    });
    // Awaited with the last slice only.
    lengthened.catch(() => undefined);
    return {
      round,
      end: journal.position,
      reader: new RecordReader(journal, this.#mark),
      covered: host.begin(),
      lengthened,
    };
  }

  /** The next slice of the checkpoint; with the last one, what else belongs to its end. */
  async #takeShare(checkpoint: Checkpoint, transaction: CollectedTransaction): Promise<Mark> {
    const { journal } = this.#options;
    const { reader, end } = checkpoint;
    const result = await takeSlice(reader, end.sequence, transaction);
    if (result === "ended" || result === "damaged") {
      const where = { file: journal.path, record: `journal record ${reader.position.sequence}` };
      throw corrupt(where, "it cannot be read back though it was written by this process");
    }
    if (result === "more") return journal.markAt(reader.position);
    await checkpoint.lengthened;
    // Not where the reader stands: that may be the end of a file, and `end` the beginning of the other.
    return journal.markAt(end);
  }

  #takeLarge(large: LargeRound, transaction: CollectedTransaction): Mark {
    visitOperations(large.content, ({ key, value }) => {
      transaction.take(key, value);
      return true;
    });
    const position = this.#options.journal.position;
    return this.#options.journal.markAt({ ...position, sequence: position.sequence + 1 });
  }

  #collectInto(transaction: WriteTransaction): void {
    let room = GARBAGE_PER_TRANSACTION;
    for (const garbage of this.#garbage) {
      const removed = garbage.collect(transaction, room);
      if (removed < room) this.#garbage.delete(garbage);
      room -= removed;
      if (room <= 0) return;
    }
  }

  #sweepLater(): void {
    if (this.#sweep !== undefined || this.#garbage.size === 0 || this.#failed) return;
    this.#sweep = backgroundClock.after(GARBAGE_PAUSE_MS, () => {
      this.#sweep = undefined;
      // Checkpoints take garbage along; a transaction of its own is for idle times.
      if (this.#running === undefined && this.#options.host.isIdle()) this.#run();
      else this.#sweepLater();
    });
  }
}

function isSame(a: Mark, b: Mark): boolean {
  return (
    a.sequence === b.sequence &&
    a.generation === b.generation &&
    a.page === b.page &&
    a.pages[0] === b.pages[0] &&
    a.pages[1] === b.pages[1]
  );
}
