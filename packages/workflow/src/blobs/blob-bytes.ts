/** The bytes of blobs as a whole, in slices: hashing or copying 64 MiB at once would keep heartbeats waiting. */
import { createHash } from "node:crypto";
import type { BlobHash, BlobName, BlobStore, Clock } from "@raftoral/raft-core";
import { PART_BYTES } from "./blob-protocol.ts";

/** Bytes that are hashed in one turn of the event loop: about a millisecond. */
const SLICE_BYTES = 512 * 1024;

/** The SHA-256 of parts that follow each other. At once: for stores in memory. */
export function hashOfParts(parts: readonly Uint8Array[]): BlobHash {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** The SHA-256 of bytes, a slice in each turn. */
export async function hashInSlices(bytes: Uint8Array, clock: Clock): Promise<BlobHash> {
  const hash = createHash("sha256");
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    if (at > 0) await nextTurn(clock);
    hash.update(bytes.subarray(at, at + SLICE_BYTES));
  }
  return hash.digest("hex");
}

/** Puts all of a blob into a store, from where it ends there. Gives whether it is whole then. */
export async function putAll(store: BlobStore, name: BlobName, bytes: Uint8Array): Promise<boolean> {
  for (let at = await store.offset(name); at < name.length; ) {
    const next = await store.append(name, at, bytes.subarray(at, at + PART_BYTES));
    // What was there had other bytes: it is gone now, and comes again once.
    if (next <= at && next !== 0) return false;
    if (next === 0 && at === 0) return false;
    at = next;
  }
  return true;
}

/** All bytes of a blob that is whole here, checked; undefined when it is not, or when its bytes are others: then it is deleted. */
export async function readAll(store: BlobStore, name: BlobName, clock: Clock): Promise<Uint8Array | undefined> {
  if ((await store.offset(name)) < name.length) return undefined;
  const bytes = new Uint8Array(name.length);
  const hash = createHash("sha256");
  for (let at = 0; at < name.length; ) {
    const part = await store.read(name, at, PART_BYTES);
    if (part === undefined || part.length === 0) break;
    hash.update(part);
    bytes.set(part, at);
    at += part.length;
    await nextTurn(clock);
  }
  if (hash.digest("hex") === name.hash) return bytes;
  await store.delete(name.hash);
  return undefined;
}

/** Lets the others on the event loop have their turn. */
export function nextTurn(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.soon(resolve));
}
