/**
 * What a run's attributes were before each change: so that a retry gives them back without the run's history.
 *
 * AC1. An entry is written with each change, under the change's position, and is kept as long as the run.
 * AC2. The attributes at a place of the record are those before the first change at or after that place; without one, they are the present ones. A change that was taken
 *      back keeps its entry: between its place and the retry's nothing else counts, so the entry says the same.
 */
import type { StateKey, StateReader } from "@raftoral/raft-core";
import type { WireReader } from "@raftoral/raft-core/wire";
import { type Attributes, decodeAttributes, encodeAttributes } from "../../model/attributes.ts";
import type { RecordPosition } from "../../model/record.ts";
import { KEY_PREFIX, numberKey, rangeOf } from "../../records/state-keys.ts";
import { bytes, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import type { RunRecord } from "../runs/run-record.ts";
import type { RecordSink } from "../runs/run-records.ts";
import { invalid } from "../snapshots/snapshot-format.ts";
import { readFrom, written } from "../streams/stream-codec.ts";

/** One change, in the store and in a snapshot. */
export interface AttributeChange {
  readonly position: RecordPosition;
  /** The attributes before it (model/attributes.ts AT2). */
  readonly before: Uint8Array;
}

export const attributeChangeCodec = messageCodec<AttributeChange>({ position: uint(1), before: bytes(2) }, {});

/** The key of a change. `start` is a {@link numberKey}. */
export function attributeChangeKey(start: StateKey, position: RecordPosition): StateKey {
  return KEY_PREFIX.attributeChange + start + numberKey(position);
}

/** The run's attributes change at `position`; they were `before`. */
export function putAttributeChange(
  to: Pick<RecordSink, "put">,
  { startKey }: RunRecord,
  position: RecordPosition,
  before: Attributes,
): void {
  const change = { position, before: encodeAttributes(before) };
  to.put(attributeChangeKey(startKey, position), written(attributeChangeCodec, change));
}

/** The attributes that the run had at a place of its record (AC2). */
export function attributesAt(from: StateReader, run: RunRecord, position: RecordPosition): Attributes {
  const [, end] = rangeOf(KEY_PREFIX.attributeChange, run.startIndex);
  for (const [, change] of from.scan(attributeChangeKey(run.startKey, position), end))
    return decodeAttributes(readFrom(attributeChangeCodec, change).before);
  return run.attributes;
}

/** Puts a change of a run from a snapshot into a store. Throws SNAPSHOT_INVALID or COMMAND_INVALID for what is none. */
export function restoreAttributeChange(to: RecordSink, { runId, startKey }: RunRecord, content: WireReader): void {
  const change = attributeChangeCodec.read(content);
  const key = attributeChangeKey(startKey, change.position);
  if (to.get(key) !== undefined)
    throw invalid(`the change of attributes at ${change.position} of run ${runId} comes twice`);
  decodeAttributes(change.before);
  to.put(key, written(attributeChangeCodec, change));
}
