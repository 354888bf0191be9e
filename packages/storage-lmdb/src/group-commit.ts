/**
 * One transaction for everything that is to be written at a moment, by all groups of the environment.
 *
 * G1. At most one transaction at a time. What comes meanwhile goes into the next one.
 * G2. A participant's promise resolves only after the commit returned, which LMDB does once data and meta page are
 *     flushed.
 * G3. After a failed transaction nothing is written any more (S5).
 *
 * A transaction starts two turns of the event loop after the first write joined it, so that all that happens in the
 * turn is in it, and frames queued for peers in the turn are on their way before the disk is waited for: Node hands an
 * HTTP/2 frame to the socket one turn after it was written, and a leader that flushes before that makes its followers
 * wait for its disk.
 */
import type { Database } from "lmdb";
import type { CheckpointParticipant, WriteTransaction } from "./checkpoint.ts";
import { StorageError, writeFailure } from "./errors.ts";
import { type FlushMode, FlushPace } from "./flush-pace.ts";
import type { StorageProbe } from "./storage-probe.ts";

export interface Participant {
  /** Writes everything that is not yet written. Must not fail but by a broken invariant. */
  writeTo(transaction: WriteTransaction): void;
  /** What was written is durable. */
  written?(): void;
}

/** Deletes what nothing refers to any more, a bounded number of records at a time. */
export interface Garbage {
  /**
   * Removes at most `limit` small records, or fewer large ones. Returns how much of the limit it used: all of it,
   * unless nothing is left.
   */
  collect(transaction: WriteTransaction, limit: number): number;
}

/** Records deleted within one transaction: enough to keep up, too few to be felt. */
const GARBAGE_PER_TRANSACTION = 256;
/** Pause between two transactions that only delete. */
const GARBAGE_PAUSE_MS = 5;

export interface GroupCommitOptions {
  readonly file: string;
  readonly mode: FlushMode;
  /** Called in every transaction before it commits; what it throws fails the transaction. For tests. */
  readonly beforeCommit?: (() => void) | undefined;
}

interface Round {
  readonly participants: Set<Participant>;
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

export class GroupCommit {
  /** Transactions committed so far. */
  transactions = 0;
  /** Why nothing is written any more; undefined while all is well. */
  failure: StorageError | undefined;
  /** Told of every transaction that is on the disk. */
  probe: StorageProbe | undefined;
  private readonly database: Database<Buffer, Buffer>;
  private readonly options: GroupCommitOptions;
  private readonly garbage = new Set<Garbage>();
  private readonly checkpointParticipants = new Set<CheckpointParticipant>();
  private readonly blocking: BlockingTransaction;
  private readonly pace: FlushPace;
  private next: Round | undefined;
  private running: Promise<void> | undefined;
  private scheduled = false;
  private sweep: NodeJS.Timeout | undefined;

  constructor(database: Database<Buffer, Buffer>, options: GroupCommitOptions) {
    this.database = database;
    this.options = options;
    this.blocking = new BlockingTransaction(database);
    this.pace = new FlushPace(options.mode);
  }

  /** Where the next transaction will wait for the disk. */
  get flushing(): "blocking" | "background" {
    return this.pace.current;
  }

  /** Takes part in the next transaction; resolves when it is durable, rejects with a StorageError when it is not. */
  join(participant: Participant): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.next ??= newRound();
    this.next.participants.add(participant);
    this.schedule();
    return this.next.promise;
  }

  /** Its records are written with every checkpoint, until the returned function is called. */
  addCheckpointParticipant(participant: CheckpointParticipant): () => void {
    this.checkpointParticipants.add(participant);
    return () => this.checkpointParticipants.delete(participant);
  }

  /** Resolves when all that was written before, and the checkpoint participants' records, are in LMDB. */
  checkpoint(): Promise<void> {
    const participants = [...this.checkpointParticipants];
    return this.join({
      writeTo: (transaction) => {
        for (const participant of participants) participant.checkpointTo(transaction);
      },
      written: () => {
        for (const participant of participants) participant.checkpointed?.();
      },
    });
  }

  /** There is something to delete, when there is time. */
  collect(garbage: Garbage): void {
    this.garbage.add(garbage);
    this.sweepLater();
  }

  /** It has an owner no more; the next opening finds again what it had to delete. */
  forget(garbage: Garbage): void {
    this.garbage.delete(garbage);
  }

  /** Waits for what has been joined, and refuses everything from then on. */
  async close(): Promise<void> {
    clearTimeout(this.sweep);
    this.garbage.clear();
    while (this.next !== undefined || this.running !== undefined) {
      await (this.next?.promise ?? this.running)?.catch(() => undefined);
    }
    this.failure ??= new StorageError(
      "STORAGE_CLOSED",
      `${this.options.file}: the storage was closed before this write.`,
    );
  }

