/**
 * How far LMDB has come: which journal record is the next that it does not hold. Written with every checkpoint, in the same
 * transaction as what the records said.
 */
import { isIntact, sealRecord } from "../format/records.ts";

const CRC_BYTES = 4;
const MARK_BYTES: number = CRC_BYTES + 8 + 4 + 4 + 8 + 4 + 4;
const TWO_32 = 0x1_0000_0000;

/** A place in the journal: where the record with this sequence number is, or will be. */
export interface Position {
  readonly generation: number;
  readonly page: number;
  readonly sequence: number;
}

/** A position in a journal, with what identifies the journal. */
export interface Mark extends Position {
  /** The journal's own number: another folder's files are not taken for this one's. */
  readonly journalId: bigint;
  /** Sizes of the two files in pages; one that is smaller was cut short. */
  readonly pages: readonly [number, number];
}

/** The record of a mark, sealed for its key. The bytes are the caller's. */
export function encodeMark(key: Buffer, mark: Mark): Buffer {
  const record = Buffer.allocUnsafe(MARK_BYTES);
  record.writeBigUInt64LE(mark.journalId, CRC_BYTES);
  record.writeUInt32LE(mark.generation, 12);
  record.writeUInt32LE(mark.page, 16);
  record.writeUInt32LE(mark.sequence % TWO_32, 20);
  record.writeUInt32LE(Math.floor(mark.sequence / TWO_32), 24);
  record.writeUInt32LE(mark.pages[0], 28);
  record.writeUInt32LE(mark.pages[1], 32);
  return sealRecord(key, record);
}

/** Undefined when the record is damaged. */
export function decodeMark(key: Buffer, record: Buffer): Mark | undefined {
  if (record.length !== MARK_BYTES || !isIntact(key, record)) return undefined;
  return {
    journalId: record.readBigUInt64LE(CRC_BYTES),
    generation: record.readUInt32LE(12),
    page: record.readUInt32LE(16),
    sequence: record.readUInt32LE(20) + record.readUInt32LE(24) * TWO_32,
    pages: [record.readUInt32LE(28), record.readUInt32LE(32)],
  };
}
