/**
 * The journal: what makes a round durable with a single wait for the disk. LMDB follows with checkpoints.
 *
 * Two files take turns. Each round appends one record (record.ts) to the file in use; when the next record does not fit, the
 * other file is begun under the next generation, as soon as LMDB holds everything that it contained.
 *
 * W1. At most one record is being written at a time, and none after one that failed.
 * W2. Sequence numbers of records are contiguous, over both files and over rounds that went straight into LMDB.
 * W3. A file is written to under a new generation only when LMDB's mark, durable, is past everything in it.
 * W4. Each opening begins a generation that no sector of the files can be of, so that what a crash left is told apart from
 *     what is written now.
 *
 * Files begin small and double when their turn comes, up to the configured size: a node that writes little takes little.
 */
import { randomBytes } from "node:crypto";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { invariant } from "@raftoral/raft-core";
import { corrupt } from "../errors.ts";
import { JournalFile } from "./journal-file.ts";
import type { Mark, Position } from "./mark.ts";
import { PAGE_BYTES, pagesFor, RecordWriter } from "./record.ts";
import { fileOf, type JournalFiles } from "./record-reader.ts";

/** Size that each file begins with. */
const INITIAL_BYTES = 1024 * 1024;
/** A file is lengthened only if there is this many times as much space as it takes. */
const ROOM_FACTOR = 8;
/** The smallest size that can be configured for a file. */
export const SMALLEST_JOURNAL_BYTES: number = 4 * PAGE_BYTES;

/** What stands in the way of the next record. */
export type Room =
  /** Nothing. */
  | "ready"
  /** LMDB does not hold yet what is in the file that is to be used next. */
  | "full"
  /** It is larger than the file that is to be used next. */
  | "too large";

/** The journal of one environment (W1 to W4). */
export class Journal implements JournalFiles {
  readonly journalId: bigint;
  readonly files: readonly [JournalFile, JournalFile];
  readonly #writer: RecordWriter;
  readonly #maxPages: number;
  readonly #sizes: [number, number];
  #generation: number;
  #page: number;
  #sequence: number;
  /** LMDB holds all records before this one, durably, and looks for it in this generation and the one after. */
  #markedSequence: number;
  #markedGeneration: number;

  private constructor(files: readonly [JournalFile, JournalFile], mark: Mark, maxBytes: number) {
    invariant(maxBytes >= SMALLEST_JOURNAL_BYTES, () => `journal files of ${maxBytes} bytes are too small`);
    this.journalId = mark.journalId;
    this.files = files;
    this.#writer = new RecordWriter(mark.journalId);
    this.#maxPages = Math.floor(maxBytes / PAGE_BYTES);
    this.#sizes = [...mark.pages];
    this.#generation = mark.generation;
    this.#page = mark.page;
    this.#sequence = mark.sequence;
    this.#markedSequence = mark.sequence;
    this.#markedGeneration = mark.generation;
  }

  /** Makes both files; those that are there are replaced. They are this folder's journal once their mark is durable. */
  static async create(folder: string, maxBytes: number): Promise<Journal> {
    const pages = Math.floor(Math.min(INITIAL_BYTES, maxBytes) / PAGE_BYTES);
    const files = await Promise.all([
      JournalFile.create(pathOf(folder, 0), pages),
      JournalFile.create(pathOf(folder, 1), pages),
    ]);
    const mark = { generation: 2, page: 0, sequence: 1, pages: [pages, pages] as const };
    return new Journal(files, { ...mark, journalId: randomBytes(8).readBigUInt64LE() }, maxBytes);
  }

  /** Opens the files that the mark speaks of, to read what is behind it. Throws StorageError STORAGE_CORRUPT. */
  static async open(folder: string, mark: Mark, maxBytes: number): Promise<Journal> {
    const opened: JournalFile[] = [];
    for (const [which, pages] of mark.pages.entries()) {
      const path = pathOf(folder, which);
      const file = await JournalFile.open(path, pages);
      if (file instanceof JournalFile) {
        opened.push(file);
        continue;
      }
      for (const other of opened) await other.close();
      throw corrupt({ file: path, record: "journal" }, file === "missing" ? "the file is missing" : "it was cut short");
    }
    return new Journal(opened as [JournalFile, JournalFile], mark, maxBytes);
  }

