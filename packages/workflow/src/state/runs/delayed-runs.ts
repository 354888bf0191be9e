/** When the first of the delayed runs is due. */
import type { StateReader } from "@raftoral/raft-core";
import { delayedPrefix, KEY_PREFIX, numberIn } from "../../records/state-keys.ts";
import { firstKeys } from "./first-keys.ts";

/** What comes first of what is to happen at a time: ms since the epoch, or infinity for nothing. */
export interface Agenda {
  /** When the first run begins that was started for a time of day. */
  readonly beginsAtMs: number;
  /** When the first delay of a run ends. */
  readonly delayEndsMs: number;
}

/** When the first run of either order is due. Looks at two entries. */
export function firstBeginnings(from: StateReader): Agenda {
  return { beginsAtMs: firstOf(from, false), delayEndsMs: firstOf(from, true) };
}

function firstOf(from: StateReader, isDelay: boolean): number {
  const prefix = delayedPrefix(isDelay);
  const [first] = firstKeys(from.scan(prefix, `${prefix}\u00ff`), 1);
  return first === undefined ? Number.POSITIVE_INFINITY : numberIn(first, KEY_PREFIX.delayed.length + 1);
}
