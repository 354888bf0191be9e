/**
 * Keys of the one LMDB database that holds everything. Numbers are big-endian, so that keys sort by group, then index.
 *
 * | kind | key | record |
 * |---|---|---|
 * | format   | `01` | format version |
 * | identity | `02` | cluster id, node id, incarnation |
 * | mark     | `03` | how far LMDB has come in the journal |
 * | state    | `10 group:8` | hard state, bounds of the log, latest snapshot |
 * | entry    | `20 group:8 index:8` | one log entry |
 */

export const FORMAT_KEY: Buffer = Buffer.from([0x01]);
export const IDENTITY_KEY: Buffer = Buffer.from([0x02]);
export const MARK_KEY: Buffer = Buffer.from([0x03]);
const STATE = 0x10;
const ENTRY = 0x20;

const TWO_32 = 0x1_0000_0000;

/** Writes a safe integer as eight bytes, big-endian. */
function writeUint64(target: Buffer, value: number, at: number): void {
  target.writeUInt32BE(Math.floor(value / TWO_32), at);
  target.writeUInt32BE(value % TWO_32, at + 4);
}

function readUint64(source: Uint8Array, at: number): number {
  const view = new DataView(source.buffer, source.byteOffset + at, 8);
  return view.getUint32(0) * TWO_32 + view.getUint32(4);
}

function groupKey(kind: number, group: number, length: number): Buffer {
  const key = Buffer.alloc(length);
  key[0] = kind;
  writeUint64(key, group, 1);
  return key;
}

/** Key of a group's state record: 9 bytes, the caller's. */
export function stateKey(group: number): Buffer {
  return groupKey(STATE, group, 9);
}

/** Key of a log entry: 17 bytes, the caller's. */
export function entryKey(group: number, index: number): Buffer {
  const key = groupKey(ENTRY, group, 17);
  writeUint64(key, index, 9);
  return key;
}

/** Turns a key made by {@link entryKey} into that of another index of the same group: no allocation per entry. */
export function moveEntryKey(key: Buffer, index: number): void {
  writeUint64(key, index, 9);
}

/** The index in a key that {@link entryKey} made. */
export function entryIndexOf(key: Uint8Array): number {
  return readUint64(key, 9);
}

/** Range of the keys of one group's entries, half-open. */
export function entryRange(group: number, lo = 0, hi = Number.MAX_SAFE_INTEGER): { start: Buffer; end: Buffer } {
  return { start: entryKey(group, lo), end: entryKey(group, hi) };
}

/** Which group's record a key names, and which entry of it, if it is an entry's. */
export function describeKey(key: Uint8Array): { group?: number; index?: number } {
  const kind = key[0];
  if (key.length < 9 || (kind !== STATE && kind !== ENTRY)) return {};
  const group = readUint64(key, 1);
  return kind === ENTRY && key.length === 17 ? { group, index: entryIndexOf(key) } : { group };
}
