/**
 * All checkpoints of a run that has ended, in one record: a store has as much work with ten small records as with ten large ones, twice,
 * for they are deleted as well. Length and content of each, in the order in which they were committed.
 */

import type { StateKey, StateReader } from "@raftoral/raft-core";
import { historyKey, KEY_PREFIX, rangeOf } from "../records/state-keys.ts";
import { readerOf, writerOf } from "../wire/command-wire.ts";
import type { RunRecord } from "./runs/run-record.ts";

/** A run with more checkpoints, or more bytes in them, keeps them as they are. */
export const MAX_ARCHIVED_CHECKPOINTS = 256;
export const MAX_ARCHIVED_BYTES = 64 * 1024;

const POSITION_FIELD = 5;
const writer = writerOf(8_192);

/** A checkpoint's position, out of its record. */
export function positionIn(checkpoint: Uint8Array): number {
  const from = readerOf(checkpoint);
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === POSITION_FIELD) return from.uint();
    from.skip();
  }
  return 0;
}

/** The bytes of an archive with these checkpoints, in their order. They are the caller's. */
export function encodeArchive(checkpoints: readonly Uint8Array[]): Uint8Array {
  writer.reset();
  for (const checkpoint of checkpoints) writer.bareBytes(checkpoint);
  return writer.finish();
}

/** The records of the checkpoints, in their order. */
export function decodeArchive(bytes: Uint8Array): readonly Uint8Array[] {
  const from = readerOf(bytes);
  const checkpoints: Uint8Array[] = [];
  while (!from.atEnd) checkpoints.push(from.bareBytes());
  return checkpoints;
}

/** What becomes an archive, how many records it has, and the keys that it replaces. */
export interface Archived {
  readonly archive: Uint8Array;
  readonly count: number;
  readonly keys: readonly StateKey[];
}

/**
 * The archive of a run; undefined for a run whose records stay as they are. Looks at what an archive holds at most. `isKept`: records that do not count any more are
 * replaced, and are not in it.
 */
export function archiveOf(
  from: StateReader,
  run: RunRecord,
  isKept: (content: Uint8Array) => boolean,
): Archived | undefined {
  const found: { readonly position: number; readonly value: Uint8Array }[] = [];
  const keys: StateKey[] = [];
  let bytes = 0;
  for (const [key, value] of recordsOf(from, run)) {
    bytes += value.length;
    if (keys.length === MAX_ARCHIVED_CHECKPOINTS || bytes > MAX_ARCHIVED_BYTES) return undefined;
    keys.push(key);
    if (isKept(value)) found.push({ position: positionIn(value), value });
  }
  if (keys.length === 0) return undefined;
  found.sort((a, b) => a.position - b.position);
  return { archive: encodeArchive(found.map(({ value }) => value)), count: found.length, keys };
}

/** In no order. Where all are known, and the hashes of their paths differ, nothing need be searched. */
function* recordsOf(
  from: StateReader,
  { startKey, startIndex, hashes, recordCount }: RunRecord,
): Generator<readonly [StateKey, Uint8Array]> {
  if (hashes === undefined || hashes.size !== recordCount) {
    yield* from.scan(...rangeOf(KEY_PREFIX.history, startIndex));
    return;
  }
  for (const [hash, value] of hashes) yield [historyKey(startKey, hash, 0), value];
}
