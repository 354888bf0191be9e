/** `eraftpb.Entry`. The field `sync_log` of old raft-rs versions is skipped when read and never written. */
import { EMPTY_BYTES, type Entry, type EntryType } from "../types.ts";
import { malformed } from "../wire/refusal.ts";
import { bytesFieldSize, tagOf, uintFieldSize, writeBytesField, writeUintField } from "../wire/sized-fields.ts";
import { WireReader } from "../wire/wire-reader.ts";
import { LENGTH_DELIMITED, VARINT } from "../wire/wire-types.ts";

const TYPE = tagOf(1, VARINT);
const TERM = tagOf(2, VARINT);
const INDEX = tagOf(3, VARINT);
const DATA = tagOf(4, LENGTH_DELIMITED);
const CONTEXT = tagOf(6, LENGTH_DELIMITED);

const ENTRY_TYPES: readonly EntryType[] = ["EntryNormal", "EntryConfChange", "EntryConfChangeV2"];

function wireTypeOf(type: EntryType): number {
  return type === "EntryNormal" ? 0 : type === "EntryConfChange" ? 1 : 2;
}

/** Bytes of an encoded entry. */
export function encodedEntrySize(entry: Entry): number {
  return (
    uintFieldSize(TYPE, wireTypeOf(entry.type)) +
    uintFieldSize(TERM, entry.term) +
    uintFieldSize(INDEX, entry.index) +
    bytesFieldSize(DATA, entry.data) +
    bytesFieldSize(CONTEXT, entry.context)
  );
}

/** Writes `entry` at `at`, in {@link encodedEntrySize} bytes, and returns the position after it. */
export function writeEntry(target: Uint8Array, at: number, entry: Entry): number {
  let to = writeUintField(target, at, TYPE, wireTypeOf(entry.type));
  to = writeUintField(target, to, TERM, entry.term);
  to = writeUintField(target, to, INDEX, entry.index);
  to = writeBytesField(target, to, DATA, entry.data);
  return writeBytesField(target, to, CONTEXT, entry.context);
}

/** Reads the fields of an entry up to the end of the message that `reader` is in. */
export function readEntry(reader: WireReader): Entry {
  let type: EntryType = "EntryNormal";
  let term = 0;
  let index = 0;
  let data: Uint8Array = EMPTY_BYTES;
  let context: Uint8Array | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    switch (field) {
      case 1: {
        const value = ENTRY_TYPES[reader.uint()];
        if (value === undefined) throw malformed("an entry of unknown type");
        type = value;
        break;
      }
      case 2:
        term = reader.uint();
        break;
      case 3:
        index = reader.uint();
        break;
      case 4:
        data = reader.view();
        break;
      case 5:
        // `sync_log`
        reader.skipInteger();
        break;
      case 6:
        context = reader.view();
        break;
      default:
        reader.skip();
    }
  }
  return context === undefined || context.length === 0
    ? { term, index, type, data }
    : { term, index, type, data, context };
}

/** The bytes of `entry`. Throws RaftError CODEC_INVALID for numbers beyond the safe integers. */
export function encodeEntry(entry: Entry): Uint8Array {
  const target = new Uint8Array(encodedEntrySize(entry));
  writeEntry(target, 0, entry);
  return target;
}

/** Decodes an entry. Its data and context are views of `bytes`. Throws RaftError CODEC_INVALID. */
export function decodeEntry(bytes: Uint8Array): Entry {
  return readEntry(new WireReader(bytes));
}
