/**
 * Records: how an entry, a group's state and the environment's identity look as bytes.
 *
 * R1. Every record begins with a CRC-32 over its key and its body, so that a damaged record is found, and a sound one
 *     in the wrong place as well. (CRC-32 is native in Node, CRC-32C is not.)
 * R2. Decoders copy what they keep: the bytes given to them belong to LMDB's map and move.
 *
 * Numbers inside records are little-endian; ids, terms and indexes take eight bytes.
 */
import zlib from "node:zlib";
import type { ConfState, SnapshotMetadata } from "@raftoral/raft-core";
import type { Entry, EntryType, HardState } from "@raftoral/raft-core/storage";

// Not imported by its name, which Node 18 does not have: node-version.ts of raft-core says why.
const { crc32 } = zlib;

const CRC_BYTES = 4;
const TWO_32 = 0x1_0000_0000;
const ENTRY_TYPES: readonly EntryType[] = ["EntryNormal", "EntryConfChange", "EntryConfChangeV2"];
/** crc:4 type:1 hasContext:1 term:8 contextLength:4 */
const ENTRY_HEADER_BYTES = 18;

/** What a group's state record says. */
export interface GroupState {
  readonly hardState: HardState;
  /** The last index that is no longer in the log, and its term (storage.ts S2). */
  readonly compactedIndex: number;
  readonly compactedTerm: number;
  /** Kept explicitly, so that a lost tail is noticed. */
  readonly lastIndex: number;
  readonly snapshot: SnapshotMetadata;
  /** Which spooled content is the snapshot's; 0 for none. */
  readonly spool: number;
  readonly chunks: number;
}

/** The node that a data folder belongs to. */
export interface Identity {
  readonly clusterId: string;
  readonly nodeId: number;
}

/** Whether the record's checksum is that of its key and body. */
export function isIntact(key: Uint8Array, record: Buffer): boolean {
  if (record.length < CRC_BYTES) return false;
  return record.readUInt32LE(0) === crc32(record.subarray(CRC_BYTES), crc32(key));
}

/** Writes the checksum into the first four bytes of a record (R1). */
export function sealRecord(key: Uint8Array, record: Buffer): Buffer {
  record.writeUInt32LE(crc32(record.subarray(CRC_BYTES), crc32(key)), 0);
  return record;
}

function writeUint64(target: Buffer, value: number, at: number): number {
  target.writeUInt32LE(value % TWO_32, at);
  return target.writeUInt32LE(Math.floor(value / TWO_32), at + 4);
}

function readUint64(source: Buffer, at: number): number {
  return source.readUInt32LE(at) + source.readUInt32LE(at + 4) * TWO_32;
}

function copyOf(source: Uint8Array): Uint8Array {
  const copy = new Uint8Array(source.length);
  copy.set(source);
  return copy;
}

/** Bytes that {@link encodeEntry} needs. */
export function entryRecordBytes(entry: Entry): number {
  return ENTRY_HEADER_BYTES + (entry.context?.length ?? 0) + entry.data.length;
}

/** Writes an entry's record into `target`, which has exactly {@link entryRecordBytes}. */
export function encodeEntry(key: Uint8Array, entry: Entry, target: Buffer): Buffer {
  const context = entry.context;
  target[4] = ENTRY_TYPES.indexOf(entry.type);
  target[5] = context === undefined ? 0 : 1;
  writeUint64(target, entry.term, 6);
  target.writeUInt32LE(context?.length ?? 0, 14);
  if (context !== undefined) target.set(context, ENTRY_HEADER_BYTES);
  target.set(entry.data, ENTRY_HEADER_BYTES + (context?.length ?? 0));
  return sealRecord(key, target);
}

/** Term of an intact entry record, without decoding the rest. */
export function entryTerm(record: Buffer): number {
  return readUint64(record, 6);
}

/** Whether an intact record's fields make sense as an entry's. */
export function isEntry(record: Buffer): boolean {
  if (record.length < ENTRY_HEADER_BYTES) return false;
  const type = record[4] as number;
  return type < ENTRY_TYPES.length && ENTRY_HEADER_BYTES + record.readUInt32LE(14) <= record.length;
}

