/**
 * Records of state stores in LMDB. Numbers in keys are big-endian, so that keys sort by group, then generation, then their own bytes.
 *
 * | kind | key | record |
 * |---|---|---|
 * | state record | `40 group:8 generation:4 key` | what the application put |
 * | state mark   | `41 group:8` | format, generation in use, applied index |
 *
 * Each begins with a CRC-32 over its key and its body (records.ts, R1). A generation is one whole content of a store: a replacement is
 * written beside the generation in use, and takes its place when the mark names it.
 */
import zlib from "node:zlib";
import type { StateKey } from "@raftoral/raft-core";
import { isIntact } from "../format/records.ts";

// Not imported by its name, which Node 18 does not have: node-version.ts of raft-core says why.
const { crc32 } = zlib;

const RECORD = 0x40;
const MARK = 0x41;
/** Of state records and mark. */
export const STATE_STORE_FORMAT_VERSION = 1;
const PREFIX_BYTES = 13;
const CRC_BYTES = 4;
const TWO_32 = 0x1_0000_0000;

/** What a store's mark says. */
export interface StateMark {
  readonly format: number;
  readonly generation: number;
  readonly appliedIndex: number;
}

function prefix(kind: number, group: number, bytes: number): Buffer {
  const key = Buffer.alloc(bytes);
  key[0] = kind;
  key.writeUInt32BE(Math.floor(group / TWO_32), 1);
  key.writeUInt32BE(group % TWO_32, 5);
  return key;
}

/** Key of a group's state mark: 9 bytes, the caller's. */
export function markKey(group: number): Buffer {
  return prefix(MARK, group, 9);
}

/** The record of a state mark, sealed for its key. The bytes are the caller's. */
export function encodeStateMark(key: Buffer, mark: StateMark): Buffer {
  const record = Buffer.alloc(CRC_BYTES + 16);
  record.writeUInt32LE(mark.format, CRC_BYTES);
  record.writeUInt32LE(mark.generation, CRC_BYTES + 4);
  record.writeUInt32LE(mark.appliedIndex % TWO_32, CRC_BYTES + 8);
  record.writeUInt32LE(Math.floor(mark.appliedIndex / TWO_32), CRC_BYTES + 12);
  return sealed(key, record);
}

/** Undefined for a damaged one. */
export function decodeStateMark(key: Buffer, record: Buffer): StateMark | undefined {
  if (record.length < CRC_BYTES + 16 || !isIntact(key, record)) return undefined;
  return {
    format: record.readUInt32LE(CRC_BYTES),
    generation: record.readUInt32LE(CRC_BYTES + 4),
    appliedIndex: record.readUInt32LE(CRC_BYTES + 8) + record.readUInt32LE(CRC_BYTES + 12) * TWO_32,
  };
}

/** Keys and records of one generation of one group's store. */
export class StateKeys {
  readonly generation: number;
  readonly #prefix: Buffer;
  /** One key at a time is made in here. */
  readonly #scratch: Buffer;

  constructor(group: number, generation: number) {
    this.generation = generation;
    this.#prefix = prefix(RECORD, group, PREFIX_BYTES);
    this.#prefix.writeUInt32BE(generation, 9);
    this.#scratch = Buffer.alloc(2_048);
    this.#prefix.copy(this.#scratch);
  }

  /** The key as bytes, valid until the next call. */
  moved(key: StateKey): Buffer {
    const end = PREFIX_BYTES + this.#scratch.write(key, PREFIX_BYTES, "latin1");
    return this.#scratch.subarray(0, end);
  }

  /** As {@link moved}, for good. */
  key(key: StateKey): Buffer {
    return Buffer.from(this.moved(key));
  }

  /** The key of a record that was found. */
  static keyOf(bytes: Buffer): StateKey {
    return bytes.toString("latin1", PREFIX_BYTES);
  }
}

/** The application's key in a state record's key. */
export function applicationKeyOf(key: Buffer): StateKey {
  return key.toString("latin1", PREFIX_BYTES);
}

/** Generation of a state record's key. */
export function generationOf(key: Buffer): number {
  return key.readUInt32BE(9);
}

/** Keys of all state records of a group with generations in `[from, to)`. */
export function generationRange(group: number, from = 0, to = TWO_32): { start: Buffer; end: Buffer } {
  const start = prefix(RECORD, group, PREFIX_BYTES);
  start.writeUInt32BE(from, 9);
  if (to >= TWO_32) return { start, end: prefix(RECORD, group + 1, 9) };
  const end = prefix(RECORD, group, PREFIX_BYTES);
  end.writeUInt32BE(to, 9);
  return { start, end };
}

/** Writes a value and its checksum into `record`, which has {@link stateRecordBytes} bytes, and gives `record`. */
export function encodeStateRecord(key: Buffer, value: Uint8Array, record: Buffer): Buffer {
  record.set(value, CRC_BYTES);
  return sealed(key, record);
}

/** Bytes that a record of a value takes. */
export function stateRecordBytes(value: Uint8Array): number {
  return CRC_BYTES + value.length;
}

/** The value of a record, in memory of its own; undefined for a damaged one. */
export function decodeStateRecord(key: Buffer, record: Buffer): Uint8Array | undefined {
  if (!isIntact(key, record)) return undefined;
  const value = new Uint8Array(record.length - CRC_BYTES);
  value.set(record.subarray(CRC_BYTES));
  return value;
}

function sealed(key: Uint8Array, record: Buffer): Buffer {
  record.writeUInt32LE(crc32(record.subarray(CRC_BYTES), crc32(key)), 0);
  return record;
}
