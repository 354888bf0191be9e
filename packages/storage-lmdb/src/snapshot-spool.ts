/**
 * Contents of a group's snapshots: spooled in pieces, read in pieces, deleted when nobody needs them.
 *
 * P1. A spool is named by a number that is never used twice while its records exist.
 * P2. Content is deleted only when it is not the latest snapshot's and no reader is at it.
 * P3. Nothing is written or deleted after the close: the numbers are the next opening's then, and it finds what is left.
 */
import { invariant, type SnapshotMetadata, type SnapshotSink } from "@raftoral/raft-core";
import type { Database } from "lmdb";
import type { WriteTransaction } from "./checkpoint.ts";
import { corrupt, StorageError } from "./errors.ts";
import type { Garbage, GroupCommit } from "./group-commit.ts";
import { chunkKey } from "./keys.ts";
import { decodeChunk, encodeChunk, isIntact } from "./records.ts";

/** Content is stored in records of this size: large enough to be quick, small enough not to hold up anyone. */
const RECORD_BYTES = 256 * 1024;

/** Content on disk: `chunks` records under one number. */
export interface SpooledContent {
  readonly spool: number;
  readonly chunks: number;
}

export class SnapshotSpool implements Garbage {
  private readonly group: number;
  private readonly file: string;
  private readonly database: Database<Buffer, Buffer>;
  private readonly commit: GroupCommit;
  private readonly finished = new Map<string, SpooledContent>();
  private readonly readers = new Map<number, number>();
  /** Content that is to go, but is still being read. */
  private readonly condemned = new Map<number, SpooledContent>();
  private deleting: { readonly spool: number; chunk: number; readonly chunks: number }[] = [];
  private nextSpool: number;
  private closed = false;

  constructor(options: {
    group: number;
    file: string;
    database: Database<Buffer, Buffer>;
    commit: GroupCommit;
    firstSpool: number;
  }) {
    this.group = options.group;
    this.file = options.file;
    this.database = options.database;
    this.commit = options.commit;
    this.nextSpool = options.firstSpool;
  }

  create(metadata: SnapshotMetadata): SnapshotSink {
    const place = placeOf(metadata);
    const spool = this.nextSpool++;
    let state: "open" | "finished" | "aborted" = "open";
    let chunks = 0;
    let buffered: Uint8Array[] = [];
    let bufferedBytes = 0;
    const store = async (): Promise<void> => {
      if (this.closed) {
        throw new StorageError(
          "STORAGE_CLOSED",
          `${this.file}: group ${this.group} was closed during snapshot ${place}.`,
        );
      }
      const record = Buffer.concat(buffered);
      buffered = [];
      bufferedBytes = 0;
      const key = chunkKey(this.group, spool, chunks++);
      await this.commit.join({ writeTo: (transaction) => transaction.put(key, encodeChunk(key, record)) });
    };
    return {
      write: async (chunk) => {
        invariant(state === "open", () => `snapshot ${place}: a chunk came after it was ${state}`);
        buffered.push(Buffer.from(chunk));
        bufferedBytes += chunk.length;
        if (bufferedBytes >= RECORD_BYTES) await store();
      },
      finish: async () => {
        invariant(state === "open", () => `snapshot ${place}: finished after it was ${state}`);
        state = "finished";
        if (bufferedBytes > 0) await store();
        const before = this.finished.get(place);
        this.finished.set(place, { spool, chunks });
        if (before !== undefined) this.discard(before);
      },
      abort: async () => {
        if (state === "aborted") return;
        if (state === "finished") {
          // Once a batch has named it, or a second attempt replaced it, it is not ours to drop.
          if (this.finished.get(place)?.spool !== spool) return;
          this.finished.delete(place);
        }
        state = "aborted";
        buffered = [];
        this.discard({ spool, chunks });
      },
    };
  }

  /** Finished content of a snapshot that no batch has named yet. */
  find(metadata: SnapshotMetadata): SpooledContent | undefined {
    return this.finished.get(placeOf(metadata));
  }

  /** A batch names the content: it is the snapshot's from now on. */
  adopt(metadata: SnapshotMetadata): void {
    this.finished.delete(placeOf(metadata));
  }

  /** Nothing refers to the content any more; it goes as soon as nobody reads it. */
  discard(content: SpooledContent): void {
    if (content.chunks === 0 || this.closed) return;
    if ((this.readers.get(content.spool) ?? 0) > 0) {
      this.condemned.set(content.spool, content);
      return;
    }
    this.deleting.push({ spool: content.spool, chunk: 0, chunks: content.chunks });
    this.commit.collect(this);
  }

  /** Reads content in order, checking every chunk. It stays on disk from this call until the reader ends (P2). */
  read(content: SpooledContent): AsyncIterableIterator<Uint8Array> {
    this.readers.set(content.spool, (this.readers.get(content.spool) ?? 0) + 1);
    let chunk = 0;
    let ended = false;
    const end = (): void => {
      if (!ended) this.release(content.spool);
      ended = true;
    };
    const reader: AsyncIterableIterator<Uint8Array> = {
      [Symbol.asyncIterator]: () => reader,
      next: async () => {
        if (ended || chunk >= content.chunks) {
          end();
          return { done: true, value: undefined };
        }
        try {
          return { done: false, value: this.readChunk(content.spool, chunk++) };
        } catch (error) {
          end();
          throw error;
        }
      },
      return: async () => {
        end();
        return { done: true, value: undefined };
      },
    };
    return reader;
  }

  /** P3. */
  close(): void {
    this.closed = true;
    this.commit.forget(this);
  }

  collect(transaction: WriteTransaction, limit: number): number {
    // A chunk is a thousand times as large as an entry.
    const most = Math.max(1, Math.floor(limit / 16));
    let removed = 0;
    while (removed < most) {
      const current = this.deleting[0];
      if (current === undefined) return removed;
      if (current.chunk >= current.chunks) {
        this.deleting.shift();
        continue;
      }
      transaction.remove(chunkKey(this.group, current.spool, current.chunk));
      current.chunk++;
      removed++;
    }
    return limit;
  }

  private readChunk(spool: number, chunk: number): Uint8Array {
    const key = chunkKey(this.group, spool, chunk);
    const record = this.database.getBinary(key);
    if (record !== undefined && isIntact(key, record)) return decodeChunk(record);
    const where = { file: this.file, group: this.group, record: `snapshot chunk ${chunk}`, index: chunk };
    throw corrupt(where, record === undefined ? "missing" : "wrong checksum");
  }

  private release(spool: number): void {
    const left = (this.readers.get(spool) ?? 1) - 1;
    if (left > 0) {
      this.readers.set(spool, left);
      return;
    }
    this.readers.delete(spool);
    const content = this.condemned.get(spool);
    if (content === undefined) return;
    this.condemned.delete(spool);
    this.discard(content);
  }
}

function placeOf(metadata: SnapshotMetadata): string {
  return `${metadata.index}/${metadata.term}`;
}
