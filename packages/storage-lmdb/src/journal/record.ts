/**
 * Journal records: one round's operations, on pages of their own.
 *
 * | field of the header | bytes |
 * |---|---|
 * | magic | 4 |
 * | CRC-32 of the rest of the header | 4 |
 * | journal id | 8 |
 * | generation | 4 |
 * | pages | 4 |
 * | sequence number | 8 |
 * | length of the content | 4 |
 * | CRC-32 of everything behind the header, stamps included | 4 |
 *
 * F1. A record begins with a page, and no page holds parts of two: a page that was acknowledged is not written again
 *     before its generation has ended, so that a torn write cannot touch it.
 * F2. Each sector ends with its stamp (stamps.ts); the header and then the content fill what is left of the sectors.
 * F3. The checksums cover every byte of the record's pages but the magic, which is compared with what it must be.
 */
import zlib from "node:zlib";
import { SECTOR_BYTES, SECTOR_CONTENT_BYTES, stampOf } from "./stamps.ts";

// Not imported by its name, which Node 18 does not have: node-version.ts of raft-core says why.
const { crc32 } = zlib;

/** The unit of writing: what disks and file systems write whole. */
export const PAGE_BYTES = 4096;
const SECTORS_PER_PAGE = PAGE_BYTES / SECTOR_BYTES;
const MAGIC = 0x6c6a_7472;
const HEADER_BYTES = 40;
const TWO_32 = 0x1_0000_0000;
const INITIAL_PAGES = 16;
/** Memory that a large record took is given back after it. */
const KEPT_PAGES = 1024;

/** The header of a journal record. */
export interface RecordHeader {
  readonly journalId: bigint;
  readonly generation: number;
  readonly pages: number;
  readonly sequence: number;
  readonly contentBytes: number;
  readonly checksum: number;
}

/** Pages that a record with this much content takes. */
export function pagesFor(contentBytes: number): number {
  const sectors = Math.ceil((HEADER_BYTES + contentBytes) / SECTOR_CONTENT_BYTES);
  return Math.ceil(sectors / SECTORS_PER_PAGE);
}

/** The place of a page's first sector. */
export function sectorOf(page: number): number {
  return page * SECTORS_PER_PAGE;
}

/** Makes records in memory of its own, one at a time. */
export class RecordWriter {
  #image: Buffer = Buffer.alloc(INITIAL_PAGES * PAGE_BYTES);
  readonly #journalId: bigint;

  constructor(journalId: bigint) {
    this.#journalId = journalId;
  }

  /** The record's bytes, valid until the next one is made. */
  write(place: { generation: number; page: number; sequence: number }, content: Buffer): Buffer {
    const pages = pagesFor(content.length);
    if (pages * PAGE_BYTES > this.#image.length || this.#image.length > KEPT_PAGES * PAGE_BYTES) {
      this.#image = Buffer.alloc(Math.max(pages, INITIAL_PAGES) * PAGE_BYTES);
    }
    const image = this.#image.subarray(0, pages * PAGE_BYTES);
    const first = sectorOf(place.page);
    let taken = 0;
    for (let sector = 0; sector < pages * SECTORS_PER_PAGE; sector++) {
      const at = sector * SECTOR_BYTES;
      const from = sector === 0 ? at + HEADER_BYTES : at;
      const end = at + SECTOR_CONTENT_BYTES;
      const copied = taken < content.length ? content.copy(image, from, taken, taken + end - from) : 0;
      taken += copied;
      if (from + copied < end) image.fill(0, from + copied, end);
      image.writeUInt32LE(stampOf(place.generation, first + sector), end);
    }
    image.writeUInt32LE(MAGIC, 0);
    image.writeBigUInt64LE(this.#journalId, 8);
    image.writeUInt32LE(place.generation, 16);
    image.writeUInt32LE(pages, 20);
    image.writeUInt32LE(place.sequence % TWO_32, 24);
    image.writeUInt32LE(Math.floor(place.sequence / TWO_32), 28);
    image.writeUInt32LE(content.length, 32);
    image.writeUInt32LE(crc32(image.subarray(HEADER_BYTES)), 36);
    image.writeUInt32LE(crc32(image.subarray(8, HEADER_BYTES)), 4);
    return image;
  }
}

/** The header of the record that begins at `at`; undefined when there is none that is whole. */
export function readHeader(bytes: Buffer, at: number): RecordHeader | undefined {
  if (bytes.readUInt32LE(at) !== MAGIC) return undefined;
  if (bytes.readUInt32LE(at + 4) !== crc32(bytes.subarray(at + 8, at + HEADER_BYTES))) return undefined;
  return {
    journalId: bytes.readBigUInt64LE(at + 8),
    generation: bytes.readUInt32LE(at + 16),
    pages: bytes.readUInt32LE(at + 20),
    sequence: bytes.readUInt32LE(at + 24) + bytes.readUInt32LE(at + 28) * TWO_32,
    contentBytes: bytes.readUInt32LE(at + 32),
    checksum: bytes.readUInt32LE(at + 36),
  };
}

/** Whether the content of the record in `bytes`, which are all of its pages, is the one that was written. */
export function isWhole(bytes: Buffer, header: RecordHeader): boolean {
  return crc32(bytes.subarray(HEADER_BYTES)) === header.checksum;
}

/** The content of a record, copied out from between the stamps. `bytes` are all of its pages. */
export function contentOf(bytes: Buffer, header: RecordHeader): Buffer {
  const content = Buffer.allocUnsafeSlow(Math.min(header.contentBytes, bytes.length));
  let taken = 0;
  for (let at = 0; at < bytes.length && taken < content.length; at += SECTOR_BYTES) {
    const from = at === 0 ? HEADER_BYTES : at;
    taken += bytes.copy(content, taken, from, Math.min(at + SECTOR_CONTENT_BYTES, from + content.length - taken));
  }
  return content;
}
