/**
 * `eraftpb.Message`: the messages between nodes.
 *
 * `vote` and `responses` belong to a node's own storage messages and are not encoded. `deprecated_priority` is skipped when read and
 * never written. Every append passes here, so encoding computes the size first, then fills one buffer of that size without intermediate objects.
 */
import type { Message, MessageType } from "../message.ts";
import type { Entry, Snapshot } from "../types.ts";
import { malformed } from "../wire/refusal.ts";
import {
  boolFieldSize,
  bytesFieldSize,
  int64FieldSize,
  nestedFieldSize,
  tagOf,
  uintFieldSize,
  writeBoolField,
  writeBytesField,
  writeInt64Field,
  writeNestedHead,
  writeUintField,
} from "../wire/sized-fields.ts";
import { WireReader } from "../wire/wire-reader.ts";
import { LENGTH_DELIMITED, VARINT } from "../wire/wire-types.ts";
import { encodedEntrySize, readEntry, writeEntry } from "./entry.ts";
import { isLocalType, numberOfType, typeOfNumber } from "./message-type.ts";
import { readSnapshot, snapshotSize, writeSnapshot } from "./snapshot.ts";

const TYPE = tagOf(1, VARINT);
const TO = tagOf(2, VARINT);
const FROM = tagOf(3, VARINT);
const TERM = tagOf(4, VARINT);
const LOG_TERM = tagOf(5, VARINT);
const INDEX = tagOf(6, VARINT);
const ENTRIES = tagOf(7, LENGTH_DELIMITED);
const COMMIT = tagOf(8, VARINT);
const SNAPSHOT = tagOf(9, LENGTH_DELIMITED);
const REJECT = tagOf(10, VARINT);
const REJECT_HINT = tagOf(11, VARINT);
const CONTEXT = tagOf(12, LENGTH_DELIMITED);
const REQUEST_SNAPSHOT = tagOf(13, VARINT);
const COMMIT_TERM = tagOf(15, VARINT);
const PRIORITY = tagOf(16, VARINT);

const NO_ENTRIES: readonly Entry[] = Object.freeze([]);
const NO_MESSAGES: readonly Message[] = Object.freeze([]);

/** Bytes of an encoded message. Throws RaftError CODEC_INVALID for numbers beyond the safe integers and for storage messages. */
export function messageSize(message: Message): number {
  let size =
    uintFieldSize(TYPE, numberOfType(message.type)) +
    uintFieldSize(TO, message.to) +
    uintFieldSize(FROM, message.from) +
    uintFieldSize(TERM, message.term) +
    uintFieldSize(LOG_TERM, message.logTerm) +
    uintFieldSize(INDEX, message.index) +
    uintFieldSize(COMMIT, message.commit) +
    boolFieldSize(REJECT, message.reject) +
    uintFieldSize(REJECT_HINT, message.rejectHint) +
    bytesFieldSize(CONTEXT, message.context) +
    uintFieldSize(REQUEST_SNAPSHOT, message.requestSnapshot) +
    uintFieldSize(COMMIT_TERM, message.commitTerm) +
    int64FieldSize(PRIORITY, message.priority);
  const entries = message.entries;
  for (let i = 0; i < entries.length; i++) size += nestedFieldSize(ENTRIES, encodedEntrySize(entries[i] as Entry));
  if (message.snapshot !== undefined) size += nestedFieldSize(SNAPSHOT, snapshotSize(message.snapshot));
  return size;
}

