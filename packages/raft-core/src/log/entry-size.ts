/**
 * Sizes of entries, for limits in bytes.
 *
 * There are two measures, as in etcd/raft. The *encoded size* bounds messages and pages of committed entries. The *payload
 * size* bounds the uncommitted entries of a leader and the entries in flight. Every storage must count as
 * {@link entrySize} does; otherwise pages cut by the log and by the storage would differ.
 */

import type { Entry } from "../types.ts";
import { varintBytes } from "../wire/varint.ts";

/**
 * Bytes of an entry in protobuf: one tag byte and a varint each for type (always counted, one byte), term and index, and a
 * tag, a length and the bytes each for data and context where they are not empty.
 */
export function entrySize(entry: Entry): number {
  let size = 4 + varintBytes(entry.term) + varintBytes(entry.index);
  const dataBytes = entry.data.length;
  if (dataBytes > 0) size += 1 + varintBytes(dataBytes) + dataBytes;
  const contextBytes = entry.context === undefined ? 0 : entry.context.length;
  if (contextBytes > 0) size += 1 + varintBytes(contextBytes) + contextBytes;
  return size;
}

/** Sum of {@link entrySize}. */
export function entriesSize(entries: readonly Entry[]): number {
  let size = 0;
  for (const entry of entries) size += entrySize(entry);
  return size;
}

/** Sum of the lengths of `data`. A new leader's empty entry has payload size zero, so no limit refuses it. */
export function payloadSize(entries: readonly Entry[]): number {
  let size = 0;
  for (const entry of entries) size += entry.data.length;
  return size;
}

/**
 * How many entries of `entries`, from `start` up to `end`, fit into `maxBytes`: as many as their summed {@link entrySize}
 * allows, but at least one unless the range is empty.
 */
export function countWithin(entries: readonly Entry[], start: number, end: number, maxBytes: number): number {
  if (maxBytes === Number.POSITIVE_INFINITY) return Math.max(0, end - start);
  let size = 0;
  for (let at = start; at < end; at++) {
    size += entrySize(entries[at] as Entry);
    if (size > maxBytes) return at === start ? 1 : at - start;
  }
  return Math.max(0, end - start);
}
