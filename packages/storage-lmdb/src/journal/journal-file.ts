/**
 * One of the two files of a journal: a fixed number of pages, written with zeros and flushed before they are used, so that
 * flushing a record later changes no metadata of the file system and cannot run out of space.
 *
 * The file may be longer than its pages: a crash while it was being lengthened leaves that, and it is done again.
 */
import {
  close,
  constants,
  fdatasync,
  fdatasyncSync,
  fstat,
  fsync,
  ftruncate,
  open,
  read,
  write,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { PAGE_BYTES } from "./record.ts";

/** Zeros are written in pieces of this size. */
const PIECE_BYTES = 1024 * 1024;

// Plain descriptors and not FileHandles: those end the process when an environment is forgotten without being closed.
const openFile = promisify(open);
const readFile = promisify(read);
const writeFile = promisify(write);
const flushFile = promisify(fsync);
const statFile = promisify(fstat);
const truncateFile = promisify(ftruncate);
const closeFile = promisify(close);

/** One open file of a journal. Sizes and places are in pages; every method rejects with the error of the file system. */
export class JournalFile {
  readonly path: string;
  readonly #fd: number;
  #usable: number;
  #closed = false;

  private constructor(path: string, fd: number, pages: number) {
    this.path = path;
    this.#fd = fd;
    this.#usable = pages;
  }

  /** Makes the file, full of zeros; one that is there is replaced. The folder's entry for it is durable as well. */
  static async create(path: string, pages: number): Promise<JournalFile> {
    const fd = await openFile(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o644);
    const file = new JournalFile(path, fd, 0);
    try {
      await file.lengthen(pages);
      await flushFolder(dirname(path));
    } catch (error) {
      await file.close();
      throw error;
    }
    file.use(pages);
    return file;
  }

  /** Opens the file with `pages` usable pages; "missing" or "cut short" when it does not have them. */
  static async open(path: string, pages: number): Promise<JournalFile | "missing" | "cut short"> {
    const fd = await openFile(path, constants.O_RDWR).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (fd === undefined) return "missing";
    const { size } = await statFile(fd);
    if (size >= pages * PAGE_BYTES) return new JournalFile(path, fd, pages);
    await closeFile(fd);
    return "cut short";
  }

  get pages(): number {
    return this.#usable;
  }

  /**
   * Writes zeros behind the usable pages, up to `pages`, and flushes them. They are not used before {@link use}. When it
   * fails, the space is given back: others may need it more.
   */
  async lengthen(pages: number): Promise<void> {
    const start = this.#usable * PAGE_BYTES;
    const end = pages * PAGE_BYTES;
    const zeros = Buffer.alloc(Math.min(PIECE_BYTES, end - start));
    try {
      for (let at = start; at < end; ) {
        const { bytesWritten } = await writeFile(this.#fd, zeros, 0, Math.min(zeros.length, end - at), at);
        at += bytesWritten;
      }
      await flushFile(this.#fd);
    } catch (error) {
      await truncateFile(this.#fd, start);
      throw error;
    }
  }

  /** Pages up to here may be used from now on. */
  use(pages: number): void {
    this.#usable = pages;
  }

  /** Writes pages and waits for the disk on this thread. */
  writeBlocking(bytes: Buffer, page: number): void {
    const fd = this.#fd;
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(fd, bytes, written, bytes.length - written, page * PAGE_BYTES + written);
    }
    fdatasyncSync(fd);
  }

  /** Writes pages and waits for the disk on another thread. `bytes` must not change meanwhile. */
  writeInBackground(bytes: Buffer, page: number): Promise<void> {
    const fd = this.#fd;
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null): void => (error === null ? resolve() : reject(error));
      const writeFrom = (written: number): void => {
        write(fd, bytes, written, bytes.length - written, page * PAGE_BYTES + written, (error, count) => {
          if (error !== null) reject(error);
          else if (written + count < bytes.length) writeFrom(written + count);
          else fdatasync(fd, settle);
        });
      };
      writeFrom(0);
    });
  }

  /** Reads `[page, end)` into `target`, or as much of it as is usable. Returns the number of pages read. */
  async read(target: Buffer, page: number, end: number): Promise<number> {
    const bytes = (Math.min(end, this.#usable) - page) * PAGE_BYTES;
    if (bytes <= 0) return 0;
    for (let done = 0; done < bytes; ) {
      const { bytesRead } = await readFile(this.#fd, target, done, bytes - done, page * PAGE_BYTES + done);
      if (bytesRead === 0) throw new Error(`${this.path} ends within page ${page + Math.floor(done / PAGE_BYTES)}`);
      done += bytesRead;
    }
    return bytes / PAGE_BYTES;
  }

  /** Idempotent: the descriptor may be another file's later. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await closeFile(this.#fd);
  }
}

async function flushFolder(path: string): Promise<void> {
  // Windows neither needs nor allows that a folder is flushed.
  if (process.platform === "win32") return;
  const fd = await openFile(path, constants.O_RDONLY);
  await flushFile(fd).finally(() => closeFile(fd));
}