  private schedule(): void {
    if (this.scheduled || this.running !== undefined) return;
    this.scheduled = true;
    setImmediate(() => {
      setImmediate(() => {
        this.scheduled = false;
        this.flush();
      });
    });
  }

  private sweepLater(): void {
    if (this.sweep !== undefined || this.garbage.size === 0 || this.failure !== undefined) return;
    this.sweep = setTimeout(() => {
      this.sweep = undefined;
      // Whatever is written anyway takes garbage along; a transaction of its own is for idle times.
      if (this.running === undefined && this.next === undefined && this.failure === undefined) this.flush();
      this.sweepLater();
    }, GARBAGE_PAUSE_MS);
    this.sweep.unref();
  }

  private flush(): void {
    const round = this.next ?? newRound();
    this.next = undefined;
    const startedMs = performance.now();
    if (this.pace.current === "background") {
      this.running = this.commitInBackground(round).then(
        () => this.succeed(round, startedMs),
        (error) => this.fail(round, error),
      );
      return;
    }
    try {
      this.database.transactionSync(() => this.fill(round, this.blocking));
    } catch (error) {
      this.fail(round, error);
      return;
    }
    this.succeed(round, startedMs);
  }

  private fill(round: Round, transaction: WriteTransaction): void {
    for (const participant of round.participants) participant.writeTo(transaction);
    let room = GARBAGE_PER_TRANSACTION;
    for (const garbage of this.garbage) {
      const removed = garbage.collect(transaction, room);
      if (removed < room) this.garbage.delete(garbage);
      room -= removed;
      if (room <= 0) break;
    }
    this.options.beforeCommit?.();
  }

  /** Collects the changes first: a batch that LMDB has begun is committed even if an exception ends it half-way. */
  private async commitInBackground(round: Round): Promise<void> {
    const changes = new CollectedTransaction();
    this.fill(round, changes);
    try {
      await this.database.batch(() => changes.replay(this.database));
    } catch (error) {
      // lmdb-js rejects with a general error that holds a promise, which rejects with the reason.
      const reason = (error as { commitError?: Promise<never> }).commitError;
      throw (await reason?.catch((cause: unknown) => cause)) ?? error;
    }
  }

  private succeed(round: Round, startedMs: number): void {
    this.running = undefined;
    this.transactions++;
    const tookMs = performance.now() - startedMs;
    this.pace.record(tookMs);
    this.probe?.flushed(tookMs);
    for (const participant of round.participants) participant.written?.();
    round.resolve();
    if (this.next !== undefined) this.schedule();
    this.sweepLater();
  }

  private fail(round: Round, error: unknown): void {
    this.running = undefined;
    this.failure = writeFailure(this.options.file, error);
    clearTimeout(this.sweep);
    round.reject(this.failure);
    this.next?.reject(this.failure);
    this.next = undefined;
  }
}

function newRound(): Round {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Garbage alone has no one who waits for it; a failure is reported to the next who writes.
  promise.catch(() => undefined);
  return { participants: new Set(), promise, resolve, reject };
}

/** Writes straight into LMDB's pages; one buffer serves all values, for `put` has copied it when it returns. */
class BlockingTransaction implements WriteTransaction {
  private readonly database: Database<Buffer, Buffer>;
  private scratch: Buffer = Buffer.allocUnsafeSlow(64 * 1024);

  constructor(database: Database<Buffer, Buffer>) {
    this.database = database;
  }

  put(key: Buffer, value: Buffer): void {
    this.database.putSync(key, value);
  }

  remove(key: Buffer): void {
    this.database.removeSync(key);
  }

  buffer(bytes: number): Buffer {
    if (bytes > this.scratch.length) this.scratch = Buffer.allocUnsafeSlow(bytes);
    return this.scratch.subarray(0, bytes);
  }
}

/** Remembers changes, to hand them to LMDB's writer thread in one go. */
class CollectedTransaction implements WriteTransaction {
  private readonly keys: Buffer[] = [];
  private readonly values: (Buffer | undefined)[] = [];

  put(key: Buffer, value: Buffer): void {
    this.keys.push(Buffer.from(key));
    this.values.push(value);
  }

  remove(key: Buffer): void {
    this.keys.push(Buffer.from(key));
    this.values.push(undefined);
  }

  buffer(bytes: number): Buffer {
    return Buffer.allocUnsafe(bytes);
  }

  replay(database: Database<Buffer, Buffer>): void {
    for (let i = 0; i < this.keys.length; i++) {
      const key = this.keys[i] as Buffer;
      const value = this.values[i];
      // The batch as a whole tells how it went.
      if (value === undefined) void database.remove(key);
      else void database.put(key, value);
    }
  }
}