/** The entry of an intact record for which {@link isEntry} holds. */
export function decodeEntry(index: number, record: Buffer): Entry {
  const type = ENTRY_TYPES[record[4] as number] as EntryType;
  const dataAt = ENTRY_HEADER_BYTES + record.readUInt32LE(14);
  const term = readUint64(record, 6);
  const data = copyOf(record.subarray(dataAt));
  if (record[5] === 0) return { term, index, type, data };
  return { term, index, type, data, context: copyOf(record.subarray(ENTRY_HEADER_BYTES, dataAt)) };
}

/** The record of a group's state, sealed for its key (R1). The bytes are the caller's. */
export function encodeState(key: Uint8Array, state: GroupState): Buffer {
  const { hardState, snapshot } = state;
  const { confState } = snapshot;
  const lists = [confState.voters, confState.learners, confState.votersOutgoing, confState.learnersNext];
  const ids = lists.reduce((sum, list) => sum + list.length, 0);
  const record = Buffer.allocUnsafe(CRC_BYTES + 9 * 8 + 4 + 1 + lists.length * 4 + ids * 8);
  let at = CRC_BYTES;
  for (const value of [
    hardState.term,
    hardState.vote,
    hardState.commit,
    state.compactedIndex,
    state.compactedTerm,
    state.lastIndex,
    snapshot.index,
    snapshot.term,
    state.spool,
  ]) {
    at = writeUint64(record, value, at);
  }
  at = record.writeUInt32LE(state.chunks, at);
  at = record.writeUInt8(confState.autoLeave ? 1 : 0, at);
  for (const list of lists) {
    at = record.writeUInt32LE(list.length, at);
    for (const id of list) at = writeUint64(record, id, at);
  }
  return sealRecord(key, record);
}

/** The state of an intact record. */
export function decodeState(record: Buffer): GroupState {
  const number = (position: number) => readUint64(record, CRC_BYTES + 8 * position);
  let at = CRC_BYTES + 9 * 8;
  const chunks = record.readUInt32LE(at);
  const autoLeave = record[at + 4] === 1;
  at += 5;
  const list = (): readonly number[] => {
    const count = record.readUInt32LE(at);
    at += 4;
    const ids: number[] = [];
    for (let i = 0; i < count; i++, at += 8) ids.push(readUint64(record, at));
    return ids;
  };
  const confState: ConfState = {
    voters: list(),
    learners: list(),
    votersOutgoing: list(),
    learnersNext: list(),
    autoLeave,
  };
  return {
    hardState: { term: number(0), vote: number(1), commit: number(2) },
    compactedIndex: number(3),
    compactedTerm: number(4),
    lastIndex: number(5),
    snapshot: { confState, index: number(6), term: number(7) },
    spool: number(8),
    chunks,
  };
}

/** The record of the format version, sealed for its key (R1). */
export function encodeFormat(key: Uint8Array, version: number): Buffer {
  const record = Buffer.allocUnsafe(CRC_BYTES + 4);
  record.writeUInt32LE(version, CRC_BYTES);
  return sealRecord(key, record);
}

/** The format version of a record whose checksum holds. */
export function decodeFormat(record: Buffer): number {
  return record.readUInt32LE(CRC_BYTES);
}

/** Without an identity (a folder that no node has taken yet) the node id is 0. */
export function encodeIdentity(key: Uint8Array, incarnation: number, identity: Identity | undefined): Buffer {
  const clusterId = Buffer.from(identity?.clusterId ?? "", "utf8");
  const record = Buffer.allocUnsafe(CRC_BYTES + 16 + clusterId.length);
  writeUint64(record, incarnation, CRC_BYTES);
  writeUint64(record, identity?.nodeId ?? 0, CRC_BYTES + 8);
  record.set(clusterId, CRC_BYTES + 16);
  return sealRecord(key, record);
}

/** The incarnation and identity of a record whose checksum holds. The identity is undefined when no node has taken the folder. */
export function decodeIdentity(record: Buffer): { incarnation: number; identity: Identity | undefined } {
  const incarnation = readUint64(record, CRC_BYTES);
  const nodeId = readUint64(record, CRC_BYTES + 8);
  const clusterId = record.toString("utf8", CRC_BYTES + 16);
  return { incarnation, identity: nodeId === 0 ? undefined : { clusterId, nodeId } };
}
