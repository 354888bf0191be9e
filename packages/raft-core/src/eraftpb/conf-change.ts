/**
 * Configuration changes as the bytes that entries carry: raft-rs's ConfChange and ConfChangeV2.
 *
 * Written as protoc writes proto3: fields in ascending order, defaults left out. Read as any protobuf parser reads: unknown
 * fields are skipped, the last of repeated scalars counts. `UpdateNode`, which raft-rs does not have, is the value 3.
 */
import { RaftError } from "../errors.ts";
import {
  type ConfChange,
  type ConfChangeSingle,
  type ConfChangeTransition,
  type ConfChangeType,
  type ConfChangeV2,
  EMPTY_BYTES,
} from "../types.ts";
import { type Cursor, readVarint, varintBytes, writeVarint } from "./varint.ts";

const TYPES: readonly ConfChangeType[] = ["AddNode", "RemoveNode", "AddLearnerNode", "UpdateNode"];
const TRANSITIONS: readonly ConfChangeTransition[] = ["Auto", "Implicit", "Explicit"];

export function encodeConfChange(change: ConfChange): Uint8Array {
  const writer = new FieldWriter();
  writer.integer(1, change.id);
  writer.integer(2, TYPES.indexOf(change.type));
  writer.integer(3, change.nodeId);
  writer.bytes(4, change.context);
  return writer.finish();
}

export function encodeConfChangeV2(change: ConfChangeV2): Uint8Array {
  const writer = new FieldWriter();
  writer.integer(1, TRANSITIONS.indexOf(change.transition));
  for (const { type, nodeId } of change.changes) {
    const single = new FieldWriter();
    single.integer(1, TYPES.indexOf(type));
    single.integer(2, nodeId);
    writer.message(2, single.finish());
  }
  writer.bytes(3, change.context);
  return writer.finish();
}

/** Throws RaftError CODEC_INVALID. */
export function decodeConfChange(bytes: Uint8Array): ConfChange {
  let [id, type, nodeId, context] = [0, 0, 0, EMPTY_BYTES];
  eachField(bytes, (field, value) => {
    if (field === 1) id = integer(value);
    else if (field === 2) type = integer(value);
    else if (field === 3) nodeId = integer(value);
    else if (field === 4) context = content(value);
  });
  return { id, type: named(TYPES, type), nodeId, context };
}

/** Throws RaftError CODEC_INVALID. No bytes at all are the change that leaves a joint configuration. */
export function decodeConfChangeV2(bytes: Uint8Array): ConfChangeV2 {
  let [transition, context] = [0, EMPTY_BYTES];
  const changes: ConfChangeSingle[] = [];
  eachField(bytes, (field, value) => {
    if (field === 1) transition = integer(value);
    else if (field === 2) changes.push(decodeSingle(content(value)));
    else if (field === 3) context = content(value);
  });
  return { transition: named(TRANSITIONS, transition), changes, context };
}

function decodeSingle(bytes: Uint8Array): ConfChangeSingle {
  let [type, nodeId] = [0, 0];
  eachField(bytes, (field, value) => {
    if (field === 1) type = integer(value);
    else if (field === 2) nodeId = integer(value);
  });
  return { type: named(TYPES, type), nodeId };
}

/** Calls `visit` with each field's number and its varint or bytes. Fields of fixed width are skipped. */
function eachField(bytes: Uint8Array, visit: (field: number, value: number | Uint8Array) => void): void {
  const cursor: Cursor = { bytes, at: 0 };
  while (cursor.at < bytes.length) {
    const tag = readVarint(cursor);
    const field = Math.floor(tag / 8);
    const wire = tag % 8;
    if (wire === 0) {
      visit(field, readVarint(cursor));
      continue;
    }
    const length = wire === 1 ? 8 : wire === 5 ? 4 : wire === 2 ? readVarint(cursor) : Number.POSITIVE_INFINITY;
    const end = cursor.at + length;
    if (end > bytes.length) throw invalid("a field is cut off or of unknown kind");
    if (wire === 2) visit(field, bytes.slice(cursor.at, end));
    cursor.at = end;
  }
}

function integer(value: number | Uint8Array): number {
  if (typeof value !== "number") throw invalid("bytes where an integer belongs");
  return value;
}

function content(value: number | Uint8Array): Uint8Array {
  if (typeof value === "number") throw invalid("an integer where bytes belong");
  return value;
}

function named<Name>(names: readonly Name[], value: number): Name {
  const name = names[value];
  if (name === undefined) throw invalid(`unknown value ${value} of an enumeration`);
  return name;
}

function invalid(what: string): RaftError {
  return new RaftError("CODEC_INVALID", `configuration change: ${what}`);
}

class FieldWriter {
  private readonly parts: number[] = [];

  integer(field: number, value: number): void {
    if (value !== 0) this.varints(field * 8, value);
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) this.message(field, value);
  }

  /** Written even when empty: an element of a repeated field counts by being there. */
  message(field: number, value: Uint8Array): void {
    this.varints(field * 8 + 2, value.length);
    for (const byte of value) this.parts.push(byte);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.parts);
  }

  private varints(...values: number[]): void {
    for (const value of values) {
      const bytes = new Uint8Array(varintBytes(value));
      writeVarint(bytes, 0, value);
      this.parts.push(...bytes);
    }
  }
}
