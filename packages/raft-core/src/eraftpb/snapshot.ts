/**
 * `eraftpb.Snapshot` and `eraftpb.SnapshotMetadata`.
 *
 * In the wire format the metadata of a snapshot and its configuration may be missing; in the core both are always present. Therefore empty
 * and missing are the same: empty metadata is not written, and missing metadata is read as empty.
 */
import { EMPTY_BYTES, EMPTY_CONF_STATE, type Snapshot, type SnapshotMetadata } from "../types.ts";
import {
  bytesFieldSize,
  nestedFieldSize,
  tagOf,
  uintFieldSize,
  writeBytesField,
  writeNestedHead,
  writeUintField,
} from "../wire/sized-fields.ts";
import { WireReader } from "../wire/wire-reader.ts";
import { LENGTH_DELIMITED, VARINT } from "../wire/wire-types.ts";
import { confStateSize, readConfState, writeConfState } from "./conf-state.ts";

const DATA = tagOf(1, LENGTH_DELIMITED);
const METADATA = tagOf(2, LENGTH_DELIMITED);
const CONF_STATE = tagOf(1, LENGTH_DELIMITED);
const INDEX = tagOf(2, VARINT);
const TERM = tagOf(3, VARINT);

const NO_METADATA: SnapshotMetadata = Object.freeze({ confState: EMPTY_CONF_STATE, index: 0, term: 0 });

function optionalSize(tag: number, length: number): number {
  return length === 0 ? 0 : nestedFieldSize(tag, length);
}

function metadataSize(metadata: SnapshotMetadata): number {
  return (
    optionalSize(CONF_STATE, confStateSize(metadata.confState)) +
    uintFieldSize(INDEX, metadata.index) +
    uintFieldSize(TERM, metadata.term)
  );
}

function writeMetadata(target: Uint8Array, at: number, metadata: SnapshotMetadata): number {
  let to = at;
  const length = confStateSize(metadata.confState);
  if (length > 0) to = writeConfState(target, writeNestedHead(target, to, CONF_STATE, length), metadata.confState);
  to = writeUintField(target, to, INDEX, metadata.index);
  return writeUintField(target, to, TERM, metadata.term);
}

function readMetadata(reader: WireReader, before: SnapshotMetadata): SnapshotMetadata {
  let { confState, index, term } = before;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    switch (field) {
      case 1: {
        const outer = reader.enter();
        confState = readConfState(reader, confState);
        reader.leave(outer);
        break;
      }
      case 2:
        index = reader.uint();
        break;
      case 3:
        term = reader.uint();
        break;
      default:
        reader.skip();
    }
  }
  return { confState, index, term };
}

/** Bytes of an encoded snapshot. */
export function snapshotSize(snapshot: Snapshot): number {
  return bytesFieldSize(DATA, snapshot.data) + optionalSize(METADATA, metadataSize(snapshot.metadata));
}

/** Writes `snapshot` at `at` and returns the position after it. */
export function writeSnapshot(target: Uint8Array, at: number, snapshot: Snapshot): number {
  const to = writeBytesField(target, at, DATA, snapshot.data);
  const length = metadataSize(snapshot.metadata);
  if (length === 0) return to;
  return writeMetadata(target, writeNestedHead(target, to, METADATA, length), snapshot.metadata);
}

/** Reads up to the end of the message that `reader` is in. Extends `before` when the field comes in several parts. */
export function readSnapshot(reader: WireReader, before?: Snapshot): Snapshot {
  let data = before?.data ?? EMPTY_BYTES;
  let metadata = before?.metadata ?? NO_METADATA;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) {
      data = reader.view();
    } else if (field === 2) {
      const outer = reader.enter();
      metadata = readMetadata(reader, metadata);
      reader.leave(outer);
    } else {
      reader.skip();
    }
  }
  return { metadata, data };
}

/** The bytes of `snapshot`. Throws RaftError CODEC_INVALID for numbers beyond the safe integers. */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const target = new Uint8Array(snapshotSize(snapshot));
  writeSnapshot(target, 0, snapshot);
  return target;
}

/** Decodes a snapshot. Its data is a view of `bytes`. Throws RaftError CODEC_INVALID. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  return readSnapshot(new WireReader(bytes));
}

/** The bytes of `metadata` alone. Throws RaftError CODEC_INVALID for numbers beyond the safe integers. */
export function encodeSnapshotMetadata(metadata: SnapshotMetadata): Uint8Array {
  const target = new Uint8Array(metadataSize(metadata));
  writeMetadata(target, 0, metadata);
  return target;
}

/** The metadata in `bytes`. Throws RaftError CODEC_INVALID. */
export function decodeSnapshotMetadata(bytes: Uint8Array): SnapshotMetadata {
  return readMetadata(new WireReader(bytes), NO_METADATA);
}
