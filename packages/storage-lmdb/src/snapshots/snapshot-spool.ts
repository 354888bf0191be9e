/**
 * Contents of a group's snapshots, a file each: spooled in pieces, read in pieces, deleted when they are not needed any more.
 *
 * P1. A spool is named by a number that is never used twice while its file exists.
 * P2. Content is deleted only when it is not the latest snapshot's, on disk as well as in memory, and no reader is at it.
 * P3. Nothing is written or deleted after the close: what is left is the next opening's, which finds it.
 */
import { mkdir, readdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { invariant, type SnapshotMetadata } from "@raftoral/raft-core";
import type { FixedContent, SnapshotSink } from "@raftoral/raft-core/storage";
import { corrupt, StorageError, writeFailure } from "../errors.ts";
import {
  DamagedRecord,
  flushFolder,
  readSnapshotFile,
  type SnapshotFileIndex,
  SnapshotFileReader,
  SnapshotFileWriter,
} from "./snapshot-file.ts";
import type { SnapshotHold } from "./snapshot-hold.ts";

/** Content on disk: `chunks` records under one number; 0 for none. */
export interface SpooledContent {
  readonly spool: number;
  readonly chunks: number;
}

/** Content as a reader gets it: once by itself, and from any offset as long as that first reader has not ended. */
export interface StoredContent extends AsyncIterableIterator<Uint8Array> {
  readonly fixed: FixedContent;
}

/** Options of a {@link SnapshotSpool}. */
export interface SnapshotSpoolOptions {
  readonly group: number;
  /** Where contents are; created when it is absent. */
  readonly folder: string;
  /** The latest snapshot's. */
  readonly latest: SpooledContent;
  /** What the latest snapshot is called, for messages. */
  readonly latestPlace: string;
  /** While it is held, nothing is deleted. */
  readonly hold: SnapshotHold;
}

const EMPTY_INDEX: SnapshotFileIndex = Object.freeze({ totalBytes: 0, crc32: 0, records: new Uint32Array(0) });

/** The spool of one group (P1 to P3). */
export class SnapshotSpool {
  readonly #group: number;
  readonly #folder: string;
  readonly #hold: SnapshotHold;
  readonly #sweep = (): void => this.#deleteCondemned();
  /** Finished files, by number. */
  readonly #indexes = new Map<number, SnapshotFileIndex>();
  /** Finished content that no batch has named yet, by place. */
  readonly #finished = new Map<string, SpooledContent>();
  readonly #readers = new Map<number, number>();
  /** Content that is to go, but is still being read or held. */
  readonly #condemned = new Set<number>();
  readonly #writers = new Set<SnapshotFileWriter>();
  readonly #open = new Set<SnapshotFileReader>();
  /** File operations that only the close waits for. */
  readonly #pending = new Set<Promise<unknown>>();
  #nextSpool: number;
  #closed = false;

  private constructor(
    { group, folder, latest, hold }: SnapshotSpoolOptions,
    index: SnapshotFileIndex,
    nextSpool: number,
  ) {
    this.#group = group;
    this.#folder = folder;
    this.#hold = hold;
    this.#nextSpool = nextSpool;
    if (latest.spool > 0) this.#indexes.set(latest.spool, index);
  }

  /** Checks the latest content and deletes what a crash has left. Throws StorageError STORAGE_CORRUPT. */
  static async open(options: SnapshotSpoolOptions): Promise<SnapshotSpool> {
    const { group, folder, latest } = options;
    // The folder's own name must be durable before what is in it counts.
    if ((await mkdir(folder, { recursive: true })) !== undefined) await flushFolder(dirname(folder));
    const spools = (await readdir(folder)).flatMap((name) => spoolOf(name, group));
    let index: SnapshotFileIndex | string = EMPTY_INDEX;
    if (latest.spool > 0) {
      index = await readSnapshotFile(
        join(folder, nameOf(group, latest.spool)),
        { group, spool: latest.spool },
        latest.chunks,
      );
    }
    if (typeof index === "string")
      throw corrupt({ file: folder, group, record: `snapshot ${options.latestPlace}` }, index);
    const spool = new SnapshotSpool(options, index, 1 + Math.max(latest.spool, ...spools));
    for (const left of spools) if (left !== latest.spool) spool.discard({ spool: left, chunks: 0 });
    return spool;
  }

  async create(metadata: SnapshotMetadata): Promise<SnapshotSink> {
    const place = placeOf(metadata);
    const spool = this.#nextSpool++;
    let state: "open" | "finished" | "aborted" = "open";
    const creating = SnapshotFileWriter.create(this.#pathOf(spool), { group: this.#group, spool });
    const writer = await this.#write(this.#track(creating), spool);
    this.#writers.add(writer);
    if (this.#closed) await this.#retire(writer);
    const assertOpen = (what: string): void => {
      if (this.#closed) throw this.#closedError(`during snapshot ${place}`);
      invariant(state === "open", () => `snapshot ${place}: ${what} after it was ${state}`);
    };
    return {
      write: async (chunk) => {
        assertOpen("a chunk came");
        await this.#write(writer.write(chunk), spool);
      },
      finish: async () => {
        assertOpen("finished");
        state = "finished";
        const index = await this.#write(writer.finish(), spool);
        this.#writers.delete(writer);
        if (this.#closed) throw this.#closedError(`during snapshot ${place}`);
        // Given up while it was being flushed.
        if ((state as string) === "aborted") return;
        this.#indexes.set(spool, index);
        const before = this.#finished.get(place);
        this.#finished.set(place, { spool, chunks: index.records.length });
        if (before !== undefined) this.discard(before);
      },
      abort: async () => {
        if (state === "aborted") return;
        if (this.#indexes.has(spool)) {
          // Once a batch has named it, or a second attempt replaced it, it is not ours to drop.
          if (this.#finished.get(place)?.spool !== spool) return;
          this.#finished.delete(place);
        }
        state = "aborted";
        await this.#retire(writer);
        this.discard({ spool, chunks: 0 });
      },
    };
  }

  /** Finished content of a snapshot that no batch has named yet. */
  find(metadata: SnapshotMetadata): SpooledContent | undefined {
    return this.#finished.get(placeOf(metadata));
  }

  /** A batch names the content: it is the snapshot's from now on. */
  adopt(metadata: SnapshotMetadata): void {
    this.#finished.delete(placeOf(metadata));
  }

  /** Nothing refers to the content any more, on disk neither; it goes as soon as it has no reader. */
  discard({ spool }: SpooledContent): void {
    if (spool === 0 || this.#closed) return;
    if ((this.#readers.get(spool) ?? 0) === 0 && !this.#hold.isHeld) {
      this.#delete(spool);
      return;
    }
    this.#condemned.add(spool);
    if (this.#hold.isHeld) this.#hold.whenReleased(this.#sweep);
  }

  /** Reads content in order, checking every record. It stays on disk from this call until the reader ends (P2). */
  read({ spool }: SpooledContent): StoredContent {
    const index = spool === 0 ? EMPTY_INDEX : this.#indexes.get(spool);
    invariant(index !== undefined, () => `group ${this.#group}: there is no content ${spool}`);
    return Object.assign(this.#reader(spool, index), {
      fixed: {
        totalBytes: index.totalBytes,
        crc32: index.crc32,
        from: (offset: number) => {
          invariant(
            offset >= 0 && offset <= index.totalBytes,
            () => `there is no offset ${offset} in content ${spool}`,
          );
          return this.#reader(spool, index, { offset, reusesMemory: true });
        },
      },
    });
  }

  /** P3. Resolves when no file is open any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open].map((reader) => reader.close()));
    await Promise.all([...this.#writers].map((writer) => this.#retire(writer)));
    await Promise.allSettled(this.#pending);
  }

  #reader(
    spool: number,
    index: SnapshotFileIndex,
    options: { readonly offset: number; readonly reusesMemory: boolean } = { offset: 0, reusesMemory: false },
  ): AsyncIterableIterator<Uint8Array> {
    const file = new SnapshotFileReader(this.#pathOf(spool), index, options);
    this.#open.add(file);
    this.#readers.set(spool, (this.#readers.get(spool) ?? 0) + 1);
    let ended = false;
    const end = async (): Promise<void> => {
      if (ended) return;
      ended = true;
      await file.close();
      this.#open.delete(file);
      this.#release(spool);
    };
    const reader: AsyncIterableIterator<Uint8Array> = {
      [Symbol.asyncIterator]: () => reader,
      next: async () => {
        if (ended) return { done: true, value: undefined };
        try {
          if (this.#closed) throw this.#closedError("while a snapshot was read");
          const value = await file.next();
          if (value !== undefined) return { done: false, value };
          await end();
          return { done: true, value: undefined };
        } catch (error) {
          await end();
          throw error instanceof DamagedRecord ? this.#damaged(spool, error) : error;
        }
      },
      return: async () => {
        await end();
        return { done: true, value: undefined };
      },
    };
    return reader;
  }

  #release(spool: number): void {
    const left = (this.#readers.get(spool) ?? 1) - 1;
    if (left > 0) {
      this.#readers.set(spool, left);
      return;
    }
    this.#readers.delete(spool);
    if (this.#condemned.delete(spool)) this.discard({ spool, chunks: 0 });
  }

  #deleteCondemned(): void {
    for (const spool of this.#condemned) {
      if ((this.#readers.get(spool) ?? 0) > 0) continue;
      this.#condemned.delete(spool);
      this.discard({ spool, chunks: 0 });
    }
  }

  /** Not waited for: a file that stays costs space only, until the next opening finds it. */
  #delete(spool: number): void {
    this.#indexes.delete(spool);
    this.#track(unlink(this.#pathOf(spool))).catch(() => undefined);
  }

  async #retire(writer: SnapshotFileWriter): Promise<void> {
    await writer.close();
    this.#writers.delete(writer);
  }

  #track<Value>(work: Promise<Value>): Promise<Value> {
    this.#pending.add(work);
    const done = () => this.#pending.delete(work);
    work.then(done, done);
    return work;
  }

  /** A failure of the disk as this package's error. */
  async #write<Value>(work: Promise<Value>, spool: number): Promise<Value> {
    try {
      return await work;
    } catch (error) {
      throw this.#closed ? this.#closedError("before this write") : writeFailure(this.#pathOf(spool), error);
    }
  }

  #closedError(when: string): StorageError {
    return new StorageError("STORAGE_CLOSED", `${this.#folder}: group ${this.#group} was closed ${when}.`);
  }

  #damaged(spool: number, { record, message }: DamagedRecord): StorageError {
    const where = { file: this.#pathOf(spool), group: this.#group, record: `snapshot chunk ${record}`, index: record };
    return corrupt(where, message);
  }

  #pathOf(spool: number): string {
    return join(this.#folder, nameOf(this.#group, spool));
  }
}

function nameOf(group: number, spool: number): string {
  return `${group}-${spool}.snapshot`;
}

/** The number in a file's name, if the file is the group's. */
function spoolOf(name: string, group: number): number[] {
  const match = /^(\d+)-(\d+)\.snapshot$/.exec(name);
  return match !== null && Number(match[1]) === group ? [Number(match[2])] : [];
}

function placeOf(metadata: SnapshotMetadata): string {
  return `${metadata.index}/${metadata.term}`;
}
