/**
 * Which blobs the state names, and who names each.
 *
 * Role: an index over the values of the state. What commands do does not depend on it; a node asks it what to keep and what to fetch (docs/adr/0076 BL5).
 *
 * BR1. A blob has an entry for each holder: a generation of a run that has named it, a schedule whose input it is, an answer on its way to the run that called.
 * BR2. A run holds what it has named until its records are swept (runs/run-remains.ts), also what its history does not have any more. A state that comes from a snapshot has entries for what is there.
 * BR3. An entry is made and taken away by the command that makes or takes away what names the blob.
 */
import type { BlobHash, BlobName, StateKey, StateReader, StateStore } from "@raftoral/raft-core";
import { blobIn } from "../../model/payload-envelope.ts";
import { KEY_PREFIX, kindRange, rangeOf, textKey } from "../../records/state-keys.ts";
import { readerOf, writerOf } from "../../wire/command-wire.ts";
import { firstKeys } from "../runs/first-keys.ts";

const NOTHING: Uint8Array = new Uint8Array(0);
/** Of a hash, as characters of a key. */
const HASH_LENGTH = 32;
const LENGTH_FIELD = 1;

/** As much of a store as is needed to write. */
interface EntrySink {
  put(key: StateKey, value: Uint8Array): void;
}

/** Who names a blob, but for runs. */
export type BlobHolder =
  | { readonly kind: "schedule"; readonly scheduleId: string }
  | { readonly kind: "owed"; readonly key: StateKey };

/** A run names the blob that a value refers to, if it refers to one. Gives whether it does. */
export function runNames(to: EntrySink, startKey: StateKey, value: Uint8Array): boolean {
  const blob = blobIn(value);
  if (blob === undefined) return false;
  const hash = hashKey(blob.hash);
  to.put(KEY_PREFIX.blobOfRun + startKey + hash, NOTHING);
  to.put(`${KEY_PREFIX.blob}${hash}r${startKey}`, encodedLength(blob.length));
  return true;
}

/** The key and the content of the entry by which a holder names the blob of a value; undefined for a value that refers to none. */
export function holderEntry(holder: BlobHolder, value: Uint8Array): readonly [StateKey, Uint8Array] | undefined {
  const blob = blobIn(value);
  return blob === undefined ? undefined : [entryKey(holder, blob), encodedLength(blob.length)];
}

/** Takes away what a run names, of at most `limit` blobs. Gives how many records that were. */
export function unnameByRun(store: StateStore, startIndex: number, startKey: StateKey, limit: number): number {
  const keys = firstKeys(store.scan(...rangeOf(KEY_PREFIX.blobOfRun, startIndex)), limit);
  for (const key of keys) {
    const hash = key.slice(KEY_PREFIX.blobOfRun.length + startKey.length);
    store.delete(`${KEY_PREFIX.blob}${hash}r${startKey}`);
    store.delete(key);
  }
  return keys.length;
}

/** Whether anybody names a blob. */
export function isNamed(from: StateReader, hash: BlobHash): boolean {
  for (const _ of from.scan(...entriesOf(hashKey(hash)))) return true;
  return false;
}

/** The blob that a record of the state names by its key; undefined for other records. For tools that read folders. */
export function blobNamedByKey(key: StateKey): BlobHash | undefined {
  const end = KEY_PREFIX.blob.length + HASH_LENGTH;
  return key.startsWith(KEY_PREFIX.blob) && key.length > end
    ? hexOf(key.slice(KEY_PREFIX.blob.length, end))
    : undefined;
}

/** At most `limit` of the blobs that are named and come after `after`, in the order of their hashes. */
export function namedBlobs(from: StateReader, after: BlobHash | undefined, limit: number): readonly BlobName[] {
  const [first, end] = kindRange(KEY_PREFIX.blob);
  const blobs: BlobName[] = [];
  let start = after === undefined ? first : entriesOf(hashKey(after))[1];
  while (blobs.length < limit) {
    const found = firstEntry(from, start, end);
    if (found === undefined) break;
    const [key, content] = found;
    const hash = key.slice(KEY_PREFIX.blob.length, KEY_PREFIX.blob.length + HASH_LENGTH);
    blobs.push({ hash: hexOf(hash), length: lengthIn(content) });
    start = entriesOf(hash)[1];
  }
  return blobs;
}

function firstEntry(from: StateReader, start: StateKey, end: StateKey): readonly [StateKey, Uint8Array] | undefined {
  for (const [key, content] of from.scan(start, end)) return [key, content];
  return undefined;
}

function entryKey(holder: BlobHolder, { hash }: BlobName): StateKey {
  const prefix = KEY_PREFIX.blob + hashKey(hash);
  return holder.kind === "schedule" ? `${prefix}s${textKey(holder.scheduleId)}` : `${prefix}o${holder.key}`;
}

/** Entries of one blob: `[start, end)`. Holders begin with a letter, which is below the last character. */
function entriesOf(hash: StateKey): readonly [start: StateKey, end: StateKey] {
  return [KEY_PREFIX.blob + hash, `${KEY_PREFIX.blob}${hash}\u00ff`];
}

function hashKey(hash: BlobHash): StateKey {
  let key = "";
  for (let at = 0; at < hash.length; at += 2) key += String.fromCharCode(Number.parseInt(hash.slice(at, at + 2), 16));
  return key;
}

function hexOf(key: StateKey): BlobHash {
  let hash = "";
  for (let at = 0; at < key.length; at++) hash += key.charCodeAt(at).toString(16).padStart(2, "0");
  return hash;
}

function encodedLength(length: number): Uint8Array {
  const to = writerOf(8);
  to.uint(LENGTH_FIELD, length);
  return to.finish();
}

function lengthIn(content: Uint8Array): number {
  const from = readerOf(content);
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === LENGTH_FIELD) return from.uint();
    from.skip();
  }
  return 0;
}
