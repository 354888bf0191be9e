/** The subject of the conformance suite of state stores, and the model that a store is compared with. */
import type { StateKey, StateReader } from "../../ports/state-reader.ts";
import type { StateStore } from "../../ports/state-store.ts";
import type { GroupId } from "../../types.ts";
import { assertEqual } from "../assertions.ts";

/** Holds the state of any number of groups. The suite creates a new one for each case. */
export interface StateStoreSubject {
  /** Opens the store of a group. After {@link restart} it has its persisted content. */
  open(groupId: GroupId): Promise<StateStore>;
  /** Ends without persisting, and starts again like a new process. Stores opened before are not used any more. */
  restart(): Promise<void>;
  /** Releases everything. */
  dispose(): Promise<void>;
}

/** The expected records of a store. */
export type Model = ReadonlyMap<StateKey, string>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The bytes of a text in UTF-8. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text of bytes in UTF-8. */
export function textOf(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : decoder.decode(value);
}

/** Records in `[start, end)` as texts. */
export function scanned(reader: StateReader, start: StateKey = "\u0000", end: StateKey = "\u00ff\u00ff"): string[] {
  return Array.from(reader.scan(start, end), ([key, value]) => `${key}=${textOf(value)}`);
}

/** Records in `[start, end)` as texts, from the last one on. */
export function scannedBack(reader: StateReader, start: StateKey = "\u0000", end: StateKey = "\u00ff\u00ff"): string[] {
  return Array.from(reader.scanBack(start, end), ([key, value]) => `${key}=${textOf(value)}`);
}

/** Compares all records of a reader with a model, by scans in both directions and key by key. `what` names the reader. */
export function assertHolds(reader: StateReader, model: Model, what: string): void {
  const expected = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
  assertEqual(
    scanned(reader),
    expected.map(([key, value]) => `${key}=${value}`),
    what,
  );
  assertEqual(scannedBack(reader), scanned(reader).reverse(), `${what}, walked back`);
  for (const [key, value] of expected) assertEqual(textOf(reader.get(key)), value, `${what}: ${key}`);
}

/** Puts records, deletes those with the value null, and commits the changes at `index`. */
export function putAll(store: StateStore, index: number, records: Readonly<Record<StateKey, string | null>>): void {
  for (const [key, value] of Object.entries(records)) {
    if (value === null) store.delete(key);
    else store.put(key, bytesOf(value));
  }
  store.commit(index);
}
