/**
 * `eraftpb.Message`: what nodes say to each other.
 *
 * `vote` and `responses` belong to a node's own storage messages and have no bytes. `deprecated_priority` is read over and
 * never written. On the path of every append: sizes first, then one exact buffer, no intermediate objects.
 */
import type { Message, MessageType } from "../message.ts";
import type { Entry, Snapshot } from "../types.ts";
import { malformed, WireReader } from "../wire/wire-reader.ts";
import {
  boolFieldSize,
  bytesFieldSize,
  int64FieldSize,
  LENGTH_DELIMITED,
  nestedFieldSize,
  tagOf,
  uintFieldSize,
  VARINT,
  writeBoolField,
  writeBytesField,
  writeInt64Field,
  writeNestedHead,
  writeUintField,
} from "../wire/wire-writer.ts";
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

/** Bytes of an encoded message. Throws RaftError CODEC_INVALID for one that has no bytes. */
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

/** Writes `message` at `at`, in {@link messageSize} bytes that the caller has made room for; returns the position after it. */
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
  while (reader.more()) {
    const tag = reader.tag();
    // Compared as a whole, so that a known field with another wire type falls through to `refuseOrSkip`.
    switch (tag) {
      case TYPE:
        type = typeOfNumber(reader.uint());
        break;
      case TO:
        to = reader.uint();
        break;
      case FROM:
        from = reader.uint();
        break;
      case TERM:
        term = reader.uint();
        break;
      case LOG_TERM:
        logTerm = reader.uint();
        break;
      case INDEX:
        index = reader.uint();
        break;
      case ENTRIES: {
        const outer = reader.enter();
        entries ??= [];
        entries.push(readEntry(reader));
        reader.leave(outer);
        break;
      }
      case COMMIT:
        commit = reader.uint();
        break;
      case SNAPSHOT: {
        const outer = reader.enter();
        snapshot = readSnapshot(reader, snapshot);
        reader.leave(outer);
        break;
      }
      case REJECT:
        reject = reader.bool();
        break;
      case REJECT_HINT:
        rejectHint = reader.uint();
        break;
      case CONTEXT:
        context = reader.view();
        break;
      case REQUEST_SNAPSHOT:
        requestSnapshot = reader.uint();
        break;
      case COMMIT_TERM:
        commitTerm = reader.uint();
        break;
      case PRIORITY:
        priority = reader.int64();
        break;
      default:
        refuseOrSkip(reader, tag);
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

/** Highest field number of the contract; what is beyond was added by a later version. */
const LAST_FIELD = 16;
const DEPRECATED_PRIORITY = tagOf(14, VARINT);

function refuseOrSkip(reader: WireReader, tag: number): void {
  const field = tag >>> 3;
  if (field <= LAST_FIELD && tag !== DEPRECATED_PRIORITY) {
    throw malformed(`field ${field} of a message has wire type ${tag & 7}`);
  }
  reader.skip(tag & 7);
}

/** The bytes of `message`. Throws RaftError CODEC_INVALID for numbers beyond the safe integers and for storage messages. */
export function encodeMessage(message: Message): Uint8Array {
  const target = new Uint8Array(messageSize(message));
  writeMessage(target, 0, message);
  return target;
}

/**
 * The message in `bytes`, of any type that the contract has; its entries', snapshot's and context's bytes are views of them.
 * Throws RaftError CODEC_INVALID. Use {@link decodePeerMessage} for bytes that came from another node.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  return readMessage(new WireReader(bytes));
}

/** {@link decodeMessage}, but a message that only the node itself may give to its core (MsgHup, MsgBeat, ...) is refused. */
export function decodePeerMessage(bytes: Uint8Array): Message {
  const message = decodeMessage(bytes);
  if (isLocalType(message.type)) throw malformed(`${message.type} came from another node`);
  return message;
}
