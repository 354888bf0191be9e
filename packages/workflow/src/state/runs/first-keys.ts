/** The first keys of a scan, without reading on. */
import type { StateKey, StateRecord } from "@raftoral/raft-core";

/** At most `limit` keys, in their order. */
export function firstKeys(records: Iterable<StateRecord>, limit: number): readonly StateKey[] {
  const keys: StateKey[] = [];
  if (limit <= 0) return keys;
  for (const [key] of records) {
    keys.push(key);
    if (keys.length >= limit) break;
  }
  return keys;
}

/** Whether there is none. */
export function isEmpty(records: Iterable<StateRecord>): boolean {
  return firstKeys(records, 1).length === 0;
}

/** How many there are. Walks over all of them. */
export function keysIn(records: Iterable<StateRecord>): number {
  let count = 0;
  for (const _ of records) count += 1;
  return count;
}
