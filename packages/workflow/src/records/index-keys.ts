/**
 * Keys of the entries by which runs are found. An entry has a group (what its runs have in common) and a place (where in an order the run is),
 * and no value.
 *
 * IK1. Within a group, entries sort by their places: by when a run was created, or by when it ended.
 * IK2. No group's key is the beginning of another one's, so a group is one range of keys.
 * IK3. Values of attributes sort within their type as {@link valueKey} does: numbers and dates by size, texts by code points.
 */
import type { StateKey } from "@raftoral/raft-core";
import { KEY_PREFIX, lengthAndText, numberIn, numberKey, textKey, waitingPrefix } from "./state-keys.ts";

/** Where a run is in an order. `place` is unique to runs of one moment, or `start` is: a place in the log. */
export interface IndexPlace {
  readonly ms: number;
  readonly place: number;
  readonly start: number;
}

const PLACE_LENGTH = 21;
/** Above every place. */
export const BEYOND_PLACES = "\u00ff";

/** A place as keys have it, behind the group. */
export function placeKeyOf({ ms, place, start }: IndexPlace): StateKey {
  return numberKey(ms) + numberKey(place) + numberKey(start);
}

/** The place at the end of an entry's key, as it stands there. */
export function placeIn(key: StateKey): StateKey {
  return key.slice(-PLACE_LENGTH);
}

/** What {@link placeIn} gave, as numbers. */
export function placeOf(place: StateKey): IndexPlace {
  return { ms: numberIn(place, 0), place: numberIn(place, 7), start: numberIn(place, 14) };
}

/** Group of all runs, by when they were created. */
export const ALL_CREATED: StateKey = KEY_PREFIX.created;
/** Group of all runs that have ended, by when they ended. */
export const ALL_ENDED: StateKey = KEY_PREFIX.ended;

/** Group of runs of a status and a type, by when they were created. `status` is its number. */
export function statusGroup(status: number, type: string): StateKey {
  return KEY_PREFIX.byStatus + String.fromCharCode(status) + lengthAndText(type);
}

/** Group of runs of a type that have ended in one way, by when they ended. `status` is its number. */
export function endGroup(status: number, type: string): StateKey {
  return KEY_PREFIX.byEnd + String.fromCharCode(status) + lengthAndText(type);
}

/** Group of the runs on a seat, by when they were created. */
export function seatGroup(seat: number): StateKey {
  return KEY_PREFIX.seated + numberKey(seat);
}

/** Group of the runs that wait for a type and version with these behaviours, by when they were created. */
export function waitingGroup({ type, version, behaviourLevel }: WaitedFor): StateKey {
  return waitingPrefix(type, version, behaviourLevel);
}

/** What runs may wait for. */
interface WaitedFor {
  readonly type: string;
  readonly version: number;
  readonly behaviourLevel: number;
}

/** Group of the children of a run, by when they were created. */
export function parentGroup(runId: string): StateKey {
  return `${KEY_PREFIX.byFact}p${lengthAndText(runId)}`;
}

/** Group of the runs of a queue and a status, by when they were created. `status` is its number. */
export function queueGroup(status: number, name: string): StateKey {
  return `${KEY_PREFIX.byFact}q${String.fromCharCode(status)}${lengthAndText(name)}`;
}

/** What the keys of all values of an attribute begin with. */
export function attributeGroups(name: string): StateKey {
  return `${KEY_PREFIX.byFact}a${lengthAndText(name)}`;
}

/** Group of runs that have a value of an attribute, by when they were created. */
export function attributeGroup(name: string, value: StateKey): StateKey {
  return attributeGroups(name) + value;
}

/** A value of an attribute, of any type but a list. */
export type IndexedValue = string | number | boolean | { readonly dateMs: number };

const number = new DataView(new ArrayBuffer(8));

/** A value as keys have it: its type, and then itself (IK2, IK3). */
export function valueKey(value: IndexedValue): StateKey {
  if (typeof value === "boolean") return value ? "b\u0001" : "b\u0000";
  if (typeof value === "number") return `n${doubleKey(value)}`;
  if (typeof value === "object") return `d${doubleKey(value.dateMs)}`;
  // A zero is two bytes, and the end is less than all that may follow.
  return `s${textKey(value).replaceAll("\u0000", "\u0000\u00ff")}\u0000\u0001`;
}

/** The bits of a double, changed so that they sort as the numbers do. */
function doubleKey(value: number): StateKey {
  number.setFloat64(0, value === 0 ? 0 : value);
  const isNegative = number.getUint8(0) >= 0x80;
  let key = "";
  for (let at = 0; at < 8; at++) {
    const byte = number.getUint8(at);
    key += String.fromCharCode(isNegative ? byte ^ 0xff : at === 0 ? byte ^ 0x80 : byte);
  }
  return key;
}