  /** Where the next record goes, or was expected. */
  get position(): Position {
    return { generation: this.#generation, page: this.#page, sequence: this.#sequence };
  }

  /** The file that records are written to. */
  get path(): string {
    return fileOf(this, this.#generation).path;
  }

  /** Whether LMDB lacks some of the records. */
  get isAhead(): boolean {
    return this.#markedSequence < this.#sequence;
  }

  /** Whether the other file can be used again only after a checkpoint. */
  get wantsCheckpoint(): boolean {
    return this.#otherIsBusy;
  }

  /** Whether an opening would look for records in the file that is not in use. */
  get #otherIsBusy(): boolean {
    return this.#markedGeneration < this.#generation;
  }

  /**
   * Everything up to `end` was read and is in LMDB: goes on in a generation that neither the file that `end` is in nor the
   * other one can have been written in (W4). Durable with the mark that follows.
   */
  beginAnew(end: Position): void {
    // One on: where a torn record may be. Two on: where none can.
    this.#generation = end.generation + 2;
    this.#page = 0;
    this.#sequence = end.sequence;
    this.#markedSequence = end.sequence;
    this.#markedGeneration = this.#generation;
  }

  /** Makes room for a record with this much content, if need be in the other file. */
  makeRoom(contentBytes: number): Room {
    const pages = pagesFor(contentBytes);
    if (this.#page + pages <= fileOf(this, this.#generation).pages) return "ready";
    if (pages > fileOf(this, this.#generation + 1).pages) return "too large";
    if (this.#otherIsBusy) return "full";
    this.#generation++;
    this.#page = 0;
    return "ready";
  }

  /** Appends a record, for which there must be room, and waits for the disk on this thread. Throws what the system says. */
  appendBlocking(content: Buffer): void {
    const record = this.#writer.write(this.position, content);
    fileOf(this, this.#generation).writeBlocking(record, this.#page);
    this.#advance(record);
  }

  /** As {@link appendBlocking}, on another thread. */
  async appendInBackground(content: Buffer): Promise<void> {
    const record = this.#writer.write(this.position, content);
    await fileOf(this, this.#generation).writeInBackground(record, this.#page);
    this.#advance(record);
  }

  /** A round went into LMDB without a record here. */
  skip(): void {
    this.#sequence++;
  }

  /** The mark that says that LMDB holds all records before `next`. */
  markAt(next: Position): Mark {
    const { generation, page, sequence } = next;
    return { journalId: this.journalId, pages: [...this.#sizes], generation, page, sequence };
  }

  /** The mark is durable. */
  marked(mark: Mark): void {
    this.#markedSequence = mark.sequence;
    this.#markedGeneration = mark.generation;
    if (this.#otherIsBusy) return;
    const other = (this.#generation + 1) % 2;
    this.files[other === 0 ? 0 : 1].use(mark.pages[other === 0 ? 0 : 1]);
  }

  /**
   * Lengthens the file that is to be used next, if it waits for a checkpoint and is not full size yet. The mark that ends
   * the checkpoint has the new size. When space is scarce the file stays as it is; when there is none, it rejects.
   */
  async lengthenNext(): Promise<void> {
    const other = (this.#generation + 1) % 2 === 0 ? 0 : 1;
    const file = this.files[other];
    if (!this.#otherIsBusy || file.pages >= this.#maxPages) return;
    const pages = Math.min(this.#maxPages, file.pages * 2);
    const { bavail, bsize } = await statfs(file.path);
    // LMDB needs room more than the journal does.
    if (bavail * bsize < ROOM_FACTOR * (pages - file.pages) * PAGE_BYTES) return;
    await file.lengthen(pages);
    this.#sizes[other] = pages;
  }

  async close(): Promise<void> {
    for (const file of this.files) await file.close();
  }

  #advance(record: Buffer): void {
    this.#page += record.length / PAGE_BYTES;
    this.#sequence++;
  }
}

function pathOf(folder: string, which: number): string {
  return join(folder, `journal-${which}`);
}
