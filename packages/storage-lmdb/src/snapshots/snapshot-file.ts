/**
 * A snapshot's content as a file: the bytes as they are, then a footer that says what they must be.
 *
 *     content                                      records of 256 KiB, the last one shorter
 *     crc:4 of each record
 *     magic:8 group:8 spool:8 totalBytes:8 recordBytes:4 contentCrc:4 footerCrc:4
 *
 * Numbers are little-endian. `footerCrc` covers all of the footer before it.
 *
 * Invariants:
 * F1. A file without an intact footer is unfinished, whatever else it holds.
 * F2. No record is handed out whose bytes are not those that were written.
 * F3. The event loop is never held longer than a record takes to be copied and checked: reads, writes and flushes are other
 *     threads' work.
 */
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import zlib from "node:zlib";
import { joinedCrc32 } from "@raftoral/raft-core/storage";

// Not imported by its name, which Node 18 does not have: node-version.ts of raft-core says why.
const { crc32 } = zlib;

/** Content is read, written and checked in pieces of this size: large enough to be quick, small enough not to be felt. */
export const RECORD_BYTES: number = 256 * 1024;
/**
 * Written bytes are flushed at this pace and not only at the end: a gigabyte that the system flushes when it sees fit makes
 * everybody else who waits for the disk wait for that, too.
 */
const FLUSH_BYTES = 8 * 1024 * 1024;
const MAGIC = Buffer.from("RTSNAP01", "latin1");
const FIXED_FOOTER_BYTES = 44;
const CRC_BYTES = 4;

/** What the footer says. */
export interface SnapshotFileIndex {
  readonly totalBytes: number;
  /** CRC-32 of the whole content. */
  readonly crc32: number;
  /** CRC-32 of each record. */
  readonly records: Uint32Array;
}

/** Whose content a file holds. */
export interface SnapshotFilePlace {
  readonly group: number;
  readonly spool: number;
}

