/**
 * Where held runs stand: by type, version, behaviours and the place where they were held.
 *
 * HP1. A node finds what its code may fit without looking at runs that need more behaviours than it has: each number of behaviours is a range of its own.
 */
import type { LogIndex, StateReader } from "@raftoral/raft-core";
import type { RunNeeds } from "../../model/runs/run-needs.ts";
import { heldPrefix, numberIn, numberKey } from "../../records/state-keys.ts";
import { firstKeys } from "./first-keys.ts";
import { startInPlace } from "./run-records.ts";

/**
 * Places in the log of at most `limit` of the runs that were held before `index` because code of this type and version did not fit them, and that need at most
 * these behaviours.
 */
export function startsHeldBefore(
  store: StateReader,
  { type, version, behaviourLevel }: RunNeeds,
  index: LogIndex,
  limit: number,
): readonly number[] {
  const starts: number[] = [];
  const prefix = heldPrefix(type, version);
  const end = prefix + numberKey(behaviourLevel + 1);
  for (let level = 0; starts.length < limit; level++) {
    const [first] = firstKeys(store.scan(prefix + numberKey(level), end), 1);
    if (first === undefined) break;
    level = numberIn(first, prefix.length);
    const held = prefix + numberKey(level);
    const keys = firstKeys(store.scan(held, held + numberKey(index)), limit - starts.length);
    for (const key of keys) starts.push(startInPlace(key));
  }
  return starts;
}