/** Writes `message` at `at` and returns the position after it. `target` must have room for {@link messageSize} bytes. */
export function writeMessage(target: Uint8Array, at: number, message: Message): number {
  let to = writeUintField(target, at, TYPE, numberOfType(message.type));
  to = writeUintField(target, to, TO, message.to);
  to = writeUintField(target, to, FROM, message.from);
  to = writeUintField(target, to, TERM, message.term);
  to = writeUintField(target, to, LOG_TERM, message.logTerm);
  to = writeUintField(target, to, INDEX, message.index);
  const entries = message.entries;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as Entry;
    to = writeEntry(target, writeNestedHead(target, to, ENTRIES, encodedEntrySize(entry)), entry);
  }
  to = writeUintField(target, to, COMMIT, message.commit);
  const snapshot = message.snapshot;
  if (snapshot !== undefined) {
    to = writeSnapshot(target, writeNestedHead(target, to, SNAPSHOT, snapshotSize(snapshot)), snapshot);
  }
  to = writeBoolField(target, to, REJECT, message.reject);
  to = writeUintField(target, to, REJECT_HINT, message.rejectHint);
  to = writeBytesField(target, to, CONTEXT, message.context);
  to = writeUintField(target, to, REQUEST_SNAPSHOT, message.requestSnapshot);
  to = writeUintField(target, to, COMMIT_TERM, message.commitTerm);
  return writeInt64Field(target, to, PRIORITY, message.priority);
}

function readMessage(reader: WireReader): Message {
  let type: MessageType = "MsgHup";
  let to = 0;
  let from = 0;
  let term = 0;
  let logTerm = 0;
  let index = 0;
  let entries: Entry[] | undefined;
  let commit = 0;
  let snapshot: Snapshot | undefined;
  let reject = false;
  let rejectHint = 0;
  let context: Uint8Array | undefined;
  let requestSnapshot = 0;
  let commitTerm = 0;
  let priority = 0;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    switch (field) {
      case 1:
        type = typeOfNumber(reader.uint());
        break;
      case 2:
        to = reader.uint();
        break;
      case 3:
        from = reader.uint();
        break;
      case 4:
        term = reader.uint();
        break;
      case 5:
        logTerm = reader.uint();
        break;
      case 6:
        index = reader.uint();
        break;
      case 7: {
        const outer = reader.enter();
        entries ??= [];
        entries.push(readEntry(reader));
        reader.leave(outer);
        break;
      }
      case 8:
        commit = reader.uint();
        break;
      case 9: {
        const outer = reader.enter();
        snapshot = readSnapshot(reader, snapshot);
        reader.leave(outer);
        break;
      }
      case 10:
        reject = reader.bool();
        break;
      case 11:
        rejectHint = reader.uint();
        break;
      case 12:
        context = reader.view();
        break;
      case 13:
        requestSnapshot = reader.uint();
        break;
      case 14:
        // `deprecated_priority`
        reader.skipInteger();
        break;
      case 15:
        commitTerm = reader.uint();
        break;
      case 16:
        priority = reader.int64();
        break;
      default:
        reader.skip();
    }
  }
  return {
    type,
    to,
    from,
    term,
    logTerm,
    index,
    entries: entries ?? NO_ENTRIES,
    commit,
    vote: 0,
    snapshot,
    reject,
    rejectHint,
    context: context === undefined || context.length === 0 ? undefined : context,
    responses: NO_MESSAGES,
    commitTerm,
    requestSnapshot,
    priority,
  };
}

/** The bytes of `message`. Throws RaftError CODEC_INVALID for numbers beyond the safe integers and for storage messages. */
export function encodeMessage(message: Message): Uint8Array {
  const target = new Uint8Array(messageSize(message));
  writeMessage(target, 0, message);
  return target;
}

/**
 * Decodes a message of any type of the wire format. The byte fields of entries, snapshot and context are views of `bytes`.
 * Throws RaftError CODEC_INVALID. Use {@link decodePeerMessage} for bytes from another node.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  return readMessage(new WireReader(bytes));
}

/** Like {@link decodeMessage}, but throws RaftError CODEC_INVALID also for messages that only the node itself may step (MsgHup, MsgBeat, ...). */
export function decodePeerMessage(bytes: Uint8Array): Message {
  const message = decodeMessage(bytes);
  if (isLocalType(message.type)) throw malformed(`${message.type} came from another node`);
  return message;
}