/** Writes one file from its beginning to its footer. Calls must not overlap. */
export class SnapshotFileWriter {
  readonly #path: string;
  readonly #place: SnapshotFilePlace;
  readonly #handle: FileHandle;
  #record: Buffer = Buffer.allocUnsafeSlow(RECORD_BYTES);
  /** The other of two buffers: one is filled while this one is written. */
  #spare: Buffer = Buffer.allocUnsafeSlow(RECORD_BYTES);
  #filled = 0;
  #written = 0;
  #unflushed = 0;
  #crcs: number[] = [];
  #crc = 0;
  #writing: Promise<unknown> = Promise.resolve();
  #flushing: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(path: string, place: SnapshotFilePlace, handle: FileHandle) {
    this.#path = path;
    this.#place = place;
    this.#handle = handle;
  }

  /** The file must not exist. Rejects with the system's error, as all of this class does. */
  static async create(path: string, place: SnapshotFilePlace): Promise<SnapshotFileWriter> {
    return new SnapshotFileWriter(path, place, await open(path, "wx"));
  }

  /** Copies the chunk before it resolves, and waits while more than one record is on its way to the disk. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + RECORD_BYTES - this.#filled);
      this.#record.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === RECORD_BYTES) await this.#store();
    }
  }

  /** Writes the footer and resolves once content and file are durable. The file is closed then. */
  async finish(): Promise<SnapshotFileIndex> {
    if (this.#filled > 0) await this.#store();
    await this.#writing;
    const index = { totalBytes: this.#written, crc32: this.#crc, records: Uint32Array.from(this.#crcs) };
    const footer = encodeFooter(this.#place, index);
    await writeAll(this.#handle, footer, footer.length, this.#written);
    await this.#flushing;
    await this.#handle.datasync();
    await this.close();
    await flushFolder(dirname(this.#path));
    return index;
  }

  /** Closes the file once what is on its way has ended. Idempotent, never rejects. */
  close(): Promise<void> {
    this.#closing ??= Promise.allSettled([this.#writing, this.#flushing])
      .then(() => this.#handle.close())
      .catch(() => undefined);
    return this.#closing;
  }

  async #store(): Promise<void> {
    const record = this.#record;
    const bytes = this.#filled;
    const crc = crc32(record.subarray(0, bytes));
    this.#crcs.push(crc);
    this.#crc = joinedCrc32(this.#crc, crc, bytes);
    await this.#writing;
    const at = this.#written;
    this.#record = this.#spare;
    this.#spare = record;
    this.#filled = 0;
    this.#written += bytes;
    this.#unflushed += bytes;
    this.#writing = writeAll(this.#handle, record, bytes, at);
    // The next wait for it hears of a failure. Without this line a failure that no code waits for would end the process.
    this.#writing.catch(() => undefined);
    if (this.#unflushed < FLUSH_BYTES) return;
    this.#unflushed = 0;
    await this.#flushing;
    this.#flushing = this.#handle.datasync();
    this.#flushing.catch(() => undefined);
  }
}

/**
 * Reads a finished file, a record at a time and one ahead. Fresh memory for each record keeps the garbage collector busy, and
 * stops the event loop for that; so two buffers may serve all of them, for callers that can do with that.
 */
export class SnapshotFileReader {
  readonly #path: string;
  readonly #index: SnapshotFileIndex;
  readonly #buffers: Buffer[] | undefined;
  #handle: Promise<FileHandle> | undefined;
  #next: number;
  /** Bytes of the first record that are not wanted. */
  #skip: number;
  #ahead: Promise<Buffer> | undefined;
  #closing: Promise<void> | undefined;

  /** `offset` is at most the content's length. With `reusesMemory` a record is valid until the next one is asked for. */
  constructor(path: string, index: SnapshotFileIndex, { offset = 0, reusesMemory = false } = {}) {
    this.#path = path;
    this.#index = index;
    this.#buffers = reusesMemory ? [] : undefined;
    this.#next = Math.floor(offset / RECORD_BYTES);
    this.#skip = offset % RECORD_BYTES;
  }

  /** The next bytes; undefined at the end. Rejects with {@link DamagedRecord} or the system's error. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#next >= this.#index.records.length) return undefined;
    const record = this.#next;
    const bytes = await (this.#ahead ?? this.#read(record));
    this.#next = record + 1;
    this.#ahead = this.#next < this.#index.records.length ? this.#read(this.#next) : undefined;
    this.#ahead?.catch(() => undefined);
    if (crc32(bytes) !== this.#index.records[record]) throw new DamagedRecord(record, "wrong checksum");
    const skip = this.#skip;
    this.#skip = 0;
    return skip === 0 ? bytes : bytes.subarray(skip);
  }

  /** Closes the file once what is being read has ended. Idempotent, never rejects. */
  close(): Promise<void> {
    this.#next = this.#index.records.length;
    this.#closing ??= Promise.allSettled([this.#ahead])
      .then(() => this.#handle)
      .then((handle) => handle?.close())
      .catch(() => undefined);
    return this.#closing;
  }

  #bufferFor(record: number): Buffer {
    if (this.#buffers === undefined) return Buffer.allocUnsafeSlow(RECORD_BYTES);
    this.#buffers[record % 2] ??= Buffer.allocUnsafeSlow(RECORD_BYTES);
    return this.#buffers[record % 2] as Buffer;
  }

  async #read(record: number): Promise<Buffer> {
    this.#handle ??= open(this.#path, "r");
    const handle = await this.#handle;
    const at = record * RECORD_BYTES;
    const wanted = Math.min(RECORD_BYTES, this.#index.totalBytes - at);
    const bytes = this.#bufferFor(record).subarray(0, wanted);
    for (let filled = 0; filled < wanted; ) {
      const { bytesRead } = await handle.read(bytes, filled, wanted - filled, at + filled);
      if (bytesRead === 0) throw new DamagedRecord(record, "cut off");
      filled += bytesRead;
    }
    return bytes;
  }
}

/** A record that is not what was written. */
export class DamagedRecord extends Error {
  override readonly name = "DamagedRecord";
  readonly record: number;
  constructor(record: number, found: string) {
    super(found);
    this.record = record;
  }
}

/** The footer of a finished file of `chunks` records, or what is wrong with the file (F1). */
export async function readSnapshotFile(
  path: string,
  place: SnapshotFilePlace,
  chunks: number,
): Promise<SnapshotFileIndex | string> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return `its file ${path} is missing`;
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const length = chunks * CRC_BYTES + FIXED_FOOTER_BYTES;
    if (size < length) return `its file ${path} is cut off`;
    const footer = Buffer.alloc(length);
    const { bytesRead } = await handle.read(footer, 0, length, size - length);
    if (bytesRead < length) return `its file ${path} is cut off`;
    return decodeFooter(footer, place, size) ?? `the footer of its file ${path} is damaged`;
  } finally {
    await handle.close();
  }
}

function encodeFooter({ group, spool }: SnapshotFilePlace, index: SnapshotFileIndex): Buffer {
  const { records, totalBytes } = index;
  const footer = Buffer.alloc(records.length * CRC_BYTES + FIXED_FOOTER_BYTES);
  let at = 0;
  for (const crc of records) at = footer.writeUInt32LE(crc, at);
  at += MAGIC.copy(footer, at);
  for (const value of [group, spool, totalBytes]) at = footer.writeBigUInt64LE(BigInt(value), at);
  at = footer.writeUInt32LE(RECORD_BYTES, at);
  at = footer.writeUInt32LE(index.crc32, at);
  footer.writeUInt32LE(crc32(footer.subarray(0, at)), at);
  return footer;
}

function decodeFooter(
  footer: Buffer,
  { group, spool }: SnapshotFilePlace,
  size: number,
): SnapshotFileIndex | undefined {
  const end = footer.length - CRC_BYTES;
  if (footer.readUInt32LE(end) !== crc32(footer.subarray(0, end))) return undefined;
  const fixed = footer.length - FIXED_FOOTER_BYTES;
  const records = new Uint32Array(fixed / CRC_BYTES);
  for (let i = 0; i < records.length; i++) records[i] = footer.readUInt32LE(i * CRC_BYTES);
  const totalBytes = Number(footer.readBigUInt64LE(fixed + 24));
  const isOurs =
    footer.subarray(fixed, fixed + 8).equals(MAGIC) &&
    Number(footer.readBigUInt64LE(fixed + 8)) === group &&
    Number(footer.readBigUInt64LE(fixed + 16)) === spool &&
    footer.readUInt32LE(fixed + 32) === RECORD_BYTES &&
    Math.ceil(totalBytes / RECORD_BYTES) === records.length &&
    totalBytes + footer.length === size;
  return isOurs ? { totalBytes, crc32: footer.readUInt32LE(fixed + 36), records } : undefined;
}

/** A write may be cut short, by a signal or a disk that is nearly full; then the next one tells. */
async function writeAll(handle: FileHandle, buffer: Buffer, bytes: number, position: number): Promise<void> {
  for (let done = 0; done < bytes; ) {
    const { bytesWritten } = await handle.write(buffer, done, bytes - done, position + done);
    done += bytesWritten;
  }
}

/** Makes the names in a folder durable. */
export async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
