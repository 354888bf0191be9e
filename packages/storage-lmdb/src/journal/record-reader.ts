/**
 * Reads journal records in the order of their sequence numbers, from one file on into the other.
 *
 * It only says what is there and whole. What it means that there is no next record is for others to say: a checkpoint knows
 * how many there are, an opening looks closer (journal-end.ts).
 */
import type { JournalFile } from "./journal-file.ts";
import type { Position } from "./mark.ts";
import { contentOf, isWhole, PAGE_BYTES, type RecordHeader, readHeader } from "./record.ts";

/** Pages read at once. */
const WINDOW_PAGES = 128;

/** A whole record and its place. */
export interface JournalRecord {
  /** Where it is. */
  readonly at: Position;
  /** Where the one after it is, if it is in the same file. */
  readonly next: Position;
  /** The round's operations (operations.ts). */
  readonly content: Buffer;
}

/** The files of a journal, as what reads them needs them. */
export interface JournalFiles {
  readonly journalId: bigint;
  /** The file for even generations, and that for odd ones. */
  readonly files: readonly [JournalFile, JournalFile];
}

/** The file of a generation: even generations are in the first one, odd ones in the second. */
export function fileOf(files: JournalFiles, generation: number): JournalFile {
  return files.files[generation % 2 === 0 ? 0 : 1];
}

/** A page and the record that begins there. */
interface Window {
  readonly bytes: Buffer;
  generation: number;
  from: number;
  end: number;
}

/** A reader that starts at a position and moves on with each record that it gives. */
export class RecordReader {
  /** Where the next record is expected. */
  position: Position;
  readonly #files: JournalFiles;
  readonly #window: Window = { bytes: Buffer.alloc(WINDOW_PAGES * PAGE_BYTES), generation: 0, from: 0, end: 0 };

  constructor(files: JournalFiles, from: Position) {
    this.#files = files;
    this.position = from;
  }

  /** The next record; undefined when none is where one could be. Rejects when the file cannot be read. */
  async next(): Promise<JournalRecord | undefined> {
    const record = await this.#readAt(this.position);
    if (record !== undefined) return this.#accept(record);
    // The first file's generation ends where a record did not fit any more.
    const { generation, sequence } = this.position;
    const beyond = await this.#readAt({ generation: generation + 1, page: 0, sequence });
    return beyond === undefined ? undefined : this.#accept(beyond);
  }

  #accept(record: JournalRecord): JournalRecord {
    this.position = record.next;
    return record;
  }

  async #readAt(at: Position): Promise<JournalRecord | undefined> {
    const start = await this.#pageAt(at.generation, at.page, at.page + 1);
    const header = start === undefined ? undefined : readHeader(start, 0);
    if (header === undefined || !this.#isExpected(header, at)) return undefined;
    const bytes = await this.#pageAt(at.generation, at.page, at.page + header.pages);
    if (bytes === undefined || !isWhole(bytes, header)) return undefined;
    const next = { generation: at.generation, page: at.page + header.pages, sequence: at.sequence + 1 };
    return { at, next, content: contentOf(bytes, header) };
  }

  #isExpected(header: RecordHeader, at: Position): boolean {
    const { journalId, generation, sequence, pages } = header;
    if (journalId !== this.#files.journalId || generation !== at.generation || sequence !== at.sequence) return false;
    return pages > 0 && at.page + pages <= fileOf(this.#files, generation).pages;
  }

  /** Pages `[from, end)`, from the window if they are in it; undefined past the end of the file. */
  async #pageAt(generation: number, from: number, end: number): Promise<Buffer | undefined> {
    const window = this.#window;
    if (window.generation !== generation || from < window.from || end > window.end) {
      const file = fileOf(this.#files, generation);
      if (end > file.pages) return undefined;
      if (end - from > WINDOW_PAGES) {
        const large = Buffer.allocUnsafeSlow((end - from) * PAGE_BYTES);
        await file.read(large, from, end);
        return large;
      }
      window.generation = generation;
      window.from = from;
      window.end = from + (await file.read(window.bytes, from, from + WINDOW_PAGES));
    }
    return window.bytes.subarray((from - window.from) * PAGE_BYTES, (end - window.from) * PAGE_BYTES);
  }
}
