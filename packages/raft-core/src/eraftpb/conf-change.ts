/**
 * `eraftpb.ConfChange`, `eraftpb.ConfChangeSingle` and `eraftpb.ConfChangeV2`.
 *
 * raft-rs has no UpdateNode. Here UpdateNode is value 3 of ConfChangeType, which raft-rs does not use. It must not be proposed in a group
 * with raft-rs members, because they do not know it.
 */
import {
  type ConfChange,
  type ConfChangeSingle,
  type ConfChangeTransition,
  type ConfChangeType,
  type ConfChangeV2,
  EMPTY_BYTES,
} from "../types.ts";
import { malformed } from "../wire/refusal.ts";
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

const V1_ID = tagOf(1, VARINT);
const V1_TYPE = tagOf(2, VARINT);
const V1_NODE_ID = tagOf(3, VARINT);
const V1_CONTEXT = tagOf(4, LENGTH_DELIMITED);
const SINGLE_TYPE = tagOf(1, VARINT);
const SINGLE_NODE_ID = tagOf(2, VARINT);
const V2_TRANSITION = tagOf(1, VARINT);
const V2_CHANGES = tagOf(2, LENGTH_DELIMITED);
const V2_CONTEXT = tagOf(3, LENGTH_DELIMITED);

const CHANGE_TYPES: readonly ConfChangeType[] = ["AddNode", "RemoveNode", "AddLearnerNode", "UpdateNode"];
const TRANSITIONS: readonly ConfChangeTransition[] = ["Auto", "Implicit", "Explicit"];

function readChangeType(reader: WireReader): ConfChangeType {
  const type = CHANGE_TYPES[reader.uint()];
  if (type === undefined) throw malformed("a configuration change of unknown type");
  return type;
}

/** The bytes of `change`. Throws RaftError CODEC_INVALID for numbers beyond the safe integers. */
export function encodeConfChange(change: ConfChange): Uint8Array {
  const type = CHANGE_TYPES.indexOf(change.type);
  const size =
    uintFieldSize(V1_ID, change.id) +
    uintFieldSize(V1_TYPE, type) +
    uintFieldSize(V1_NODE_ID, change.nodeId) +
    bytesFieldSize(V1_CONTEXT, change.context);
  const target = new Uint8Array(size);
  let to = writeUintField(target, 0, V1_ID, change.id);
  to = writeUintField(target, to, V1_TYPE, type);
  to = writeUintField(target, to, V1_NODE_ID, change.nodeId);
  writeBytesField(target, to, V1_CONTEXT, change.context);
  return target;
}

/** Decodes a change. Its context is a view of `bytes`. Throws RaftError CODEC_INVALID. */
export function decodeConfChange(bytes: Uint8Array): ConfChange {
  const reader = new WireReader(bytes);
  let id = 0;
  let type: ConfChangeType = "AddNode";
  let nodeId = 0;
  let context: Uint8Array = EMPTY_BYTES;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    switch (field) {
      case 1:
        id = reader.uint();
        break;
      case 2:
        type = readChangeType(reader);
        break;
      case 3:
        nodeId = reader.uint();
        break;
      case 4:
        context = reader.view();
        break;
      default:
        reader.skip();
    }
  }
  return { id, type, nodeId, context };
}

function singleSize(change: ConfChangeSingle): number {
  return uintFieldSize(SINGLE_TYPE, CHANGE_TYPES.indexOf(change.type)) + uintFieldSize(SINGLE_NODE_ID, change.nodeId);
}

function readSingle(reader: WireReader): ConfChangeSingle {
  let type: ConfChangeType = "AddNode";
  let nodeId = 0;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field > 2) {
      reader.skip();
      continue;
    }
    if (field === 1) type = readChangeType(reader);
    else nodeId = reader.uint();
  }
  return { type, nodeId };
}

/** The bytes of `change`. Throws RaftError CODEC_INVALID for numbers beyond the safe integers. */
export function encodeConfChangeV2(change: ConfChangeV2): Uint8Array {
  const transition = TRANSITIONS.indexOf(change.transition);
  let size = uintFieldSize(V2_TRANSITION, transition) + bytesFieldSize(V2_CONTEXT, change.context);
  for (const single of change.changes) size += nestedFieldSize(V2_CHANGES, singleSize(single));
  const target = new Uint8Array(size);
  let to = writeUintField(target, 0, V2_TRANSITION, transition);
  for (const single of change.changes) {
    to = writeNestedHead(target, to, V2_CHANGES, singleSize(single));
    to = writeUintField(target, to, SINGLE_TYPE, CHANGE_TYPES.indexOf(single.type));
    to = writeUintField(target, to, SINGLE_NODE_ID, single.nodeId);
  }
  writeBytesField(target, to, V2_CONTEXT, change.context);
  return target;
}

/** Decodes a change. Its context is a view of `bytes`. Throws RaftError CODEC_INVALID. */
export function decodeConfChangeV2(bytes: Uint8Array): ConfChangeV2 {
  const reader = new WireReader(bytes);
  let transition: ConfChangeTransition = "Auto";
  const changes: ConfChangeSingle[] = [];
  let context: Uint8Array = EMPTY_BYTES;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    switch (field) {
      case 1: {
        const value = TRANSITIONS[reader.uint()];
        if (value === undefined) throw malformed("a configuration change with an unknown transition");
        transition = value;
        break;
      }
      case 2: {
        const outer = reader.enter();
        changes.push(readSingle(reader));
        reader.leave(outer);
        break;
      }
      case 3:
        context = reader.view();
        break;
      default:
        reader.skip();
    }
  }
  return { transition, changes, context };
}
